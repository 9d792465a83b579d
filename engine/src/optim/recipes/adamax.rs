//! Adam with the largest gradient in the place of the mean square.

use crate::native::{Begun, NativeError};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::OptimError;
use crate::optim::foreach::{Foreach, Rule, decay_by_gradient};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::adam::{adam_settings, check_adam};
use crate::optim::recipes::of_each::{left_out, of_each};
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// Adamax: [`Adam`](crate::optim::Adam) that divides by a decaying maximum of the gradient in the place of the root of its
    /// mean square (Kingma and Ba, 2015, section 7), as `torch.optim.Adamax`.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::Adamax::new(0.1), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // the first step is as long as the learning rate
    /// assert!((f64::try_from(&weight)? - 0.9).abs() < 1e-5);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct Adamax {
        /// Learning rate, above 0.
        #[config(example = 2e-3, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// Decays of the running mean of the gradient and of its maximum, each at least 0 and below 1.
        #[config(default = (0.9, 0.999), range = 0.0..1.0)]
        pub betas: (f64, f64),
        /// Added to the denominator, so that a gradient of zero does not divide by zero.
        #[config(default = 1e-8, range = 0.0..)]
        pub eps: f64,
        /// How much of the parameter is added to its gradient.
        #[config(default = 0.0, range = 0.0..)]
        pub weight_decay: f64,
    }
    /// Adamax with everything but the learning rate as PyTorch has it.
    new { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0 }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Adamax {
    fn name(&self) -> &'static str {
        "Adamax"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_adam("Adamax", self.lr, self.betas, self.eps, self.weight_decay)
    }

    fn settings(&self) -> Settings {
        adam_settings(self.lr, self.betas, self.eps, self.weight_decay)
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(AdamaxRule { maximize: self.maximize }))
    }
}

#[derive(Debug)]
struct AdamaxRule {
    maximize: bool,
}

const SLOTS: [Slot; 3] = [
    Slot { name: "exp_avg", shape: SlotShape::LikeParameter },
    Slot { name: "exp_inf", shape: SlotShape::LikeParameter },
    Slot { name: "step", shape: SlotShape::Count },
];

impl Rule for AdamaxRule {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let (lr, beta1, beta2) = (inputs.setting("lr")?, inputs.setting("beta1")?, inputs.setting("beta2")?);
        decay_by_gradient(begun, inputs.setting("weight_decay")?)?;
        let Begun { parameters, gradients, state } = begun;
        let [means, largest, steps] = &mut state[..] else { return Err(wrong_state()) };
        means.lerp_(gradients, 1.0 - beta1)?;
        let mut sizes = gradients.abs()?;
        sizes.add_scalar_(inputs.setting("eps")?)?;
        largest.mul_scalar_(beta2)?;
        largest.maximum_(&sizes)?;
        // the running mean starts at 0, so it is too small at first
        let by = of_each(&steps.numbers()?, |count| left_out(beta1, count)?.f_reciprocal()?.f_mul_scalar(-lr))?;
        parameters.addcdiv_by_(means, largest, &by)
    }
}

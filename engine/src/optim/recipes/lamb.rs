//! Adam whose step is scaled layer by layer.

use crate::native::{Begun, NativeError};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::OptimError;
use crate::optim::foreach::{Foreach, Rule};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::adam::{adam_settings, check_adam};
use crate::optim::recipes::of_each::{adam_steps, trust};
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// LAMB: [`AdamW`](crate::optim::AdamW) whose step for each parameter is as long as the parameter itself, times the learning
    /// rate (You et al., 2020, algorithm 2, with bias correction). A parameter without weight decay keeps the length of Adam's
    /// step, unless `always_adapt`, as in the implementations of NVIDIA and timm. Clip the gradients to a norm of 1 beside it
    /// (`train: (clip: Norm(1.0))`), as they do.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::Lamb { always_adapt: true, ..engine::optim::Lamb::new(0.1) }, vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // the step is the learning rate times the norm of the parameter, 1
    /// assert!((f64::try_from(&weight)? - 0.9).abs() < 1e-5);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct Lamb {
        /// Learning rate, above 0.
        #[config(example = 5e-3, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// Decays of the running means of the gradient and of its square, each at least 0 and below 1.
        #[config(default = (0.9, 0.999), range = 0.0..1.0)]
        pub betas: (f64, f64),
        /// Added to the denominator, so that a gradient of zero does not divide by zero.
        #[config(default = 1e-6, range = 0.0..)]
        pub eps: f64,
        /// How much of the parameter is added to the step.
        #[config(default = 0.01, range = 0.0..)]
        pub weight_decay: f64,
        /// Adapt the steps of parameters without weight decay too.
        #[config(default = false)]
        pub always_adapt: bool,
    }
    /// LAMB with everything but the learning rate as in the paper.
    new { betas: (0.9, 0.999), eps: 1e-6, weight_decay: 0.01, always_adapt: false }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Lamb {
    fn name(&self) -> &'static str {
        "Lamb"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_adam("Lamb", self.lr, self.betas, self.eps, self.weight_decay)
    }

    fn settings(&self) -> Settings {
        adam_settings(self.lr, self.betas, self.eps, self.weight_decay)
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(LambRule { maximize: self.maximize, always_adapt: self.always_adapt }))
    }
}

#[derive(Debug)]
struct LambRule {
    maximize: bool,
    always_adapt: bool,
}

const SLOTS: [Slot; 3] = [
    Slot { name: "exp_avg", shape: SlotShape::LikeParameter },
    Slot { name: "exp_avg_sq", shape: SlotShape::LikeParameter },
    Slot { name: "step", shape: SlotShape::Count },
];

impl Rule for LambRule {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let weight_decay = inputs.setting("weight_decay")?;
        let Begun { parameters, gradients, state } = begun;
        let [means, squares, steps] = &mut state[..] else { return Err(wrong_state()) };
        let mut step = adam_steps(means, squares, gradients, &steps.numbers()?, inputs)?;
        if weight_decay != 0.0 {
            step.add_(parameters, weight_decay)?;
        }
        if weight_decay != 0.0 || self.always_adapt {
            step.mul_by_(&trust(&parameters.norms()?, &step.norms()?)?)?;
        }
        parameters.add_(&step, -inputs.setting("lr")?)
    }
}

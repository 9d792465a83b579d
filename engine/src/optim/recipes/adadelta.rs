//! Steps scaled by running means of the squared gradients and of the squared steps.

use crate::native::{Begun, NativeError, TensorList};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::foreach::{Foreach, Rule, average_squares, decay_by_gradient};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// Adadelta: steps scaled by running means of the squared gradients and of the squared steps (Zeiler, 2012), as
    /// `torch.optim.Adadelta`. The learning rate is usually 1.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::Adadelta::new(1.0), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // the first step is sqrt(eps / (1 - rho)), whatever the size of the gradient
    /// assert!((f64::try_from(&weight)? - (1.0 - 1e-5f64.sqrt())).abs() < 1e-5);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct Adadelta {
        /// Learning rate, above 0.
        #[config(example = 1.0, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// Decay of both running means, at least 0 and below 1.
        #[config(default = 0.9, range = 0.0..1.0)]
        pub rho: f64,
        /// Added to both means before the root is taken.
        #[config(default = 1e-6, range = 0.0..)]
        pub eps: f64,
        /// How much of the parameter is added to its gradient.
        #[config(default = 0.0, range = 0.0..)]
        pub weight_decay: f64,
    }
    /// Adadelta with everything but the learning rate as PyTorch has it; its learning rate is 1.
    new { rho: 0.9, eps: 1e-6, weight_decay: 0.0 }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Adadelta {
    fn name(&self) -> &'static str {
        "Adadelta"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges(
            "Adadelta",
            &[
                ("lr", self.lr, Allowed::Positive),
                ("rho", self.rho, Allowed::BelowOne),
                ("eps", self.eps, Allowed::NotNegative),
                ("weight_decay", self.weight_decay, Allowed::NotNegative),
            ],
        )
    }

    fn settings(&self) -> Settings {
        Settings::new([("lr", self.lr), ("weight_decay", self.weight_decay), ("rho", self.rho), ("eps", self.eps)])
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(AdadeltaRule { maximize: self.maximize }))
    }
}

#[derive(Debug)]
struct AdadeltaRule {
    maximize: bool,
}

const SLOTS: [Slot; 2] = [
    Slot { name: "square_avg", shape: SlotShape::LikeParameter },
    Slot { name: "acc_delta", shape: SlotShape::LikeParameter },
];

impl Rule for AdadeltaRule {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let (rho, eps) = (inputs.setting("rho")?, inputs.setting("eps")?);
        decay_by_gradient(begun, inputs.setting("weight_decay")?)?;
        let Begun { parameters, gradients, state } = begun;
        let [squares, steps] = &mut state[..] else { return Err(wrong_state()) };
        average_squares(squares, gradients, rho)?;
        let root = |list: &TensorList| {
            let mut sum = list.copied()?;
            sum.add_scalar_(eps)?;
            sum.sqrt()
        };
        let mut step = root(steps)?;
        step.div_(&root(squares)?)?;
        step.mul_(gradients)?;
        average_squares(steps, &step, rho)?;
        parameters.add_(&step, -inputs.setting("lr")?)
    }
}

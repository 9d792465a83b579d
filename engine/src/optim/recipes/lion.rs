//! Steps of one size, by the sign of the momentum.

use crate::native::{Begun, NativeError};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::foreach::{Foreach, Rule, decay_by_itself};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// Lion: each element moves by the learning rate in the direction of the sign of its momentum (Chen et al., 2023, algorithm
    /// 2). Its learning rate is usually a third to a tenth of that of [`AdamW`](crate::optim::AdamW), and its weight decay three
    /// to ten times as large.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::Lion::new(0.1), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // a step has the size of the learning rate, whatever the gradient
    /// assert!((f64::try_from(&weight)? - 0.9).abs() < 1e-6);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct Lion {
        /// Learning rate, above 0.
        #[config(example = 1e-4, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// How much of the momentum is in the direction of an update, and how much of it is kept, each at least 0 and below 1.
        #[config(default = (0.9, 0.99), range = 0.0..1.0)]
        pub betas: (f64, f64),
        /// How much a parameter shrinks in an update, relative to the learning rate.
        #[config(default = 0.0, range = 0.0..)]
        pub weight_decay: f64,
    }
    /// Lion with everything but the learning rate as in the paper, and no weight decay.
    new { betas: (0.9, 0.99), weight_decay: 0.0 }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Lion {
    fn name(&self) -> &'static str {
        "Lion"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges(
            "Lion",
            &[
                ("lr", self.lr, Allowed::Positive),
                ("betas.0", self.betas.0, Allowed::BelowOne),
                ("betas.1", self.betas.1, Allowed::BelowOne),
                ("weight_decay", self.weight_decay, Allowed::NotNegative),
            ],
        )
    }

    fn settings(&self) -> Settings {
        Settings::new([
            ("lr", self.lr),
            ("weight_decay", self.weight_decay),
            ("beta1", self.betas.0),
            ("beta2", self.betas.1),
        ])
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(LionRule { maximize: self.maximize }))
    }
}

#[derive(Debug)]
struct LionRule {
    maximize: bool,
}

const SLOTS: [Slot; 1] = [Slot { name: "exp_avg", shape: SlotShape::LikeParameter }];

impl Rule for LionRule {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let lr = inputs.setting("lr")?;
        decay_by_itself(begun, lr, inputs.setting("weight_decay")?)?;
        let Begun { parameters, gradients, state } = begun;
        let [momentum] = &mut state[..] else { return Err(wrong_state()) };
        let mut direction = momentum.copied()?;
        direction.lerp_(gradients, 1.0 - inputs.setting("beta1")?)?;
        momentum.lerp_(gradients, 1.0 - inputs.setting("beta2")?)?;
        parameters.add_(&direction.sign()?, -lr)
    }
}

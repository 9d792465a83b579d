//! Steps scaled by the sum of all squared gradients.

use crate::native::{AdagradOptions, AdagradStep, NativeError, TensorList, fused_adagrad};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// Adagrad: steps scaled by the sum of all squared gradients so far (Duchi et al., 2011), as `torch.optim.Adagrad`.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::Adagrad::new(0.1), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // the first step is as long as the learning rate, whatever the gradient's size
    /// assert!((f64::try_from(&weight)? - 0.9).abs() < 1e-5);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct Adagrad {
        /// Learning rate, above 0.
        #[config(example = 0.01, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// The learning rate of update n is divided by `1 + (n - 1) * lr_decay`.
        #[config(default = 0.0, range = 0.0..)]
        pub lr_decay: f64,
        /// How much of the parameter is added to its gradient.
        #[config(default = 0.0, range = 0.0..)]
        pub weight_decay: f64,
        /// What the sums start with.
        #[config(default = 0.0, range = 0.0..)]
        pub initial_sum: f64,
        /// Added to the denominator, so that a gradient of zero does not divide by zero.
        #[config(default = 1e-10, range = 0.0..)]
        pub eps: f64,
    }
    /// Adagrad with everything but the learning rate as PyTorch has it.
    new { lr_decay: 0.0, weight_decay: 0.0, initial_sum: 0.0, eps: 1e-10 }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Adagrad {
    fn name(&self) -> &'static str {
        "Adagrad"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges(
            "Adagrad",
            &[
                ("lr", self.lr, Allowed::Positive),
                ("lr_decay", self.lr_decay, Allowed::NotNegative),
                ("weight_decay", self.weight_decay, Allowed::NotNegative),
                ("initial_sum", self.initial_sum, Allowed::NotNegative),
                ("eps", self.eps, Allowed::NotNegative),
            ],
        )
    }

    fn settings(&self) -> Settings {
        Settings::new([
            ("lr", self.lr),
            ("weight_decay", self.weight_decay),
            ("lr_decay", self.lr_decay),
            ("eps", self.eps),
        ])
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(AdagradAlgorithm { initial_sum: self.initial_sum, maximize: self.maximize })
    }
}

#[derive(Debug)]
struct AdagradAlgorithm {
    initial_sum: f64,
    maximize: bool,
}

const SLOTS: [Slot; 2] =
    [Slot { name: "sum", shape: SlotShape::LikeParameter }, Slot { name: "step", shape: SlotShape::Count }];

impl Algorithm for AdagradAlgorithm {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn step(
        &self,
        parameters: &TensorList,
        state: &mut [TensorList],
        inputs: &StepInputs<'_>,
    ) -> Result<(), NativeError> {
        let [sums, steps] = state else { return Err(wrong_state()) };
        let options = AdagradOptions {
            lr: inputs.setting("lr")?,
            lr_decay: inputs.setting("lr_decay")?,
            weight_decay: inputs.setting("weight_decay")?,
            eps: inputs.setting("eps")?,
            initial_sum: self.initial_sum,
            maximize: self.maximize,
        };
        fused_adagrad(AdagradStep { parameters, sums, steps, options, scaling: inputs.scaling() })
    }
}

//! Adam, and the computation it shares with AdamW.

use crate::native::{AdamOptions, AdamStep, NativeError, TensorList, fused_adam};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// Adam: steps scaled by running means of the gradient and of its square (Kingma and Ba, 2015), as
    /// `torch.optim.Adam`. Weight decay is added to the gradient; [`AdamW`](crate::optim::AdamW) decays the
    /// parameters themselves.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &Adam::new(0.1), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // the first step is as long as the learning rate, whatever the gradient's size
    /// assert!((f64::try_from(&weight)? - 0.9).abs() < 1e-5);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct Adam {
        /// Learning rate, above 0.
        #[config(example = 1e-3, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// Decays of the running means of the gradient and of its square, each at least 0 and below 1.
        #[config(default = (0.9, 0.999), range = 0.0..1.0)]
        pub betas: (f64, f64),
        /// Added to the denominator, so that a gradient of zero does not divide by zero.
        #[config(default = 1e-8, range = 0.0..)]
        pub eps: f64,
        /// How much of the parameter is added to its gradient.
        #[config(default = 0.0, range = 0.0..)]
        pub weight_decay: f64,
        /// Divide by the largest mean of squares so far instead of the present one (Reddi et al., 2018).
        #[config(default = false)]
        pub amsgrad: bool,
    }
    /// Adam with everything but the learning rate as PyTorch has it.
    new { betas: defaults::betas(), eps: defaults::eps(), weight_decay: 0.0, amsgrad: false }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Adam {
    fn name(&self) -> &'static str {
        "Adam"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_adam("Adam", self.lr, self.betas, self.eps, self.weight_decay)
    }

    fn settings(&self) -> Settings {
        adam_settings(self.lr, self.betas, self.eps, self.weight_decay)
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(AdamAlgorithm { decoupled: false, amsgrad: self.amsgrad, maximize: self.maximize })
    }
}

/// What Adam and AdamW have in common.
#[derive(Debug)]
pub(super) struct AdamAlgorithm {
    pub(super) decoupled: bool,
    pub(super) amsgrad: bool,
    pub(super) maximize: bool,
}

const SLOTS: [Slot; 4] = [
    Slot { name: "exp_avg", shape: SlotShape::LikeParameter },
    Slot { name: "exp_avg_sq", shape: SlotShape::LikeParameter },
    Slot { name: "step", shape: SlotShape::Count },
    Slot { name: "max_exp_avg_sq", shape: SlotShape::LikeParameter },
];

impl Algorithm for AdamAlgorithm {
    fn slots(&self) -> &'static [Slot] {
        if self.amsgrad { &SLOTS } else { &SLOTS[..3] }
    }

    fn can_be_recorded(&self) -> bool {
        true
    }

    fn step(
        &self,
        parameters: &TensorList,
        state: &mut [TensorList],
        inputs: &StepInputs<'_>,
    ) -> Result<(), NativeError> {
        let [exp_avgs, exp_avg_sqs, steps, rest @ ..] = state else { return Err(wrong_state()) };
        let options = AdamOptions {
            lr: inputs.setting("lr")?,
            beta1: inputs.setting("beta1")?,
            beta2: inputs.setting("beta2")?,
            eps: inputs.setting("eps")?,
            weight_decay: inputs.setting("weight_decay")?,
            decoupled: self.decoupled,
            amsgrad: self.amsgrad,
            maximize: self.maximize,
        };
        let max_exp_avg_sqs = rest.first_mut();
        let scaling = inputs.scaling();
        fused_adam(AdamStep { parameters, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, options, scaling })
    }
}

pub(super) fn check_adam(
    owner: &str,
    lr: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
) -> Result<(), OptimError> {
    check_ranges(
        owner,
        &[
            ("lr", lr, Allowed::Positive),
            ("betas.0", betas.0, Allowed::BelowOne),
            ("betas.1", betas.1, Allowed::BelowOne),
            ("eps", eps, Allowed::NotNegative),
            ("weight_decay", weight_decay, Allowed::NotNegative),
        ],
    )
}

pub(super) fn adam_settings(lr: f64, betas: (f64, f64), eps: f64, weight_decay: f64) -> Settings {
    Settings::new([("lr", lr), ("weight_decay", weight_decay), ("beta1", betas.0), ("beta2", betas.1), ("eps", eps)])
}

/// PyTorch's.
pub(super) mod defaults {
    pub(in crate::optim) fn betas() -> (f64, f64) {
        (0.9, 0.999)
    }

    pub(in crate::optim) fn eps() -> f64 {
        1e-8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_out_of_its_range_is_named_with_what_is_allowed() {
        let error = Adam { betas: (0.9, 1.0), ..Adam::new(1e-3) }.check().unwrap_err().to_string();
        assert_eq!(error, "`betas.1` of `Adam` must be at least 0 and below 1, got 1");
        for lr in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Adam::new(lr).check().is_err(), "{lr}");
        }
    }

    #[test]
    fn only_the_learning_rate_is_required_in_a_file_and_unknown_keys_are_refused() {
        assert_eq!(ron::from_str::<Adam>("(lr: 0.1)").unwrap(), Adam::new(0.1));
        assert!(ron::from_str::<Adam>("()").is_err());
        assert!(ron::from_str::<Adam>("(lr: 0.1, beta: 1)").is_err());
    }
}

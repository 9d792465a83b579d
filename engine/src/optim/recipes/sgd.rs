//! Stochastic gradient descent.

use crate::native::{NativeError, SgdOptions, SgdStep, TensorList, fused_sgd};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::groups::{GroupRule, GroupRules};
use crate::optim::layer_decay::LayerDecay;
use crate::optim::optimizer::Optimizer;
use crate::optim::settings::Settings;
use engine_macros::component;

/// Stochastic gradient descent, with momentum if asked for, as `torch.optim.SGD`.
///
/// ```
/// use engine::optim::Optim;
/// use engine::prelude::*;
///
/// let weight = Tensor::from(1.0f32).set_requires_grad(true);
/// let parameters = vec![("weight".to_owned(), weight.shallow_clone())];
/// let mut optim = Optim::new("opt", &Sgd { momentum: 0.9, ..Sgd::new(0.1) }, parameters)?;
/// for _ in 0..2 {
///     optim.zero_grad()?;
///     (&weight * 2.0).backward(); // the gradient is 2
///     optim.step()?;
/// }
/// // by 0.1 · 2, then by 0.1 · (2 + 0.9 · 2)
/// assert!((f64::try_from(&weight)? - (1.0 - 0.2 - 0.38)).abs() < 1e-6);
/// # Ok::<(), engine::base::Error>(())
/// ```
#[component(optimizer)]
#[derive(PartialEq)]
pub struct Sgd {
    /// Learning rate, above 0.
    #[config(example = 0.1, range = f64::MIN_POSITIVE..)]
    pub lr: f64,
    /// How much of the last direction is kept, at least 0 and below 1; 0 is none.
    #[config(default = 0.0, range = 0.0..1.0)]
    pub momentum: f64,
    /// How much of the gradient is kept out of the momentum, from the second update on.
    #[config(default = 0.0, range = 0.0..)]
    pub dampening: f64,
    /// How much of the parameter is added to its gradient.
    #[config(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// Look ahead along the momentum (Nesterov); needs a momentum above 0 and no dampening.
    #[config(default = false)]
    pub nesterov: bool,
    /// Go up the gradient instead of down.
    #[config(default = false)]
    pub maximize: bool,
    /// Rules for parameters that get other settings, by name; the first that matches wins.
    #[config(default)]
    pub groups: Vec<GroupRule>,
    /// No weight decay for parameters of at most one dimension: biases, and the scales of norms.
    #[config(default = false)]
    pub no_decay_on_bias_and_norm: bool,
    /// Smaller learning rates for lower layers.
    #[config(default)]
    pub layer_decay: Option<LayerDecay>,
}

impl Sgd {
    /// Plain gradient descent: everything but the learning rate as PyTorch has it.
    pub fn new(lr: f64) -> Self {
        Sgd {
            lr,
            momentum: 0.0,
            dampening: 0.0,
            weight_decay: 0.0,
            nesterov: false,
            maximize: false,
            groups: Vec::new(),
            no_decay_on_bias_and_norm: false,
            layer_decay: None,
        }
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Sgd {
    fn name(&self) -> &'static str {
        "Sgd"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges(
            "Sgd",
            &[
                ("lr", self.lr, Allowed::Positive),
                ("momentum", self.momentum, Allowed::BelowOne),
                ("dampening", self.dampening, Allowed::NotNegative),
                ("weight_decay", self.weight_decay, Allowed::NotNegative),
            ],
        )?;
        if self.nesterov && (self.momentum == 0.0 || self.dampening != 0.0) {
            return Err(OptimError::Contradiction {
                owner: "Sgd".into(),
                why: "`nesterov` needs a `momentum` above 0 and a `dampening` of 0".into(),
            });
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new([
            ("lr", self.lr),
            ("weight_decay", self.weight_decay),
            ("momentum", self.momentum),
            ("dampening", self.dampening),
        ])
    }

    fn groups(&self) -> GroupRules<'_> {
        GroupRules {
            rules: &self.groups,
            no_decay_on_bias_and_norm: self.no_decay_on_bias_and_norm,
            layer_decay: self.layer_decay.as_ref(),
        }
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(SgdAlgorithm { nesterov: self.nesterov, maximize: self.maximize })
    }
}

#[derive(Debug)]
struct SgdAlgorithm {
    nesterov: bool,
    maximize: bool,
}

impl Algorithm for SgdAlgorithm {
    fn slots(&self) -> &'static [Slot] {
        &[Slot { name: "momentum_buffer", shape: SlotShape::LikeParameter }]
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
        let [momentum_buffers] = state else { return Err(wrong_state()) };
        let momentum = inputs.setting("momentum")?;
        let options = SgdOptions {
            lr: inputs.setting("lr")?,
            momentum,
            dampening: inputs.setting("dampening")?,
            weight_decay: inputs.setting("weight_decay")?,
            // a schedule may bring the momentum down to zero
            nesterov: self.nesterov && momentum != 0.0,
            maximize: self.maximize,
        };
        fused_sgd(SgdStep { parameters, momentum_buffers, options, scaling: inputs.scaling() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesterov_without_momentum_is_refused() {
        let error = Sgd { nesterov: true, ..Sgd::new(0.1) }.check().unwrap_err().to_string();
        assert_eq!(error, "`Sgd`: `nesterov` needs a `momentum` above 0 and a `dampening` of 0");
        assert!(Sgd { nesterov: true, momentum: 0.9, ..Sgd::new(0.1) }.check().is_ok());
    }
}

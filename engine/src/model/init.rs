//! Initial values of weights that an experiment sets.

use crate::base::pattern;
use crate::model::entry::ModelEntry;
use crate::model::error::ModelError;
use engine_macros::component;
use tch::nn::Init;
use tch::{Tensor, nn};

/// Another start for the parameters whose name matches a pattern.
#[component]
#[derive(PartialEq)]
pub struct InitRule {
    /// The parameter's whole name, where `*` stands for any text (dots too) and `?` for one character.
    pub pattern: String,
    /// The values.
    pub with: Start,
}

/// The values that a parameter starts with. `fan_in` is `size[1] · size[2] · …` of the tensor, `fan_out` is
/// `size[0] · size[2] · …`, as in PyTorch.
#[component]
#[derive(Copy, PartialEq)]
pub enum Start {
    /// The same everywhere.
    Constant {
        /// The value.
        value: f64,
    },
    /// Normally distributed.
    Normal {
        /// The middle.
        mean: f64,
        /// The standard deviation, at least 0.
        std: f64,
    },
    /// Uniform.
    Uniform {
        /// The lower end.
        low: f64,
        /// The upper end, not below the lower one.
        high: f64,
    },
    /// Uniform in ±gain · √(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).
    XavierUniform {
        /// 1 for linear layers.
        gain: f64,
    },
    /// Normally distributed with the standard deviation gain · √(2 / (fan_in + fan_out)).
    XavierNormal {
        /// 1 for linear layers.
        gain: f64,
    },
    /// Uniform in ±gain · √(3 / fan) (He et al., 2015).
    KaimingUniform {
        /// √2 before a ReLU.
        gain: f64,
        /// Whether the variance of activations (`In`) or of gradients (`Out`) is kept.
        fan: Fan,
    },
    /// Normally distributed with the standard deviation gain / √fan.
    KaimingNormal {
        /// √2 before a ReLU.
        gain: f64,
        /// Whether the variance of activations (`In`) or of gradients (`Out`) is kept.
        fan: Fan,
    },
    /// A matrix with orthogonal rows or columns, times a gain (Saxe et al., 2014).
    Orthogonal {
        /// 1 for linear layers.
        gain: f64,
    },
}

/// Inputs or outputs of a layer.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Fan {
    /// Inputs of one output.
    In,
    /// Outputs of one input.
    Out,
}

impl Start {
    /// Whether the numbers make sense.
    ///
    /// # Errors
    /// A text that names the one that does not.
    pub fn check(self) -> Result<(), String> {
        let finite = |name: &str, value: f64| match value.is_finite() {
            true => Ok(()),
            false => Err(format!("`{name}` must be finite, got {value}")),
        };
        let not_negative = |name: &str, value: f64| match value.is_finite() && value >= 0.0 {
            true => Ok(()),
            false => Err(format!("`{name}` must be finite and at least 0, got {value}")),
        };
        match self {
            Start::Constant { value } => finite("value", value),
            Start::Normal { mean, std } => finite("mean", mean).and(not_negative("std", std)),
            Start::Uniform { low, high } if low > high => Err(format!("`low` is {low} and above `high`, {high}")),
            Start::Uniform { low, high } => finite("low", low).and(finite("high", high)),
            Start::XavierUniform { gain }
            | Start::XavierNormal { gain }
            | Start::KaimingUniform { gain, .. }
            | Start::KaimingNormal { gain, .. }
            | Start::Orthogonal { gain } => not_negative("gain", gain),
        }
    }

    /// New values for a parameter of this shape, drawn from libtorch's generator of its device.
    fn values(self, parameter: &Tensor) -> Result<Tensor, String> {
        let size = parameter.size();
        self.check()?;
        let fans = || fans(&size);
        let init = match self {
            Start::Constant { value } => Init::Const(value),
            Start::Normal { mean, std } => Init::Randn { mean, stdev: std },
            Start::Uniform { low, high } => Init::Uniform { lo: low, up: high },
            Start::XavierUniform { gain } => {
                let (inputs, outputs) = fans()?;
                within(gain * (6.0 / (inputs + outputs)).sqrt())
            }
            Start::XavierNormal { gain } => {
                let (inputs, outputs) = fans()?;
                Init::Randn { mean: 0.0, stdev: gain * (2.0 / (inputs + outputs)).sqrt() }
            }
            Start::KaimingUniform { gain, fan } => within(gain * (3.0 / fan.of(fans()?)).sqrt()),
            Start::KaimingNormal { gain, fan } => Init::Randn { mean: 0.0, stdev: gain / fan.of(fans()?).sqrt() },
            Start::Orthogonal { gain } => {
                fans()?;
                Init::Orthogonal { gain }
            }
        };
        nn::f_init(init, &size, parameter.device(), parameter.kind()).map_err(|error| error.to_string())
    }
}

impl Fan {
    fn of(self, (inputs, outputs): (f64, f64)) -> f64 {
        match self {
            Fan::In => inputs,
            Fan::Out => outputs,
        }
    }
}

fn within(bound: f64) -> Init {
    Init::Uniform { lo: -bound, up: bound }
}

/// Inputs of one output, and outputs of one input.
fn fans(size: &[i64]) -> Result<(f64, f64), String> {
    match size {
        [outputs, inputs, rest @ ..] => {
            let rest = rest.iter().product::<i64>().max(1) as f64;
            Ok(((*inputs).max(1) as f64 * rest, (*outputs).max(1) as f64 * rest))
        }
        _ => Err(format!(
            "it has shape {size:?}, and this rule needs at least two dimensions; use another rule, such as `Constant`"
        )),
    }
}

impl ModelEntry {
    /// Gives new values to the parameters that rules name, each by the first rule that fits. `full_name` is the name of a
    /// variable as patterns see it; `used` notes which rules have fitted.
    pub(super) fn start_by(
        &mut self,
        rules: &[InitRule],
        full_name: &dyn Fn(&str) -> String,
        used: &mut [bool],
    ) -> Result<(), (usize, ModelError)> {
        for (name, tensor) in self.parameters() {
            let name = full_name(name);
            let Some(place) = rules.iter().position(|rule| pattern::matches(&rule.pattern, &name)) else { continue };
            used[place] = true;
            let started = rules[place].with.values(tensor).and_then(|values| {
                tch::no_grad(|| tensor.shallow_clone().f_copy_(&values)).map(drop).map_err(|error| error.to_string())
            });
            started.map_err(|why| (place, ModelError::Start { parameter: name, why }))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    /// The standard deviation of a parameter of this shape.
    fn spread(with: Start, size: &[i64]) -> f64 {
        let values = with.values(&Tensor::zeros(size, (Kind::Float, Device::Cpu))).unwrap();
        assert_eq!(values.size(), size);
        values.std(false).double_value(&[])
    }

    #[test]
    fn each_start_has_the_spread_of_its_formula() {
        // fan_in 64 · 9, fan_out 128 · 9
        let size = [128, 64, 3, 3];
        let (inputs, outputs) = (576.0f64, 1152.0);
        let near = |with: Start, expected: f64| {
            let found = spread(with, &size);
            assert!((found / expected - 1.0).abs() < 0.02, "{with:?}: {found}, expected {expected}");
        };
        near(Start::Normal { mean: 1.0, std: 0.02 }, 0.02);
        near(Start::Uniform { low: -1.0, high: 2.0 }, 3.0 / 12f64.sqrt());
        near(Start::XavierNormal { gain: 2.0 }, 2.0 * (2.0 / (inputs + outputs)).sqrt());
        near(Start::XavierUniform { gain: 2.0 }, 2.0 * (2.0 / (inputs + outputs)).sqrt());
        let gain = 2f64.sqrt();
        near(Start::KaimingNormal { gain, fan: Fan::In }, gain / inputs.sqrt());
        near(Start::KaimingUniform { gain, fan: Fan::Out }, gain / outputs.sqrt());
        assert_eq!(spread(Start::Constant { value: 0.5 }, &size), 0.0);
        let matrix =
            Start::Orthogonal { gain: 3.0 }.values(&Tensor::zeros([4, 9], (Kind::Float, Device::Cpu))).unwrap();
        let product = matrix.matmul(&matrix.tr()) - Tensor::eye(4, (Kind::Float, Device::Cpu)) * 9.0;
        assert!(product.abs().max().double_value(&[]) < 1e-4);
    }

    #[test]
    fn what_a_start_can_not_do_is_refused() {
        let bias = Tensor::zeros([4], (Kind::Float, Device::Cpu));
        let refused = |with: Start| with.values(&bias).unwrap_err();
        assert!(refused(Start::KaimingNormal { gain: 1.0, fan: Fan::In }).contains("at least two dimensions"));
        assert!(refused(Start::Orthogonal { gain: 1.0 }).contains("at least two dimensions"));
        assert!(refused(Start::Normal { mean: 0.0, std: -1.0 }).contains("`std` must be finite and at least 0"));
        assert!(refused(Start::Uniform { low: 1.0, high: 0.0 }).contains("above `high`"));
        assert!(refused(Start::Constant { value: f64::NAN }).contains("`value` must be finite"));
    }
}

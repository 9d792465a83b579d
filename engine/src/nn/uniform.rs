//! The initial values of weights in PyTorch.

use tch::nn::Init;
use tch::nn::init::{FanInOut, NonLinearity, NormalOrUniform};

/// Uniform in ±1 / √fan_in, which is `torch.nn.init.kaiming_uniform_(weight, a=math.sqrt(5))`: its gain is
/// √(2 / (1 + 5)) = 1 / √3, and its bound √3 · gain / √fan_in.
pub const PYTORCH_UNIFORM: Init = Init::Kaiming {
    dist: NormalOrUniform::Uniform,
    fan: FanInOut::FanIn,
    non_linearity: NonLinearity::ExplicitGain(0.577_350_269_189_625_8),
};

/// The same range for a bias, whose own shape does not tell how many inputs there are.
pub(super) fn bias(fan_in: i64) -> Init {
    let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
    Init::Uniform { lo: -bound, up: bound }
}

#[cfg(test)]
pub(super) mod tests {
    use tch::Tensor;

    /// Whether numbers are spread as a uniform distribution in ±`bound` is: within it, up to its ends, with its
    /// standard deviation, bound / √3, and with its mean.
    ///
    /// The numbers are drawn anew in each run, so the limits follow from how many there are: at six standard errors, right
    /// numbers fail once in 10⁸ runs.
    pub(in crate::nn) fn assert_uniform(numbers: &Tensor, bound: f64) {
        let n = numbers.numel() as f64;
        let furthest = numbers.abs().max().double_value(&[]);
        assert!(furthest <= bound && furthest > (1.0 - 20.0 / n) * bound, "{furthest} of {bound}");
        let (spread, expected) = (numbers.std(true).double_value(&[]), bound / 3f64.sqrt());
        // the standard error of a standard deviation is √((kurtosis - 1) / 4n) of it; the kurtosis is 1.8 here
        assert!((spread / expected - 1.0).abs() < 6.0 * (0.2 / n).sqrt(), "{spread}, expected {expected}");
        let mean = numbers.mean(tch::Kind::Double).double_value(&[]);
        assert!(mean.abs() < 6.0 * expected / n.sqrt(), "{mean}");
    }
}

//! Batch norm whose statistics and weights never change.

use std::borrow::Borrow;
use tch::nn::{Module, Path};
use tch::{TchError, Tensor};

/// Batch norm with fixed running statistics, weight and bias: torchvision's `FrozenBatchNorm2d`, for features
/// `[n, features, …]` of any number of dimensions.
///
/// All four are buffers with the names of [`BatchNorm`](crate::nn::BatchNorm), so that weights of a trained network can
/// be loaded: no optimizer changes them, and training and evaluation compute the same.
///
/// ```
/// use engine::prelude::*;
///
/// let store = nn::VarStore::new(Device::Cpu);
/// let norm = nn::frozen_batch_norm(store.root() / "norm", 3, 1e-5);
/// let pixels = Tensor::ones([2, 3, 4, 4], (Kind::Float, Device::Cpu));
/// assert_eq!(pixels.apply(&norm).size(), [2, 3, 4, 4]);
/// assert!(store.trainable_variables().is_empty());
/// ```
#[derive(Debug)]
pub struct FrozenBatchNorm {
    /// The running mean, `[features]`.
    pub running_mean: Tensor,
    /// The running variance, `[features]`.
    pub running_var: Tensor,
    /// The weight, `[features]`.
    pub ws: Tensor,
    /// The bias, `[features]`.
    pub bs: Tensor,
    eps: f64,
}

/// Batch norm of `[n, features, …]` with fixed statistics, which start as mean 0, variance 1, weight 1 and bias 0.
/// `eps` is added to the variance, and is that of the network whose weights are loaded.
pub fn frozen_batch_norm<'a>(vs: impl Borrow<Path<'a>>, features: i64, eps: f64) -> FrozenBatchNorm {
    let vs = vs.borrow();
    FrozenBatchNorm {
        running_mean: vs.zeros_no_train("running_mean", &[features]),
        running_var: vs.ones_no_train("running_var", &[features]),
        ws: vs.ones_no_train("weight", &[features]),
        bs: vs.zeros_no_train("bias", &[features]),
        eps,
    }
}

impl FrozenBatchNorm {
    /// The factor and the term that a feature gets, each `[features]`.
    fn factor_and_term(&self) -> Result<(Tensor, Tensor), TchError> {
        let factor = self.ws.f_mul(&self.running_var.f_add_scalar(self.eps)?.f_rsqrt()?)?;
        let term = self.bs.f_sub(&self.running_mean.f_mul(&factor)?)?;
        Ok((factor, term))
    }
}

impl Module for FrozenBatchNorm {
    /// # Panics
    /// When the input is not `[n, features, …]`. In a step, a panic is an error of the run.
    #[expect(clippy::panic, reason = "`Module` has no errors, and libtorch's operators panic too")]
    fn forward(&self, xs: &Tensor) -> Tensor {
        let features = self.ws.size()[0];
        if xs.dim() < 2 || xs.size()[1] != features {
            panic!("`frozen_batch_norm` takes [n, {features}, …], got {:?}", xs.size());
        }
        let mut shape = vec![1; xs.dim()];
        shape[1] = features;
        let applied = self.factor_and_term().and_then(|(factor, term)| {
            xs.f_mul(&factor.f_reshape(&shape)?)?.f_add(&term.f_reshape(&shape)?)?.f_to_kind(xs.kind())
        });
        match applied {
            Ok(applied) => applied,
            Err(error) => panic!("{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{BatchNormConfig, batch_norm2d};
    use tch::nn::ModuleT as _;
    use tch::{Device, Kind, nn};

    #[test]
    fn it_computes_what_batch_norm_does_in_an_evaluation() {
        let vs = nn::VarStore::new(Device::Cpu);
        let norm = batch_norm2d(vs.root() / "a", 3, BatchNormConfig::default());
        let frozen = frozen_batch_norm(vs.root() / "b", 3, 1e-5);
        tch::no_grad(|| {
            for (place, (of_norm, of_frozen)) in [
                (&norm.running_mean, &frozen.running_mean),
                (&norm.running_var, &frozen.running_var),
                (norm.ws.as_ref().unwrap(), &frozen.ws),
                (norm.bs.as_ref().unwrap(), &frozen.bs),
            ]
            .into_iter()
            .enumerate()
            {
                let values = Tensor::from_slice(&[0.5f32, 1.5, 2.5]) + place as f64 / 4.0;
                of_norm.shallow_clone().copy_(&values);
                of_frozen.shallow_clone().copy_(&values);
            }
        });
        let xs = Tensor::arange(2 * 3 * 4, (Kind::Float, Device::Cpu)).reshape([2, 3, 2, 2]) / 10.0;
        let (expected, found) = (norm.forward_t(&xs, false), frozen.forward(&xs));
        assert!(found.allclose(&expected, 1e-6, 1e-6, false));
        assert_eq!(frozen.running_mean.requires_grad(), frozen.ws.requires_grad());
    }

    #[test]
    fn another_number_of_features_is_told() {
        let vs = nn::VarStore::new(Device::Cpu);
        let norm = frozen_batch_norm(vs.root(), 3, 1e-5);
        let wrong = Tensor::ones([2, 4, 1, 1], (Kind::Float, Device::Cpu));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| norm.forward(&wrong)));
        let message = crate::base::panics::message(panicked.unwrap_err().as_ref());
        assert_eq!(message, "`frozen_batch_norm` takes [n, 3, …], got [2, 4, 1, 1]");
    }
}

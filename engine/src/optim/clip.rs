//! Clipping gradients.

use crate::base::Scalar;
use crate::native::{NativeError, clip_grad_adaptive_, clip_grad_norm_, clip_grad_norms_, clip_grad_value_};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::live::Optim;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// How gradients are clipped before an update. No kind reads a value from the device.
///
/// A gradient that is not finite has no norm to be clipped to: `train: (non_finite: Stop)` is PyTorch's
/// `error_if_nonfinite`, and `Skip` leaves the update out.
///
/// ```
/// use engine::optim::{Clip, ClipTogether};
///
/// // as a file writes it: `train: (clip: Norm(1.0))`
/// let read = |text| -> Result<Clip, engine::config::ConfigErrors> { engine::config::parse_text("example", text)?.read() };
/// assert_eq!(read("Norm(1.0)")?, Clip::Norm(1.0));
/// assert_eq!(read("Norms(max: 1.0, of: Group)")?, Clip::Norms { max: 1.0, p: 2.0, of: ClipTogether::Group });
/// assert!(Clip::Value(0.0).check().is_err());
/// # Ok::<(), engine::config::ConfigErrors>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Clip {
    /// Scales all gradients so that their 2-norm, as one vector, is at most this value.
    Norm(f64),
    /// Limits every element to the range from minus this value to this value.
    Value(f64),
    /// Scales gradients so that the norm of each part is at most a value, as `torch.nn.utils.clip_grad_norm_` with
    /// `norm_type` for each part.
    Norms {
        /// The largest norm, above 0.
        max: f64,
        /// Which norm: 1, 2, any number above 0, or `inf` for the largest element.
        #[serde(default = "two")]
        p: f64,
        /// Which gradients are one vector.
        #[serde(default)]
        of: ClipTogether,
    },
    /// Scales the gradient of each output of a layer so that its 2-norm is at most `factor` times that of its weights
    /// (AGC: Brock et al., 2021). An output is an index of the first dimension; a parameter of at most one dimension is one.
    /// The paper leaves the last linear layer out; here all parameters are clipped.
    Adaptive {
        /// The largest ratio of the norms, above 0.
        #[serde(default = "hundredth")]
        factor: f64,
        /// Weights whose norm is smaller count as if they had this one.
        #[serde(default = "thousandth")]
        eps: f64,
    },
}

/// Which gradients are clipped as one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClipTogether {
    /// Those of all optimizers of a pass.
    #[default]
    All,
    /// Those of each optimizer.
    Optimizer,
    /// Those of each parameter group.
    Group,
    /// That of each parameter.
    Parameter,
}

impl Clip {
    /// Checks the numbers.
    ///
    /// # Errors
    /// When one is not above 0, or not finite.
    pub fn check(&self) -> Result<(), OptimError> {
        match *self {
            Clip::Norm(bound) => check_ranges("clip", &[("Norm", bound, Allowed::Positive)]),
            Clip::Value(bound) => check_ranges("clip", &[("Value", bound, Allowed::Positive)]),
            Clip::Norms { max, p, of: _ } => {
                // the largest element is a norm too
                let p = if p == f64::INFINITY { 1.0 } else { p };
                check_ranges("clip", &[("Norms.max", max, Allowed::Positive), ("Norms.p", p, Allowed::Positive)])
            }
            Clip::Adaptive { factor, eps } => check_ranges(
                "clip",
                &[("Adaptive.factor", factor, Allowed::Positive), ("Adaptive.eps", eps, Allowed::NotNegative)],
            ),
        }
    }

    /// Whether it measures the norm of all gradients.
    pub(super) fn gives_norm(&self) -> bool {
        matches!(self, Clip::Norm(_) | Clip::Norms { .. })
    }

    /// Clips the gradients of the parameters of these optimizers; gives the norm that all of them had before as one vector,
    /// when it measures one.
    pub(super) fn apply<'a>(
        &self,
        optims: impl Iterator<Item = &'a Optim> + Clone,
    ) -> Result<Option<Tensor>, NativeError> {
        let all = || optims.clone().map(Optim::parameters);
        match *self {
            Clip::Norm(max) => clip_grad_norm_(all(), max, 2.0).map(Some),
            Clip::Value(max) => clip_grad_value_(all(), max).map(|()| None),
            Clip::Norms { max, p, of } => {
                let parts: Vec<Tensor> = match of {
                    ClipTogether::All => return clip_grad_norm_(all(), max, p).map(Some),
                    ClipTogether::Optimizer => {
                        all().map(|list| clip_grad_norm_([list], max, p)).collect::<Result<_, _>>()?
                    }
                    ClipTogether::Group => {
                        let groups = optims.clone().flat_map(Optim::groups);
                        groups.map(|group| clip_grad_norm_(group.lists(), max, p)).collect::<Result<_, _>>()?
                    }
                    ClipTogether::Parameter => {
                        all().map(|list| clip_grad_norms_(list, max, p)).collect::<Result<_, _>>()?
                    }
                };
                together(&parts, p).map(Some)
            }
            Clip::Adaptive { factor, eps } => {
                all().try_for_each(|list| clip_grad_adaptive_(list, factor, eps)).map(|()| None)
            }
        }
    }
}

/// The norm of a vector whose parts have these norms.
fn together(parts: &[Tensor], p: f64) -> Result<Tensor, NativeError> {
    let joined = || {
        let first = parts.first().map_or(tch::Device::Cpu, Tensor::device);
        let near: Vec<Tensor> = parts.iter().map(|part| part.f_to_device(first)).collect::<Result<_, _>>()?;
        Tensor::f_stack(&near, 0)?.f_norm_scalaropt_dim(p, [0i64].as_slice(), false)
    };
    tch::no_grad(joined).map_err(|error| NativeError::argument(format!("the norms can't be joined: {error}")))
}

fn two() -> f64 {
    2.0
}

fn hundredth() -> f64 {
    0.01
}

fn thousandth() -> f64 {
    1e-3
}

impl Optim {
    /// Clips the gradients of all its parameters; see [`clip_gradients`].
    ///
    /// # Errors
    /// When the bound makes no sense or a gradient is sparse.
    pub fn clip(&mut self, clip: &Clip) -> Result<Option<Scalar>, OptimError> {
        clip_gradients(std::slice::from_mut(self), clip)
    }
}

/// Clips the gradients of all parameters of all optimizers as one vector. With [`Clip::Norm`] it returns their norm
/// before clipping, on the device. Parameters without a gradient are ignored.
///
/// ```
/// use engine::optim::{Clip, Optim, clip_gradients};
/// use engine::prelude::*;
///
/// let weight = Tensor::from_slice(&[1.0f32, 1.0]).set_requires_grad(true);
/// let mut optims = [Optim::new("opt", &Sgd::new(0.1), vec![("weight".to_owned(), weight.shallow_clone())])?];
/// (&weight * Tensor::from_slice(&[3.0f32, 4.0])).sum(Kind::Float).backward();
/// let before = clip_gradients(&mut optims, &Clip::Norm(1.0))?.unwrap();
/// assert_eq!(before.read()?, 5.0);
/// assert!((optims[0].grad_norm()?.read()? - 1.0).abs() < 1e-5);
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When the bound makes no sense or a gradient is sparse.
pub fn clip_gradients(optims: &mut [Optim], clip: &Clip) -> Result<Option<Scalar>, OptimError> {
    clip.check()?;
    let norm = clip.apply(optims.iter());
    norm.map(|norm| norm.map(Scalar::Lazy)).map_err(|source| OptimError::Native {
        optimizer: optims.iter().map(Optim::name).collect::<Vec<_>>().join("`, `"),
        doing: "clipping the gradients".into(),
        source,
    })
}

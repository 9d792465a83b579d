//! Clipping gradients.

use crate::native::{NativeError, TensorList, clip_grad_norm_, clip_grad_value_};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// How gradients are clipped before an update.
///
/// ```
/// use engine::optim::Clip;
///
/// // as a file writes it: `train: (clip: Norm(1.0))`
/// let clip: Clip = engine::config::parse_text("example", "Norm(1.0)")?.read()?;
/// assert_eq!(clip, Clip::Norm(1.0));
/// assert!(Clip::Value(0.0).check().is_err());
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Clip {
    /// Scales all gradients so that their 2-norm, as one vector, is at most this value.
    Norm(f64),
    /// Limits every element to the range from minus this value to this value.
    Value(f64),
}

impl Clip {
    /// Checks the limit.
    ///
    /// # Errors
    /// When it is not above 0, or not finite.
    pub fn check(&self) -> Result<(), OptimError> {
        match *self {
            Clip::Norm(bound) => check_ranges("clip", &[("Norm", bound, Allowed::Positive)]),
            Clip::Value(bound) => check_ranges("clip", &[("Value", bound, Allowed::Positive)]),
        }
    }

    /// Clips the gradients of these parameters as one; with [`Clip::Norm`], gives the norm they had before.
    pub(super) fn apply<'a>(
        &self,
        lists: impl IntoIterator<Item = &'a TensorList>,
    ) -> Result<Option<Tensor>, NativeError> {
        match *self {
            Clip::Norm(max) => clip_grad_norm_(lists, max).map(Some),
            Clip::Value(max) => clip_grad_value_(lists, max).map(|()| None),
        }
    }
}

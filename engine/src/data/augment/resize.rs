//! Images of another size.

use crate::base::error::{Error, Result};
use engine_macros::component;
use tch::Tensor;

/// Makes all images of one size, without chance: bilinear, and smoothed where the image becomes smaller, as PyTorch's
/// `interpolate(mode="bilinear", antialias=True)`.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub struct Resize {
    /// Rows of pixels.
    #[config(range = 1..=65_536, example = 224)]
    pub height: i64,
    /// Columns of pixels.
    #[config(range = 1..=65_536, example = 224)]
    pub width: i64,
}

impl Resize {
    pub(in crate::data) fn apply(&self, images: &Tensor) -> Result<Tensor> {
        if self.height < 1 || self.width < 1 {
            return Err(Error::msg(format!("images can't have {} × {} pixels", self.height, self.width)));
        }
        Ok(images.f_internal_upsample_bilinear2d_aa([self.height, self.width], false, None, None)?)
    }
}

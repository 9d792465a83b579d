//! A part of an image.

use crate::base::error::{Error, Result};
use crate::random::SampleRng;
use engine_macros::component;
use tch::Tensor;

/// Cuts a part out of each image, at a random place: with `padding` alone, each image is moved by up to so many pixels, and
/// what comes in is black.
#[component]
#[derive(Copy, Default, PartialEq, Eq)]
pub struct Crop {
    /// Black pixels that are added on each side before.
    #[config(default = 0, range = 0..=65_536)]
    pub padding: i64,
    /// Height and width of the part; those of the image when they are not given.
    #[config(default)]
    pub size: Option<(i64, i64)>,
}

impl Crop {
    pub(super) fn apply(&self, images: &Tensor, rngs: &mut [SampleRng]) -> Result<Tensor> {
        let (_, _, height, width) = images.size4()?;
        let (h, w) = self.size.unwrap_or((height, width));
        let (down, right) = (height + 2 * self.padding - h, width + 2 * self.padding - w);
        if self.padding < 0 || h < 1 || w < 1 || down < 0 || right < 0 {
            return Err(Error::msg(format!(
                "a part of {h} × {w} pixels can't be cut out of an image of {height} × {width} with `padding` {}",
                self.padding
            )));
        }
        let padded = images.f_constant_pad_nd([self.padding; 4])?;
        let mut parts = Vec::with_capacity(rngs.len());
        for (index, rng) in rngs.iter_mut().enumerate() {
            let (top, left) = (rng.range(0..down + 1), rng.range(0..right + 1));
            parts.push(padded.f_get(index as i64)?.f_narrow(1, top, h)?.f_narrow(2, left, w)?);
        }
        Ok(Tensor::f_stack(&parts, 0)?)
    }
}

//! Other colours.

use super::for_each_image;
use crate::base::error::{Error, Result};
use crate::random::SampleRng;
use engine_macros::component;
use tch::Tensor;

/// Changes brightness, contrast and saturation of each image, in this order, by factors from `1 - x` to `1 + x`. Images have
/// values from 0 to 1 and one or three channels; results are cut to this range. The formulas are those of torchvision's
/// `ColorJitter`, which takes the three in a random order.
#[component]
#[derive(Copy, Default, PartialEq)]
pub struct ColorJitter {
    /// How much the brightness changes.
    #[config(default = 0.0, range = 0.0..=1.0)]
    pub brightness: f64,
    /// How much the contrast changes.
    #[config(default = 0.0, range = 0.0..=1.0)]
    pub contrast: f64,
    /// How much the saturation changes; of images with one channel nothing changes.
    #[config(default = 0.0, range = 0.0..=1.0)]
    pub saturation: f64,
}

impl ColorJitter {
    pub(super) fn apply(&self, images: &Tensor, rngs: &mut [SampleRng]) -> Result<Tensor> {
        let channels = images.size()[1];
        if channels != 1 && channels != 3 {
            return Err(Error::msg(format!("`ColorJitter` needs images with 1 or 3 channels, got {channels}")));
        }
        let changes = [self.brightness, self.contrast, self.saturation];
        let factors: Vec<[f64; 3]> =
            rngs.iter_mut().map(|rng| changes.map(|change| rng.between(1.0 - change, 1.0 + change))).collect();
        let factor = |of: usize| for_each_image(&factors.iter().map(|factors| factors[of]).collect::<Vec<_>>(), images);
        let images = images.f_mul(&factor(0)?)?.f_clamp(0.0, 1.0)?;
        let middle = gray(&images)?.f_mean_dim(&[1i64, 2, 3][..], true, None)?;
        let images = blend(&images, &middle, &factor(1)?)?;
        blend(&images, &gray(&images)?, &factor(2)?)
    }
}

/// `factor · image + (1 - factor) · other`, within 0 to 1.
fn blend(images: &Tensor, other: &Tensor, factor: &Tensor) -> Result<Tensor> {
    Ok(other.f_add(&images.f_sub(other)?.f_mul(factor)?)?.f_clamp(0.0, 1.0)?)
}

/// `[n, 1, h, w]`
fn gray(images: &Tensor) -> Result<Tensor> {
    if images.size()[1] == 1 {
        return Ok(images.shallow_clone());
    }
    let parts =
        Tensor::f_from_slice(&[0.2989, 0.587, 0.114])?.f_to_kind(images.kind())?.f_to_device(images.device())?;
    Ok(images.f_mul(&parts.f_reshape([1, 3, 1, 1])?)?.f_sum_dim_intlist(&[1i64][..], true, None)?)
}

//! Augmentation of images, as settings of a dataset.
//!
//! Promised: what happens to an image depends only on the generator of its sample, and what happens to a batch as a whole
//! only on that of the batch. So images are the same with any number of workers and after a resume.

mod affine;
mod color;
mod crop;
mod cutout;
mod flip;
mod mix;
mod normalize;
mod resize;
#[cfg(test)]
mod tests;

pub use affine::Affine;
pub use color::ColorJitter;
pub use crop::Crop;
pub use cutout::Cutout;
pub use flip::Flip;
pub use mix::{CutMix, Mixing, Mixup};
pub use normalize::{Normalize, NormalizeConfig};
pub use resize::Resize;

use crate::base::error::{Error, Result};
use crate::random::SampleRng;
use engine_macros::component;
use tch::Tensor;

/// A step of augmentation; a dataset holds a list of them: `augment: [Flip(), Crop(padding: 2), Cutout(size: 8)]`.
#[component]
#[derive(PartialEq)]
pub enum Augmentation {
    /// Mirrors some images.
    Flip(Flip),
    /// Cuts a part out of each image, at a random place.
    Crop(Crop),
    /// Makes all images of one size, without chance.
    Resize(Resize),
    /// Turns, moves and scales each image.
    Affine(Affine),
    /// Changes brightness, contrast and saturation.
    ColorJitter(ColorJitter),
    /// Blackens a square of each image.
    Cutout(Cutout),
}

/// Takes a batch of images through the steps, in order.
///
/// `images` is `[n, c, h, w]` of a floating kind, `rngs` has one generator for each image. `Dataset::batch` gets them by
/// [`Samples::rngs`](crate::data::Samples::rngs); for a single image in `Dataset::get`, make it `[1, c, h, w]` and give the
/// one generator: `std::slice::from_mut(rng)`.
///
/// ```
/// use engine::data::augment::{Augmentation, Crop, Flip, augment};
/// use engine::prelude::*;
///
/// let steps = [Augmentation::Flip(Flip::default()), Augmentation::Crop(Crop { padding: 2, size: None })];
/// let samples = Samples::new(42, vec![5, 9]);
/// let images = Tensor::rand([2, 3, 8, 8], (Kind::Float, Device::Cpu));
/// let augmented = augment(&steps, images, &mut samples.rngs("augment"))?;
/// assert_eq!(augmented.size(), [2, 3, 8, 8]);
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// When the images are not `[n, c, h, w]` of a floating kind, there is not one generator for each, or a step does not fit
/// their size.
pub fn augment(steps: &[Augmentation], images: Tensor, rngs: &mut [SampleRng]) -> Result<Tensor> {
    let size = images.size();
    if size.len() != 4 || !images.is_floating_point() {
        let kind = images.kind();
        return Err(Error::msg(format!(
            "images to augment must be [n, c, h, w] of a floating kind, got {size:?} {kind:?}"
        )));
    }
    if size[0] != rngs.len() as i64 {
        return Err(Error::msg(format!("{} images to augment and {} generators", size[0], rngs.len())));
    }
    if rngs.is_empty() {
        return Ok(images);
    }
    steps.iter().try_fold(images, |images, step| match step {
        Augmentation::Flip(flip) => flip.apply(&images, rngs),
        Augmentation::Crop(crop) => crop.apply(&images, rngs),
        Augmentation::Resize(resize) => resize.apply(&images),
        Augmentation::Affine(affine) => affine.apply(&images, rngs),
        Augmentation::ColorJitter(jitter) => jitter.apply(&images, rngs),
        Augmentation::Cutout(cutout) => cutout.apply(&images, rngs),
    })
}

/// Numbers, one for each image, in the shape `[n, 1, 1, 1]` and of the images' kind.
fn for_each_image(numbers: &[f64], images: &Tensor) -> Result<Tensor> {
    let column = Tensor::f_from_slice(numbers)?.f_to_kind(images.kind())?;
    Ok(column.f_to_device(images.device())?.f_reshape([-1, 1, 1, 1])?)
}

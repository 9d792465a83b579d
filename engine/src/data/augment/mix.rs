//! Mixed samples of a batch.

use crate::base::error::{Error, Result};
use crate::random::{SampleRng, permutation};
use engine_macros::component;
use tch::Tensor;

/// How samples of a batch are mixed; a dataset holds one as an option: `mix: Mixup(alpha: 0.2)`.
#[component]
#[derive(Copy, PartialEq)]
pub enum Mixing {
    /// Means of two images and of their classes.
    Mixup(Mixup),
    /// A rectangle of another image.
    CutMix(CutMix),
}

/// Each image becomes `λ · image + (1 - λ) · other`, and its class the same mean of both classes, with one λ for the batch
/// from the distribution Beta(α, α): H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018.
#[component]
#[derive(Copy, PartialEq)]
pub struct Mixup {
    /// The α of the distribution: 1 is uniform, and near 0 images are hardly mixed.
    #[config(default = 0.2, range = 0.01..=100.0)]
    pub alpha: f64,
}

/// A rectangle of each image comes from another one, and its class becomes the mean of both by their areas: S. Yun et al.,
/// "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features", 2019.
#[component]
#[derive(Copy, PartialEq)]
pub struct CutMix {
    /// The α of the distribution Beta(α, α) from which the share of the own image comes.
    #[config(default = 1.0, range = 0.01..=100.0)]
    pub alpha: f64,
}

impl Mixing {
    /// Mixes a batch of images `[n, c, h, w]` of classes `[n]`, i64. Gives images of the same shape, and for each class of
    /// `classes` its probability `[n, classes]`, of the images' kind, which `cross_entropy_loss` takes as a target.
    ///
    /// `rng` is that of the batch, [`Samples::batch_rng`](crate::data::Samples::batch_rng).
    ///
    /// ```
    /// use engine::data::augment::{Mixing, Mixup};
    /// use engine::prelude::*;
    ///
    /// let samples = Samples::new(42, vec![5, 9]);
    /// let images = Tensor::rand([2, 1, 8, 8], (Kind::Float, Device::Cpu));
    /// let mix = Mixing::Mixup(Mixup { alpha: 0.2 });
    /// let (images, targets) = mix.apply(&images, &Tensor::from_slice(&[3i64, 4]), 10, &mut samples.batch_rng())?;
    /// assert_eq!((images.size(), targets.size()), (vec![2, 1, 8, 8], vec![2, 10]));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// When the shapes do not fit, or a class is outside `0..classes`.
    pub fn apply(
        &self,
        images: &Tensor,
        labels: &Tensor,
        classes: i64,
        rng: &mut SampleRng,
    ) -> Result<(Tensor, Tensor)> {
        let size = images.size();
        if size.len() != 4 || labels.size() != size[..1] || !images.is_floating_point() {
            return Err(Error::msg(format!(
                "images to mix must be [n, c, h, w] of a floating kind and their classes [n], got {size:?} {:?} and {:?}",
                images.kind(),
                labels.size()
            )));
        }
        let targets = labels.f_one_hot(classes)?.f_to_kind(images.kind())?;
        let order: Vec<i64> =
            permutation(size[0] as usize, rng.stream()).into_iter().map(|index| index as i64).collect();
        let order = Tensor::f_from_slice(&order)?.f_to_device(images.device())?;
        let (others, other_targets) = (images.f_index_select(0, &order)?, targets.f_index_select(0, &order)?);
        let (images, own) = match self {
            Mixing::Mixup(Mixup { alpha }) => {
                let own = rng.beta(*alpha, *alpha);
                (others.f_lerp(images, own)?, own)
            }
            Mixing::CutMix(CutMix { alpha }) => cut_in(images, &others, *alpha, rng)?,
        };
        Ok((images, other_targets.f_lerp(&targets, own)?))
    }
}

/// Images with a rectangle of others, and the share that is their own.
fn cut_in(images: &Tensor, others: &Tensor, alpha: f64, rng: &mut SampleRng) -> Result<(Tensor, f64)> {
    let (_, _, height, width) = images.size4()?;
    let side = (1.0 - rng.beta(alpha, alpha)).sqrt();
    // the middle is any pixel, and what is outside of the image is cut away
    let mut extent = |along: i64| {
        let (middle, half) = (rng.range(0..along), (side * along as f64).round() as i64 / 2);
        let (from, to) = ((middle - half).max(0), (middle + half).min(along));
        (from, to - from)
    };
    let ((top, rows), (left, columns)) = (extent(height), extent(width));
    let mut mixed = images.f_empty_like()?;
    mixed.f_copy_(images)?;
    let part = |images: &Tensor| images.f_narrow(2, top, rows)?.f_narrow(3, left, columns);
    part(&mixed)?.f_copy_(&part(others)?)?;
    Ok((mixed, 1.0 - (rows * columns) as f64 / (height * width) as f64))
}

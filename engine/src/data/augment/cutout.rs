//! A hidden part of an image.

use super::for_each_image;
use crate::base::error::Result;
use crate::random::SampleRng;
use engine_macros::component;
use tch::{Kind, Tensor};

/// Blackens a square of each image. Its middle is any pixel, so that a part of the square may be outside: T. DeVries,
/// G. W. Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017.
#[component]
#[derive(Copy, PartialEq)]
pub struct Cutout {
    /// Pixels along a side of the square.
    #[config(range = 1..=65_536, example = 8)]
    pub size: i64,
    /// How likely an image has one.
    #[config(default = 1.0, range = 0.0..=1.0)]
    pub probability: f64,
}

impl Cutout {
    pub(super) fn apply(&self, images: &Tensor, rngs: &mut [SampleRng]) -> Result<Tensor> {
        let (_, _, height, width) = images.size4()?;
        let (mut tops, mut lefts) = (Vec::new(), Vec::new());
        for rng in rngs {
            let hidden = rng.bool(self.probability);
            let (row, column) = (rng.range(0..height), rng.range(0..width));
            let half = self.size / 2;
            // far outside, where nothing is hidden
            tops.push(if hidden { row - half } else { -height - self.size } as f64);
            lefts.push((column - half) as f64);
        }
        let within = |starts: &[f64], along: i64, shape: [i64; 4]| -> Result<Tensor> {
            let places = Tensor::f_arange(along, (Kind::Float, images.device()))?.f_reshape(shape)?;
            let from = for_each_image(starts, images)?.f_to_kind(Kind::Float)?;
            let past = places.f_ge_tensor(&from)?;
            Ok(past.f_logical_and(&places.f_lt_tensor(&from.f_add_scalar(self.size)?)?)?)
        };
        let hidden =
            within(&tops, height, [1, 1, height, 1])?.f_logical_and(&within(&lefts, width, [1, 1, 1, width])?)?;
        Ok(images.f_masked_fill(&hidden, 0.0)?)
    }
}

//! Mirrored images.

use super::for_each_image;
use crate::base::error::Result;
use crate::random::SampleRng;
use engine_macros::component;
use tch::Tensor;

/// Mirrors some images left to right, or upside down.
#[component]
#[derive(Copy, PartialEq)]
pub struct Flip {
    /// How likely an image is mirrored.
    #[config(default = 0.5, range = 0.0..=1.0)]
    pub probability: f64,
    /// Upside down instead of left to right.
    #[config(default = false)]
    pub vertical: bool,
}

impl Default for Flip {
    fn default() -> Self {
        Flip { probability: 0.5, vertical: false }
    }
}

impl Flip {
    pub(super) fn apply(&self, images: &Tensor, rngs: &mut [SampleRng]) -> Result<Tensor> {
        let flipped: Vec<f64> = rngs.iter_mut().map(|rng| f64::from(u8::from(rng.bool(self.probability)))).collect();
        let flipped = for_each_image(&flipped, images)?.f_to_kind(tch::Kind::Bool)?;
        let along = if self.vertical { 2 } else { 3 };
        Ok(images.f_flip([along])?.f_where_self(&flipped, images)?)
    }
}

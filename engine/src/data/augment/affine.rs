//! Turned, moved and scaled images.

use crate::base::error::Result;
use crate::random::SampleRng;
use engine_macros::component;
use tch::Tensor;

/// Turns, moves and scales each image around its middle, bilinear; what comes in is black.
#[component]
#[derive(Copy, PartialEq)]
pub struct Affine {
    /// An image is turned by an angle of up to so many degrees in either direction.
    #[config(default = 0.0, range = 0.0..=180.0)]
    pub degrees: f64,
    /// It is moved by up to this share of its height and width in each direction.
    #[config(default = 0.0, range = 0.0..=1.0)]
    pub translate: f64,
    /// It is made larger by a factor from this one …
    #[config(default = 1.0, range = 0.01..=100.0)]
    pub scale_from: f64,
    /// … to this one.
    #[config(default = 1.0, range = 0.01..=100.0)]
    pub scale_to: f64,
}

impl Default for Affine {
    fn default() -> Self {
        Affine { degrees: 0.0, translate: 0.0, scale_from: 1.0, scale_to: 1.0 }
    }
}

impl Affine {
    pub(super) fn apply(&self, images: &Tensor, rngs: &mut [SampleRng]) -> Result<Tensor> {
        let (_, _, height, width) = images.size4()?;
        let theta: Vec<f64> = rngs.iter_mut().flat_map(|rng| self.draw(height, width, rng)).collect();
        let theta = Tensor::f_from_slice(&theta)?.f_reshape([-1, 2, 3])?;
        let theta = theta.f_to_kind(images.kind())?.f_to_device(images.device())?;
        let grid = Tensor::f_affine_grid_generator(&theta, images.size(), false)?;
        // bilinear, black outside
        Ok(images.f_grid_sampler_2d(&grid, 0, 0, false)?)
    }

    /// Where each pixel comes from: a matrix `[2, 3]` on coordinates from -1 to 1, which is the inverse of what happens to
    /// the image.
    fn draw(&self, height: i64, width: i64, rng: &mut SampleRng) -> [f64; 6] {
        let angle = rng.between(-self.degrees, self.degrees).to_radians();
        let (right, down) =
            (rng.between(-self.translate, self.translate), rng.between(-self.translate, self.translate));
        let scale = rng.between(self.scale_from, self.scale_to);
        let (sin, cos) = (angle.sin() / scale, angle.cos() / scale);
        // a coordinate is half of the height or the width: an angle must be one of pixels
        let (h, w) = (height as f64, width as f64);
        let (a, b, c, d) = (cos, sin * h / w, -sin * w / h, cos);
        // moved by 2 · share
        [a, b, -2.0 * (a * right + b * down), c, d, -2.0 * (c * right + d * down)]
    }
}

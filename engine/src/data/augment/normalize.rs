//! Images with mean 0 and standard deviation 1, on the device.

use crate::base::error::{Error, Result};
use engine_macros::component;
use tch::{Kind, Tensor, nn};

/// Brings the channels of images to mean 0 and standard deviation 1, as the first layer of a model: on the model's device,
/// so that images can travel there as bytes. Mean and deviation are saved with the weights, and `predict` has them too.
///
/// ```
/// use engine::data::augment::{Normalize, NormalizeConfig};
/// use engine::prelude::*;
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let config = NormalizeConfig { mean: vec![0.5], std: vec![0.25] };
/// let normalize = Normalize::build(&(vs.root() / "normalize"), &config)?;
/// let bytes = Tensor::from_slice(&[255u8, 0]).view([1, 1, 1, 2]);
/// let images = normalize.apply(&bytes)?;
/// assert_eq!(Vec::<f32>::try_from(images.flatten(0, -1))?, [2.0, -2.0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Normalize {
    mean: Tensor,
    std: Tensor,
}

/// Mean and standard deviation of each channel, of values from 0 to 1: `(mean: [0.286], std: [0.353])`.
#[component]
#[derive(PartialEq)]
pub struct NormalizeConfig {
    /// The mean of each channel.
    #[config(example = vec![0.5])]
    pub mean: Vec<f64>,
    /// The standard deviation of each channel, above 0.
    #[config(example = vec![0.25])]
    pub std: Vec<f64>,
}

impl Normalize {
    /// The layer, with the buffers `mean` and `std` `[c, 1, 1]`.
    ///
    /// # Errors
    /// When there are not as many deviations as means, there is none, or a number is not finite or a deviation not above 0.
    pub fn build(vs: &nn::Path<'_>, config: &NormalizeConfig) -> Result<Self> {
        let NormalizeConfig { mean, std } = config;
        let fits = !mean.is_empty() && mean.len() == std.len();
        if !fits || !mean.iter().chain(std).all(|number| number.is_finite()) || std.iter().any(|std| *std <= 0.0) {
            return Err(Error::msg(format!(
                "normalisation needs a finite mean and a standard deviation above 0 for each channel, got `mean` {mean:?} and `std` {std:?}"
            )));
        }
        let buffer = |name: &str, numbers: &[f64]| -> Result<Tensor> {
            let mut buffer = vs.f_zeros_no_train(name, &[numbers.len() as i64, 1, 1])?;
            let values = Tensor::f_from_slice(numbers)?.f_reshape([-1, 1, 1])?.f_to_kind(Kind::Float)?;
            tch::no_grad(|| buffer.f_copy_(&values))?;
            Ok(buffer)
        };
        Ok(Normalize { mean: buffer("mean", mean)?, std: buffer("std", std)? })
    }

    /// Images `[n, c, h, w]`, of bytes or of floats from 0 to 1, to floats of mean 0 and standard deviation 1.
    ///
    /// # Errors
    /// When the images have another number of channels.
    pub fn apply(&self, images: &Tensor) -> Result<Tensor> {
        let images = match images.kind() {
            Kind::Uint8 => images.f_to_kind(self.mean.kind())?.f_div_scalar(255.0)?,
            _ => images.shallow_clone(),
        };
        Ok(images.f_sub(&self.mean)?.f_div(&self.std)?)
    }
}

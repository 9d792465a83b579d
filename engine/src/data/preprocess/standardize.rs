//! Numbers of mean 0 and deviation 1.

use crate::base::state::{Saved, StateError, StateMap, StateValue};
use crate::base::{Error, Result};
use crate::data::preprocess::Preprocessor;
use std::cell::RefCell;
use tch::{Device, Kind, Tensor};

/// Settings of [`Standardize`].
#[engine_macros::component]
pub struct StandardizeConfig {
    /// Whether the mean of each feature is subtracted.
    #[config(default = true)]
    pub mean: bool,
    /// Whether each feature is divided by its standard deviation. A feature whose values are all equal is not divided.
    #[config(default = true)]
    pub deviation: bool,
}

impl Default for StandardizeConfig {
    fn default() -> Self {
        StandardizeConfig { mean: true, deviation: true }
    }
}

/// Shifts and scales each feature by the mean and the standard deviation of the samples that it was fitted on, those of
/// scikit-learn's `StandardScaler` (of the population: the sum is divided by n). They are computed in `Double`.
#[derive(Debug)]
pub struct Standardize {
    /// `[features]`, `Float`, on the CPU.
    mean: Tensor,
    /// `[features]`, `Float`, on the CPU; 1 where nothing is divided.
    scale: Tensor,
    /// Both, where batches were last.
    placed: RefCell<Option<(Device, Tensor, Tensor)>>,
}

impl Standardize {
    /// Samples `[n, features]` on any device, with numbers of mean 0 and deviation 1; of kind `Float`. They are copied to a
    /// device once.
    ///
    /// # Errors
    /// When the number of features is another one.
    pub fn apply(&self, samples: &Tensor) -> Result<Tensor> {
        let features = self.mean.size1()?;
        if samples.size().last() != Some(&features) {
            return Err(Error::msg(format!(
                "the preprocessor `Standardize` was fitted on samples of {features} features, and these have the shape {:?}",
                samples.size()
            )));
        }
        let device = samples.device();
        let mut placed = self.placed.borrow_mut();
        let (_, mean, scale) = match placed.take().filter(|(on, ..)| *on == device) {
            Some(there) => placed.insert(there),
            None => placed.insert((device, self.mean.f_to_device(device)?, self.scale.f_to_device(device)?)),
        };
        Ok(samples.f_to_kind(Kind::Float)?.f_sub(mean)?.f_div(scale)?)
    }

    /// The mean of each feature, `[features]`.
    pub fn mean(&self) -> &Tensor {
        &self.mean
    }

    /// What each feature is divided by, `[features]`.
    pub fn scale(&self) -> &Tensor {
        &self.scale
    }
}

impl Preprocessor<Tensor> for Standardize {
    type Config = StandardizeConfig;

    /// Fits it on samples `[n, features]`.
    fn fit(config: &StandardizeConfig, samples: &Tensor) -> Result<Self> {
        let _guard = tch::no_grad_guard();
        let [n, features] = *samples.size() else {
            return Err(Error::msg(format!(
                "it takes samples [n, features], and these have the shape {:?}",
                samples.size()
            )));
        };
        if n == 0 || features == 0 {
            return Err(Error::msg(format!(
                "there are {n} samples of {features} features, and it needs at least one of each"
            )));
        }
        let samples = samples.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?;
        let finite = samples.f_isfinite()?.f_all_dim(0, false)?;
        if let Some(feature) = Vec::<bool>::try_from(&finite)?.iter().position(|finite| !finite) {
            return Err(Error::msg(format!(
                "feature {feature} has values that are NaN or infinite; fill them in, or leave their samples out"
            )));
        }
        let mean = samples.f_mean_dim(0, false, Kind::Double)?;
        let deviation = samples.f_std_dim(0, false, false)?;
        // the deviation of equal numbers is seldom exactly 0: rounding is no reason to divide by it
        let rounding = mean.f_abs()?.f_mul_scalar(10.0 * f64::EPSILON)?;
        let constant = deviation.f_le_tensor(&rounding)?;
        let mean = if config.mean { mean } else { mean.f_zeros_like()? };
        let scale = match config.deviation {
            true => deviation.f_masked_fill(&constant, 1.0)?,
            false => deviation.f_ones_like()?,
        };
        Ok(Standardize {
            mean: mean.f_to_kind(Kind::Float)?,
            scale: scale.f_to_kind(Kind::Float)?,
            placed: RefCell::default(),
        })
    }
}

#[diagnostic::do_not_recommend]
impl Saved for Standardize {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("mean", &self.mean);
        map.put("scale", &self.scale);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        let (mean, scale): (Tensor, Tensor) = (map.take("mean")?, map.take("scale")?);
        if mean.dim() != 1 || mean.size() != scale.size() || mean.kind() != Kind::Float || scale.kind() != Kind::Float {
            let why = format!("the mean is {:?} and the scale {:?}, expected two rows of `Float`", mean, scale);
            return Err(StateError::Unfit { name: String::new(), why });
        }
        Ok(Standardize { mean, scale, placed: RefCell::default() })
    }
}

//! Points in four dimensions, of three classes: a function of their index, with noise from the sample's generator.

use engine::base::Result;
use engine::data::{Dataset, Infinite, Loader, LoaderConfig};
use engine::random::SampleRng;
use serde::{Deserialize, Serialize};
use tch::Tensor;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PointsConfig {
    pub samples: usize,
    pub noise: bool,
}

pub struct Points(PointsConfig);

impl Dataset for Points {
    type Config = PointsConfig;
    type Item = (Tensor, i64);

    fn open(config: &PointsConfig) -> Result<Self> {
        Ok(Points(config.clone()))
    }

    fn len(&self) -> usize {
        self.0.samples
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<(Tensor, i64)> {
        let noise = if self.0.noise { rng.uniform_f32() } else { 0.0 };
        let x: Vec<f32> = (0..4).map(|at| ((index * 7 + at * 3) % 11) as f32 / 11.0 + noise).collect();
        Ok((Tensor::from_slice(&x), (index % 3) as i64))
    }
}

/// A loader of points.
pub fn loader(
    name: &str,
    samples: usize,
    noise: bool,
    change: impl FnOnce(&mut LoaderConfig<PointsConfig>),
) -> Loader<Points> {
    let mut config = LoaderConfig::new(PointsConfig { samples, noise }, 2);
    change(&mut config);
    Loader::open(name, &config, 7).unwrap()
}

/// The sampler that never ends.
pub fn infinite() -> Infinite {
    ron::from_str("()").unwrap()
}

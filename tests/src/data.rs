//! Points in three heaps, made by a formula.

use engine::prelude::*;
use std::path::PathBuf;
use std::time::Duration;

/// Numbers of a point.
pub const NUMBERS: i64 = 4;

/// Heaps, which are the classes.
pub const CLASSES: i64 = 3;

/// A number of a point, without noise.
fn number(part: u64, index: usize, axis: i64) -> f32 {
    let place = index as f32 * 0.7 + axis as f32 * 1.3 + part as f32 * 2.9;
    let centre = if axis == index as i64 % CLASSES { 1.5 } else { 0.0 };
    centre + place.sin()
}

/// The first points of a part, without noise: `[samples, 4]`.
pub fn points(part: u64, samples: usize) -> Tensor {
    let numbers = (0..samples).flat_map(|index| (0..NUMBERS).map(move |axis| number(part, index, axis)));
    Tensor::from_slice(&numbers.collect::<Vec<f32>>()).reshape([-1, NUMBERS])
}

/// What an experiment says about points: `Points(samples: 40, noise: 0.1)`.
#[component(dataset)]
pub struct PointsConfig {
    /// How many there are.
    #[config(example = 40)]
    pub samples: usize,
    /// Another number gives other points.
    #[config(default = 0)]
    pub part: u64,
    /// How far a number is moved at most, anew whenever the point is read.
    #[config(default = 0.0, range = 0.0..=10.0)]
    pub noise: f64,
    /// A file that has to be there when the points are opened.
    #[config(default)]
    pub path: Option<PathBuf>,
    /// The point whose numbers are none.
    #[config(default)]
    pub spoiled: Option<usize>,
    /// The point that can't be read.
    #[config(default)]
    pub broken: Option<usize>,
    /// The point whose reading panics.
    #[config(default)]
    pub panics: Option<usize>,
    /// The point whose reading takes an hour.
    #[config(default)]
    pub stuck: Option<usize>,
}

/// The points of one part.
pub struct Points {
    config: PointsConfig,
}

impl Dataset for Points {
    type Config = PointsConfig;
    /// A point `[4]` and its heap.
    type Item = (Tensor, i64);

    fn open(config: &PointsConfig) -> Result<Self> {
        if let Some(path) = &config.path {
            std::fs::metadata(path).with_context(|| format!("`{}` can't be opened", path.display()))?;
        }
        Ok(Points { config: config.clone() })
    }

    fn len(&self) -> usize {
        self.config.samples
    }

    #[expect(clippy::panic, reason = "a panic is what is asked for")]
    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<(Tensor, i64)> {
        if self.config.broken == Some(index) {
            return Err(Error::msg("the point is broken"));
        }
        if self.config.panics == Some(index) {
            // what a library below a dataset does; slices are indexed out of bounds every day
            panic!("the reader fell over");
        }
        if self.config.stuck == Some(index) {
            std::thread::sleep(Duration::from_secs(3600));
        }
        let class = index as i64 % CLASSES;
        let mut along = |axis: i64| {
            number(self.config.part, index, axis) + rng.between(-1.0, 1.0) as f32 * self.config.noise as f32
        };
        let spoils = if self.config.spoiled == Some(index) { f32::NAN } else { 0.0 };
        let numbers: Vec<f32> = (0..NUMBERS).map(|axis| along(axis) + spoils).collect();
        Ok((Tensor::from_slice(&numbers), class))
    }
}

//! Components of every kind.

use engine::base::Clock;
use engine::data::{Order, Pass, Population, Sampler};
use engine::loops::{BatchStep, StepProcessor};
use engine::optim::schedule::{Window, WindowPosition};
use engine::optim::{Algorithm, GroupRules, OptimError, Schedule, Settings};
use engine::prelude::*;
use serde::{Deserialize, Serialize};

// case: an enum with and without fields, with derives of the user's own
/// How to normalise.
#[component]
#[derive(PartialEq, Default)]
pub enum Norm {
    /// Not at all.
    #[default]
    None,
    /// Over the batch.
    Batch {
        /// Added to the variance.
        eps: f64,
    },
    /// Over groups.
    Group(usize),
}

// case: serde's derives that are there already, below the attribute
/// A kernel.
#[component]
#[derive(serde::Serialize, serde::Deserialize)]
pub struct KernelConfig {
    /// Its side.
    #[config(default = 3, range = 1..)]
    pub side: i64,
}

/// An edge.
#[component]
#[derive(Serialize, Deserialize, Clone, Copy)]
pub enum Edge {
    /// Zeros.
    Zeros,
    /// The image again, the other way around.
    Mirror,
}

// case: settings within settings; required keys; derives that are there already
/// A block.
#[component]
#[derive(Clone, PartialEq, Debug)]
pub struct BlockConfig {
    /// Normalisation.
    #[config(default)]
    pub norm: Norm,
    /// Channels.
    pub channels: Vec<i64>,
    /// A share.
    #[config(range = 0.0..=1.0)]
    pub dropout: Option<f64>,
    /// Files that have to be there.
    #[config(default, exists)]
    pub weights: Vec<std::path::PathBuf>,
}

mod seconds {
    use engine::__private::serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(*value)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        u64::deserialize(deserializer)
    }
}

/// What serde need not know.
#[derive(Clone, Debug, Default)]
pub struct Opaque;

// case: fields that serde reads in a way of their own
/// A wait.
#[component(name = "Wait")]
pub struct Waiting {
    /// How long.
    #[serde(with = "seconds")]
    pub time: u64,
    /// Not in the file.
    #[serde(skip)]
    pub handle: Opaque,
}

// case: a schedule
/// Down in a line.
#[component(schedule)]
pub struct Down {
    /// Updates.
    #[config(default = 100, range = 1..)]
    pub iters: u64,
}

impl Schedule for Down {
    fn window(&self) -> Window<'_> {
        Window { by: Clock::Iter, begin: None, end: None, length: Some(self.iters), setting: "lr", groups: &[] }
    }
    fn factor(&self, _place: WindowPosition) -> f64 {
        0.5
    }
    fn check(&self) -> Result<(), OptimError> {
        Ok(())
    }
}

// case: a sampler
/// Every second sample.
#[component(sampler)]
pub struct Second {}

impl Sampler for Second {
    fn order(&self, data: &Population<'_>, _: &Pass) -> Result<Order> {
        Ok(Order::List((0..data.len).step_by(2).collect()))
    }
}

// case: a step processor
/// The first half of each batch.
#[component(step)]
pub struct FirstHalf {}

impl StepProcessor for FirstHalf {
    fn process(&self, batch: &mut dyn BatchStep) -> Result<()> {
        let half = batch.samples().div_ceil(2);
        batch.compute_samples(0..half)
    }
}

// case: an optimizer, which is its own settings
/// Another name for AdamW.
#[component(optimizer)]
pub struct Renamed {
    /// The recipe itself.
    pub inner: AdamW,
}

impl Optimizer for Renamed {
    fn name(&self) -> &'static str {
        "Renamed"
    }
    fn check(&self) -> Result<(), OptimError> {
        self.inner.check()
    }
    fn settings(&self) -> Settings {
        self.inner.settings()
    }
    fn groups(&self) -> GroupRules<'_> {
        self.inner.groups()
    }
    fn algorithm(&self) -> Box<dyn Algorithm> {
        self.inner.algorithm()
    }
}

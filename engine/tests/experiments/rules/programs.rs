//! Trainers with other clocks and loaders each, whose experiments the rules are about.

use engine::prelude::*;
use std::path::PathBuf;

#[component]
pub struct EmptyConfig {}

pub struct Empty;

impl Model for Empty {
    type Config = EmptyConfig;
    fn build(_: &nn::Path<'_>, _: &EmptyConfig) -> Result<Self> {
        Ok(Empty)
    }
}

#[component(dataset)]
pub struct NothingConfig {
    /// What is looked for.
    #[config(default, exists)]
    files: Vec<PathBuf>,
    #[config(exists)]
    one: Option<PathBuf>,
}

pub struct Nothing;

impl Dataset for Nothing {
    type Config = NothingConfig;
    type Item = Tensor;
    fn open(_: &NothingConfig) -> Result<Self> {
        Ok(Nothing)
    }
    fn len(&self) -> usize {
        0
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<Tensor> {
        Err(Error::msg("there is none"))
    }
}

/// Counts samples: of what it says, nothing is better.
#[component(metric)]
#[derive(Debug)]
pub struct Samples {
    #[config(default = "samples")]
    name: String,
    #[state]
    samples: u64,
}

impl Metric for Samples {
    fn update(&mut self, _: &Output, size: usize) -> Result<()> {
        self.samples += size as u64;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![(self.name.clone(), self.samples as f64)])
    }
    fn reset(&mut self) {
        self.samples = 0;
    }
    fn merge(&mut self, _: StateMap) -> Result<()> {
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name.clone(), Better::Neither)]
    }
}

/// A hook as users write them: it registers nothing anywhere.
#[hook]
pub struct Watcher {
    /// What it watches.
    #[config(default = "val/loss")]
    monitor: MetricName,
    /// What it counts on.
    #[config(default = Clock::Epoch)]
    by: Clock,
}

#[phases]
impl Watcher {
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.say(&format!("{} by {}", self.monitor, self.by))
    }
}

#[trainer(by_epoch)]
pub struct Epochs {
    #[model]
    _net: Empty,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Nothing>,
    #[loader(val)]
    val: Loader<Nothing>,
    #[loader(val)]
    hard: Loader<Nothing>,
    #[loader(test)]
    test: Loader<Nothing>,
    #[metric]
    accuracy: Accuracy,
}

#[trainer(by_iter)]
pub struct Iters {
    #[model]
    _net: Empty,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Nothing>,
    #[loader(val)]
    val: Loader<Nothing>,
    #[metric]
    loss: MeanLoss,
}

#[trainer(by_epoch)]
pub struct Blind {
    #[model]
    _net: Empty,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Nothing>,
    #[loader(test)]
    test: Loader<Nothing>,
    #[metric]
    accuracy: Accuracy,
}

/// With two train loaders.
#[trainer(by_epoch)]
pub struct Joined {
    #[model]
    _net: Empty,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    boxes: Loader<Nothing>,
    #[loader(train)]
    masks: Loader<Nothing>,
}

impl Steps for Joined {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (boxes, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(boxes.shallow_clone().into())
    }
}

/// Settings of its own, the required one after one that is not.
#[trainer(by_epoch)]
pub struct Owns {
    #[model]
    _net: Empty,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Nothing>,
    #[config(default = 0.1)]
    _share: f64,
    #[config]
    _count: i64,
    #[hook]
    watcher: Watcher,
}

macro_rules! steps {
    ($($trainer:ident)*) => { $(
        impl Steps for $trainer {
            type Batch = Tensor;
            fn train_step(&mut self, batch: &Tensor, _: &mut Context<'_>) -> Result<Output> {
                Ok(batch.shallow_clone().into())
            }
        }
    )* };
}

steps! { Epochs Iters Blind Owns }

macro_rules! val_steps {
    ($($trainer:ident)*) => { $(
        impl ValStep for $trainer {
            fn val_step(&mut self, batch: &Tensor, _: &mut Context<'_>) -> Result<Output> {
                Ok(batch.shallow_clone().into())
            }
        }
    )* };
}

val_steps! { Epochs Iters }

macro_rules! test_steps {
    ($($trainer:ident)*) => { $(
        impl TestStep for $trainer {
            fn test_step(&mut self, batch: &Tensor, _: &mut Context<'_>) -> Result<Output> {
                Ok(batch.shallow_clone().into())
            }
        }
    )* };
}

test_steps! { Epochs Blind }

//! A module without the standard prelude: the expansions name what they need by its whole path.

use ::core::default::Default;
use ::core::option::Option;
use ::core::result::Result::Ok;
use ::engine::prelude::{
    Batch, Context, Dataset, Loader, Metric, Model, Optimizer, Output, Result, SampleRng, Steps, Tensor, component,
    hook, nn, passes, phases, trainer,
};
use ::std::boxed::Box;
use ::std::string::String;
use ::std::vec::Vec;

// case: a hook with every role
/// A hook.
#[hook(priority = "LOW", name = "NoPreludeWatch")]
pub struct Watch {
    /// A number.
    #[config(default = 3, range = 1..)]
    pub most: u64,
    /// A text.
    #[config(default = "loss", resets_state)]
    pub name: String,
    #[state]
    seen: Vec<f64>,
    #[transient]
    scratch: Option<f64>,
}

#[phases]
impl Watch {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.scratch = Default::default();
        self.seen.clear();
        Ok(())
    }
}

// case: enums with and without fields
/// An activation.
#[component(name = "NoPreludeAct")]
pub enum Act {
    /// None.
    Linear,
    /// With a slope.
    Leaky(f64),
    /// Perhaps with one.
    Perhaps {
        /// The slope.
        slope: Option<f64>,
    },
}

// case: settings of a model
/// Settings.
#[component(name = "NoPreludeNet")]
pub struct NetConfig {
    /// The activation.
    pub act: Act,
}

/// A network.
#[derive(::core::fmt::Debug)]
pub struct Net;

impl Model for Net {
    type Config = NetConfig;
    fn build(_: &nn::Path<'_>, _: &NetConfig) -> Result<Self> {
        Ok(Net)
    }
}

// case: settings of a dataset
/// Settings.
#[component(dataset, name = "NoPreludeData")]
pub struct DataConfig {
    /// How many.
    #[config(default = 3, range = 1..)]
    pub samples: usize,
}

/// Data.
#[derive(::core::fmt::Debug)]
pub struct Data(usize);

impl Dataset for Data {
    type Config = DataConfig;
    type Item = f32;
    fn open(config: &DataConfig) -> Result<Self> {
        Ok(Data(config.samples))
    }
    fn len(&self) -> usize {
        self.0
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<f32> {
        Ok(index as f32)
    }
}

// case: a batch
/// Two tensors.
#[derive(Batch)]
pub struct Pair {
    /// The first.
    pub first: Tensor,
    /// For all samples.
    #[batch(shared)]
    pub all: Tensor,
}

// case: a trainer with phases
/// A trainer.
#[trainer(by_epoch)]
pub struct Plain {
    #[model]
    net: Net,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Data>,
    #[hook]
    watch: Watch,
    #[config(default = 0.1, range = 0.0..1.0)]
    smoothing: f64,
    #[state]
    seen: u64,
}

impl Steps for Plain {
    type Batch = Tensor;
    fn train_step(&mut self, batch: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        let _ = (&self.net, &self.watch, self.smoothing);
        Ok(Output::new(batch.shallow_clone()))
    }
}

#[phases]
impl Plain {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.seen += 1;
        Ok(())
    }
}

// case: a trainer with passes
/// A trainer.
#[trainer(by_iter)]
pub struct InPasses {
    #[model]
    net: Net,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Data>,
}

#[passes]
impl InPasses {
    #[pass(opt, times = 2)]
    fn fit(&mut self, batch: &Tensor, _cx: &mut Context<'_>) -> Result<Output> {
        let _ = &self.net;
        Ok(Output::new(batch.shallow_clone()))
    }
}

// case: a metric
/// A metric.
#[component(metric, name = "NoPreludeSum")]
#[derive(::core::fmt::Debug)]
pub struct Sum {
    #[state]
    sum: f64,
}

impl Metric for Sum {
    fn update(&mut self, _: &Output, _: usize) -> Result<()> {
        self.sum += 1.0;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(Vec::new())
    }
    fn reset(&mut self) {
        self.sum = 0.0;
    }
    fn merge(&mut self, _: ::engine::base::StateMap) -> Result<()> {
        Ok(())
    }
    fn measures(&self) -> Vec<::engine::prelude::Measure> {
        Vec::new()
    }
}

//! Every macro in a crate where `engine` names nothing: with `crate = krate`, and finding the name itself.

#![deny(warnings, missing_docs)]

use krate::prelude::*;

// case: a hook and its phases
/// A hook.
#[hook(crate = krate, priority = HIGH)]
#[derive(Debug)]
pub struct Counter {
    /// How far it counts.
    #[config(default = 8, range = 1..=100)]
    until: u64,
    #[state]
    count: u64,
}

#[phases(crate = krate)]
impl Counter {
    fn after_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.count = self.until.min(self.count + 1);
        Ok(())
    }
}

// case: components
/// Settings of the model and of the data.
#[component]
pub struct SizeConfig {
    /// Features.
    #[config(default = 4, range = 1..)]
    pub features: i64,
    /// How they are made.
    #[config(default)]
    pub made: Made,
}

/// How features are made.
#[component]
#[derive(Default)]
pub enum Made {
    /// All the same.
    #[default]
    Constant,
}

/// A layer.
#[derive(Debug)]
pub struct Layer(nn::Linear);

impl Model for Layer {
    type Config = SizeConfig;
    fn build(vs: &nn::Path<'_>, config: &SizeConfig) -> Result<Self> {
        Ok(Layer(nn::linear(vs, config.features, 1, Default::default())))
    }
}

/// Data.
#[derive(Debug)]
pub struct Same(SizeConfig);

impl Dataset for Same {
    type Config = SizeConfig;
    type Item = Tensor;
    fn open(config: &SizeConfig) -> Result<Self> {
        Ok(Same(config.clone()))
    }
    fn len(&self) -> usize {
        16
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<Tensor> {
        let Made::Constant = self.0.made;
        Ok(Tensor::ones([self.0.features], (Kind::Float, Device::Cpu)))
    }
}

// case: a metric
/// Counts batches.
#[component(metric)]
#[derive(Debug)]
pub struct Batches {
    #[state]
    seen: u64,
}

impl Metric for Batches {
    fn update(&mut self, _: &Output, _: usize) -> Result<()> {
        self.seen += 1;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![("batches".into(), self.seen as f64)])
    }
    fn reset(&mut self) {
        self.seen = 0;
    }
    fn merge(&mut self, mut other: krate::base::StateMap) -> Result<()> {
        self.seen += other.take::<u64>("seen")?;
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new("batches", Better::Neither)]
    }
}

// case: a trainer
/// A trainer.
#[trainer(by_epoch)]
#[derive(Debug)]
pub struct Small {
    #[model]
    net: Layer,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Same>,
    #[loader(val)]
    val: Loader<Same>,
    #[loader(predict)]
    predict: Loader<Same>,
    #[metric]
    batches: Batches,
    #[hook]
    counter: Counter,
    #[config(default = 1.0, range = 0.0..)]
    scale: f64,
}

impl Steps for Small {
    type Batch = Tensor;
    fn train_step(&mut self, x: &Tensor, _cx: &mut Context<'_>) -> Result<Output> {
        Ok((x.apply(&self.net.0).mean(Kind::Float) * self.scale).into())
    }
}

impl ValStep for Small {
    fn val_step(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
        self.train_step(x, cx)
    }
}

impl PredictStep for Small {
    type Prompt = Tensor;
    fn predict_step(&mut self, x: &Tensor, _cx: &mut Context<'_>) -> Result<Prediction> {
        Ok(Prediction::new().tensor("out", &x.apply(&self.net.0)))
    }
}

#[phases]
impl Small {
    fn before_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.scale *= 1.0;
        Ok(())
    }
}

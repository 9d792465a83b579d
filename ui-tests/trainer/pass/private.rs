//! A program of one file, in which nothing is `pub`; and texts as defaults, wherever there are settings.

use engine::prelude::*;
use std::path::PathBuf;

// case: every part of a trainer is private
#[derive(Debug)]
struct Linear(nn::Linear);

#[component]
struct LinearConfig {
    #[config(default = 1)]
    inputs: i64,
    // case: a text for a path
    #[config(default = "weights.ot")]
    weights: PathBuf,
}

impl Model for Linear {
    type Config = LinearConfig;
    fn build(vs: &nn::Path<'_>, config: &LinearConfig) -> Result<Self> {
        let layer = nn::linear(vs, config.inputs, i64::from(!config.weights.exists()), Default::default());
        Ok(Linear(layer))
    }
}

#[derive(Debug)]
struct Noise(i64);

#[component(dataset)]
struct NoiseConfig {
    #[config(default = "train")]
    part: String,
}

impl Dataset for Noise {
    type Config = NoiseConfig;
    type Item = Sample;
    fn open(config: &NoiseConfig) -> Result<Self> {
        Ok(Noise(config.part.len() as i64))
    }
    fn len(&self) -> usize {
        8
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<Sample> {
        Ok(Sample(self.0))
    }
}

struct Sample(i64);

#[derive(Debug)]
struct Samples(Tensor);

impl Collate for Sample {
    type Batch = Samples;
    fn collate(items: Vec<Self>) -> Result<Samples> {
        Ok(Samples(Tensor::from_slice(&items.iter().map(|item| item.0).collect::<Vec<_>>())))
    }
}

impl Batch for Samples {
    fn visit<'a>(&'a mut self, each: &mut engine::data::EachPart<'_, 'a>) -> Result<()> {
        self.0.visit(each)
    }
    fn shallow_clone(&self) -> Self {
        Samples(self.0.shallow_clone())
    }
    fn size(&self) -> usize {
        self.0.size()[0] as usize
    }
}

#[component]
#[derive(Copy, PartialEq)]
enum Side {
    Left,
    Right,
}

#[hook]
#[derive(Debug)]
struct Counter {
    #[config(default = Side::Left)]
    side: Side,
    // case: a text for a `String`, by its whole path
    #[config(default = "val/loss")]
    by: std::string::String,
    #[state]
    count: u64,
}

#[phases]
impl Counter {
    fn after_train_iter(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.count += u64::from(self.side == Side::Right) + self.by.len() as u64;
        Ok(())
    }
}

#[component(metric)]
#[derive(Debug)]
struct Count {
    #[config(default = "count")]
    name: String,
    #[state]
    count: u64,
}

impl Metric for Count {
    fn update(&mut self, _: &Output, size: usize) -> Result<()> {
        self.count += size as u64;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![(self.name.clone(), self.count as f64)])
    }
    fn reset(&mut self) {
        self.count = 0;
    }
    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        self.count += other.take::<u64>("count")?;
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name.clone(), Better::Higher)]
    }
}

#[trainer(by_epoch)]
#[derive(Debug)]
struct Line {
    #[model]
    net: Linear,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Noise>,
    #[loader(val)]
    val: Loader<Noise>,
    #[loader(predict)]
    prompts: Loader<Noise>,
    #[metric]
    count: Count,
    #[hook]
    counter: Counter,
    // case: a text for a setting of the trainer's own
    #[config(default = "mean")]
    reduction: String,
    #[config(default = "out")]
    out: PathBuf,
}

impl Steps for Line {
    type Batch = Samples;
    fn train_step(&mut self, batch: &Samples, _: &mut Context<'_>) -> Result<Output> {
        let all = self.reduction == "mean" && self.out.exists() && self.counter.count > self.count.count;
        Ok((batch.0.apply(&self.net.0) * f64::from(all)).mean(Kind::Float).into())
    }
}

impl ValStep for Line {
    fn val_step(&mut self, Samples(batch): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(batch.apply(&self.net.0).mean(Kind::Float).into())
    }
}

impl PredictStep for Line {
    type Prompt = Samples;
    fn predict_step(&mut self, batch: &Self::Prompt, _: &mut Context<'_>) -> Result<Prediction> {
        Ok(Prediction::new().tensor("y", &batch.0.apply(&self.net.0)))
    }
}

/// It is a program.
pub fn check() {
    super::trainer_every_role::is_a_program::<Line>();
}

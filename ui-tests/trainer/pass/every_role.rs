//! Every role of a trainer's fields, and steps for each loader.

use engine::prelude::*;

/// A layer.
#[derive(Debug)]
pub struct Linear {
    layer: nn::Linear,
}

/// Its settings.
#[component]
pub struct LinearConfig {
    /// Inputs.
    #[config(default = 64, range = 1..)]
    pub inputs: i64,
}

impl Linear {
    /// The logits.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.apply(&self.layer)
    }
}

impl Model for Linear {
    type Config = LinearConfig;
    fn build(vs: &nn::Path<'_>, config: &LinearConfig) -> Result<Self> {
        Ok(Linear { layer: nn::linear(vs / "layer", config.inputs, 10, Default::default()) })
    }
}

/// Which part of the data.
#[component]
#[derive(Copy, PartialEq)]
pub enum Split {
    /// To learn from.
    Train,
    /// To check with.
    Val,
}

/// The settings of [`Points`].
#[component(dataset)]
pub struct PointsConfig {
    /// Which part.
    #[config(default = Split::Train)]
    pub split: Split,
    /// How many.
    pub samples: usize,
}

/// Points with classes.
#[derive(Debug)]
pub struct Points {
    samples: usize,
}

impl Dataset for Points {
    type Config = PointsConfig;
    type Item = (Tensor, i64);
    fn open(config: &PointsConfig) -> Result<Self> {
        Ok(Points { samples: if config.split == Split::Val { 10 } else { config.samples } })
    }
    fn len(&self) -> usize {
        self.samples
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Tensor, i64)> {
        Ok((Tensor::from_slice(&[index as f32; 64]), index as i64 % 10))
    }
}

/// Points without classes.
#[derive(Debug)]
pub struct Unlabelled;

impl Dataset for Unlabelled {
    type Config = PointsConfig;
    type Item = Tensor;
    fn open(_: &PointsConfig) -> Result<Self> {
        Ok(Unlabelled)
    }
    fn len(&self) -> usize {
        10
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Tensor> {
        Ok(Tensor::from_slice(&[index as f32; 64]))
    }
}

/// Counts.
#[hook(priority = "HIGH")]
#[derive(Debug)]
pub struct Counter {
    #[state]
    count: u64,
}

#[phases]
impl Counter {
    fn after_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.count += 1;
        Ok(())
    }
}

/// The mean loss.
#[component(metric)]
#[derive(Debug)]
pub struct Loss {
    /// Another name for the value.
    #[config]
    name: Option<String>,
    #[state]
    sum: f64,
    #[state]
    batches: u64,
}

impl Metric for Loss {
    fn update(&mut self, output: &Output, _batch_size: usize) -> Result<()> {
        self.sum += f64::try_from(output.loss()?)?;
        self.batches += 1;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(self.measures().into_iter().map(|measure| (measure.name, self.sum / self.batches as f64)).collect())
    }
    fn reset(&mut self) {
        (self.sum, self.batches) = (0.0, 0);
    }
    fn merge(&mut self, mut other: engine::base::StateMap) -> Result<()> {
        self.sum += other.take::<f64>("sum")?;
        self.batches += other.take::<u64>("batches")?;
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name.clone().unwrap_or_else(|| "mean_loss".into()), Better::Lower)]
    }
}

// case: every role; several loaders of one role; a hook that may be absent; phases of its own
/// A trainer with everything.
#[trainer(by_epoch, priority = 45)]
#[derive(Debug)]
pub struct Everything {
    #[model]
    net: Linear,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Points>,
    #[loader(val)]
    val: Loader<Points>,
    #[loader(val)]
    hard: Loader<Points>,
    #[loader(test)]
    test: Loader<Points>,
    #[loader(predict)]
    predict: Loader<Unlabelled>,
    #[metric]
    loss: Loss,
    #[hook]
    counter: Counter,
    #[hook]
    counted_again: Option<Counter>,
    #[config(default = 0.1, range = 0.0..1.0)]
    smoothing: f64,
    #[config]
    required: String,
    #[state]
    seen: u64,
    #[transient]
    scratch: Option<Tensor>,
}

impl Everything {
    fn step(&mut self, x: &Tensor, y: &Tensor) -> Result<Output> {
        self.seen += u64::from(self.smoothing > 0.0 && self.required.is_empty());
        let logits = x.apply(&self.net.layer);
        self.scratch = None;
        Ok(Output::new(logits.cross_entropy_for_logits(y)).tensor("logits", &logits).tensor("target", y))
    }
}

impl Steps for Everything {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, y): &Self::Batch, _cx: &mut Context<'_>) -> Result<Output> {
        self.step(x, y)
    }
}

impl ValStep for Everything {
    fn val_step(&mut self, (x, y): &Self::Batch, _cx: &mut Context<'_>) -> Result<Output> {
        self.step(x, y)
    }
}

impl TestStep for Everything {
    fn test_step(&mut self, (x, y): &Self::Batch, _cx: &mut Context<'_>) -> Result<Output> {
        self.step(x, y)
    }
}

impl PredictStep for Everything {
    type Prompt = Tensor;
    fn predict_step(&mut self, x: &Tensor, _cx: &mut Context<'_>) -> Result<Prediction> {
        Ok(Prediction::new().tensor("logits", &x.apply(&self.net.layer)))
    }
}

#[phases]
impl Everything {
    fn after_backward(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.seen += 1;
        Ok(())
    }
}

/// What the command line asks of a trainer.
pub fn is_a_program<T: engine::trainer::Build>() {}

/// It is one.
pub fn check() {
    is_a_program::<Everything>();
}

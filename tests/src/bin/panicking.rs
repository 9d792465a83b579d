//! A trainer each of whose plain functions can be told to panic, by the variable `PANIC_IN`, and whose data take as many
//! milliseconds to open as `SLOW_OPEN` says.

use engine::base::StateMap;
use engine::data::{BatchOf, Order, Pass, Population, Sampler};
use engine::prelude::*;

/// Panics where it is told to.
#[expect(clippy::panic, reason = "a panic is what is asked for")]
fn may_panic(place: &str) {
    if std::env::var("PANIC_IN").is_ok_and(|asked| asked == place) {
        panic!("`{place}` fell over");
    }
}

/// Ones.
#[component(dataset)]
pub struct OnesConfig {}

/// Eight of them.
pub struct Ones(Vec<f64>);

impl Dataset for Ones {
    type Config = OnesConfig;
    type Item = (Vec<f32>, i64);

    fn open(_: &OnesConfig) -> Result<Self> {
        may_panic("open");
        if let Some(pause) = std::env::var("SLOW_OPEN").ok().and_then(|pause| pause.parse().ok()) {
            println!("opening");
            std::thread::sleep(std::time::Duration::from_millis(pause));
        }
        Ok(Ones(vec![1.0; 8]))
    }
    fn len(&self) -> usize {
        may_panic("len");
        self.0.len()
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, i64)> {
        may_panic("get");
        Ok((vec![1.0, index as f32], index as i64 % 2))
    }
    fn weights(&self) -> Option<&[f64]> {
        may_panic("weights");
        Some(&self.0)
    }
    fn batch(&self, samples: &Samples) -> Result<BatchOf<Self>> {
        may_panic("batch");
        Collate::collate(samples.map(|index, rng| self.get(index, rng))?)
    }
}

/// In order.
#[component(sampler)]
pub struct InOrder {}

impl Sampler for InOrder {
    fn samples(&self, data: &Population<'_>) -> usize {
        may_panic("samples");
        data.len
    }
    fn order(&self, data: &Population<'_>, _: &Pass) -> Result<Order> {
        may_panic("order");
        Ok(Order::List((0..data.len).collect()))
    }
}

/// A line.
#[component]
pub struct LineConfig {}

/// A layer without anything else.
pub struct Line(nn::Linear);

impl Model for Line {
    type Config = LineConfig;
    fn build(vs: &nn::Path<'_>, _: &LineConfig) -> Result<Self> {
        may_panic("build");
        Ok(Line(nn::linear(vs, 2, 2, Default::default())))
    }
}

/// How many samples there were.
#[component(metric)]
#[derive(Debug)]
pub struct Count {
    #[state]
    samples: u64,
}

impl Metric for Count {
    fn update(&mut self, _: &Output, batch_size: usize) -> Result<()> {
        may_panic("update");
        self.samples += batch_size as u64;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        may_panic("compute");
        Ok(vec![("count".to_owned(), self.samples as f64)])
    }
    fn reset(&mut self) {
        may_panic("reset");
        self.samples = 0;
    }
    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        may_panic("merge");
        self.samples += other.take::<u64>("samples")?;
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        may_panic("measures");
        vec![Measure::new("count", Better::Higher)]
    }
}

/// As it is, in the first half of its window.
#[schedule]
fn in_halves(position: WindowPosition) -> f64 {
    if position.fraction() >= 0.5 {
        may_panic("factor");
    }
    match std::env::var("FACTOR") {
        Ok(factor) if position.fraction() >= 0.5 => factor.parse().unwrap_or(1.0),
        _ => 1.0,
    }
}

/// Tells even from odd.
#[trainer(by_epoch)]
pub struct Fragile {
    #[model]
    net: Line,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Ones>,
    #[loader(val)]
    val: Loader<Ones>,
    #[loader(predict)]
    unseen: Loader<Ones>,
    #[metric]
    count: Count,
}

impl Fragile {
    fn loss(&self, (points, kinds): &(Tensor, Tensor)) -> Tensor {
        points.apply(&self.net.0).cross_entropy_for_logits(kinds)
    }
}

impl Steps for Fragile {
    /// Points `[n, 2]`, kinds `[n]`.
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        may_panic("train_step");
        Ok(self.loss(batch).into())
    }
}

impl ValStep for Fragile {
    fn val_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        may_panic("val_step");
        Ok(self.loss(batch).into())
    }
}

impl PredictStep for Fragile {
    type Prompt = (Tensor, Tensor);

    fn predict_step(&mut self, (points, _): &Self::Prompt, _: &mut Context<'_>) -> Result<Prediction> {
        may_panic("predict_step");
        Ok(Prediction::new().tensor("logits", &points.apply(&self.net.0)))
    }
}

engine::main!(Fragile);

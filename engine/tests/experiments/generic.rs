//! A trainer, a hook, a metric and a dataset with parameters, as a program names them.

use crate::program::{Line, Slope, SlopeConfig};
use engine::checkpoint::newest_valid;
use engine::config::registry::Component;
use engine::folder::Mode;
use engine::metric::Total;
use engine::prelude::*;
use engine::trainer::{Experiment, plan_of, run_train};
use std::fmt::Debug;
use std::path::Path;

/// A number of which there are several types.
pub trait Number: Debug + Copy + PartialOrd<Self> + engine::base::Saved {
    /// The nearest one.
    fn near(value: f64) -> Self;
}

impl Number for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "the nearest one is meant")]
    fn near(value: f64) -> Self {
        value as f32
    }
}

impl Number for f64 {
    fn near(value: f64) -> Self {
        value
    }
}

/// Keeps the largest losses.
#[hook(priority = "LOW")]
#[derive(Debug)]
pub struct Largest<T: Number> {
    /// How many are kept.
    #[config(default = 3, range = 1..=100)]
    keep: usize,
    /// They have to be above this one.
    #[config(default)]
    above: Option<f64>,
    #[state]
    seen: Vec<T>,
    #[transient]
    last: Option<T>,
}

#[phases]
impl<T: Number> Largest<T> {
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let loss = f64::try_from(cx.output()?.loss()?)?;
        self.last = Some(T::near(loss));
        self.seen.extend(self.last.filter(|_| self.above.is_none_or(|above| loss > above)));
        self.seen.sort_by(|one, other| other.partial_cmp(one).unwrap_or(std::cmp::Ordering::Equal));
        self.seen.truncate(self.keep);
        Ok(())
    }
}

engine::register!(hook Largest<f32>);
engine::register!(hook Largest<f64>, name = "LargestInDouble");

/// The sum of something.
#[component(metric)]
#[derive(Debug)]
pub struct SumOf<P: Of> {
    #[state]
    sum: Total,
    #[transient]
    of: std::marker::PhantomData<P>,
}

/// What is summed.
pub trait Of: Debug + Send + 'static {
    /// The name of the sum.
    const NAME: &'static str;
}

/// The loss.
#[derive(Debug)]
pub struct OfLoss;

impl Of for OfLoss {
    const NAME: &'static str = "loss_sum";
}

impl<P: Of> Metric for SumOf<P> {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        Ok(self.sum.add(output.loss()?)?)
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![(P::NAME.to_owned(), self.sum.read()?)])
    }
    fn reset(&mut self) {
        self.sum = Total::default();
    }
    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        Ok(self.sum.merge(other.take("sum")?)?)
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(P::NAME, Better::Lower)]
    }
}

engine::register!(metric SumOf<OfLoss>, name = "LossSum");

/// The first samples of another dataset.
#[component(dataset)]
pub struct FirstConfig<C> {
    /// How many.
    #[config(range = 1..)]
    pub samples: usize,
    /// Of which.
    pub of: C,
}

/// See its settings.
#[derive(Debug)]
pub struct First<D>(usize, D);

impl<D: Dataset + Send + Sync> Dataset for First<D> {
    type Config = FirstConfig<D::Config>;
    type Item = D::Item;
    fn open(config: &Self::Config) -> Result<Self> {
        Ok(First(config.samples, D::open(&config.of)?))
    }
    fn len(&self) -> usize {
        self.0.min(self.1.len())
    }
    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<D::Item> {
        self.1.get(index, rng)
    }
}

/// What the trainer needs of its model.
pub trait Line1 {
    /// `[n, 1]` to `[n]`.
    fn at(&self, x: &Tensor) -> Tensor;
}

impl Line1 for Slope {
    fn at(&self, x: &Tensor) -> Tensor {
        (x * &self.0).squeeze_dim(1)
    }
}

/// A line that does not go through the origin.
#[derive(Debug)]
pub struct Shifted(Slope, Tensor);

impl Model for Shifted {
    type Config = SlopeConfig;
    fn build(vs: &nn::Path<'_>, config: &SlopeConfig) -> Result<Self> {
        Ok(Shifted(Slope::build(&(vs / "slope"), config)?, vs.var("shift", &[1], nn::Init::Const(0.5))))
    }
}

impl Line1 for Shifted {
    fn at(&self, x: &Tensor) -> Tensor {
        self.0.at(x) + &self.1
    }
}

/// Fits a line.
#[trainer(by_epoch, phases)]
pub struct Fitted<M, T: Number, D: Dataset> {
    #[model]
    line: M,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<D>,
    #[loader(val)]
    val: Loader<Line>,
    #[metric]
    sum: SumOf<OfLoss>,
    #[hook]
    largest: Largest<T>,
    #[config(default = 1.0, range = 0.0..=10.0)]
    scale: f64,
    #[state]
    sums: Vec<T>,
    #[transient]
    calls: u64,
}

impl<M: Line1, T: Number, D: Dataset> Fitted<M, T, D> {
    fn forward(&self, (x, y): &(Tensor, Tensor)) -> Output {
        Output::new((self.line.at(x) - y * self.scale).square().mean(Kind::Float))
    }
}

impl<M: Line1, T: Number, D: Dataset> Steps for Fitted<M, T, D> {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        self.calls += 1;
        Ok(self.forward(batch))
    }
}

impl<M: Line1, T: Number, D: Dataset> ValStep for Fitted<M, T, D> {
    fn val_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.forward(batch))
    }
}

#[phases]
impl<M: Line1, T: Number, D: Dataset> Fitted<M, T, D> {
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let loss = f64::try_from(cx.output()?.loss()?)?;
        let before = self.sums.len() as f64;
        self.sums.push(T::near(loss + before));
        Ok(())
    }
}

type Plain = Fitted<Slope, f32, First<Line>>;
type Other = Fitted<Shifted, f64, Line>;

fn text(dataset: &str) -> String {
    format!(
        "Experiment(
            name: \"fit\", device: Cpu, optimizer: AdamW(lr: 0.1), train: (max_epochs: 2),
            loaders: (
                train: (dataset: {dataset}, batch_size: 2, shuffle: true),
                val: (dataset: Line(points: 3), batch_size: 2),
            ),
            trainer: (scale: 2.0), hooks: (largest: (keep: 4)),
            custom_hooks: [Largest(keep: 2, above: 0.5), LargestInDouble(keep: 2)], metrics: [LossSum()],
        )"
    )
}

const FIRST: &str = "First(samples: 7, of: Line(points: 9))";

fn experiment<T: engine::trainer::Build>(dataset: &str, dir: &Path) -> Experiment<T> {
    let mut experiment = Experiment::parse("fit.ron", &text(dataset)).unwrap_or_else(|errors| panic!("{errors}"));
    experiment.work_dir = dir.to_owned();
    experiment
}

/// All that a finished run has saved: weights with their bits, and the states of the trainer and its hooks.
fn left(dir: &Path) -> String {
    let mut snapshot = newest_valid(&dir.join("fit/checkpoints")).unwrap().found.unwrap().1;
    let weights: Vec<String> = snapshot
        .models
        .iter()
        .flat_map(|weights| weights.published())
        .map(|(name, tensor)| format!("{name} {:x?}", f32::try_from(tensor).unwrap().to_bits()))
        .collect();
    let states =
        ["clocks", "loaders", "parts", "results", "updates"].map(|name| (name, snapshot.state.0.remove(name).unwrap()));
    format!("{weights:?} {states:?}")
}

fn resumed_anywhere<T: engine::trainer::Build>(dataset: &str, iters: u64) -> String {
    let whole = tempfile::tempdir().unwrap();
    let summary = run_train(experiment::<T>(dataset, whole.path()), Mode::New).unwrap();
    assert_eq!((summary.epoch, summary.iter), (2, iters));
    let whole = left(whole.path());
    for stop in 1..iters {
        let dir = tempfile::tempdir().unwrap();
        let mut cut = experiment::<T>(dataset, dir.path());
        cut.stop_after = Some(stop);
        run_train(cut, Mode::New).unwrap();
        assert_ne!(left(dir.path()), whole, "stopped after {stop}");
        run_train(experiment::<T>(dataset, dir.path()), Mode::Resume).unwrap();
        assert_eq!(left(dir.path()), whole, "stopped after {stop}");
    }
    whole
}

#[test]
fn a_generic_trainer_with_generic_hooks_goes_on_to_the_bit_wherever_it_was_stopped() {
    let plain = resumed_anywhere::<Plain>(FIRST, 8);
    for part in ["slope", "sums", "seen", "LargestInDouble"] {
        assert!(plain.contains(part), "{part} in {plain}");
    }
    assert!(resumed_anywhere::<Other>("Line(points: 6)", 6).contains("shift"));
}

#[test]
fn its_settings_are_read_printed_and_planned_under_the_registered_names() {
    let read = experiment::<Plain>(FIRST, Path::new("/runs"));
    let printed = read.print().unwrap();
    for part in [
        "scale: 2.0",
        "largest: (keep: 4",
        "Largest(keep: 2, above: 0.5",
        "LargestInDouble(keep: 2",
        "LossSum()",
        "samples: 7",
    ] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    assert_eq!(Experiment::<Plain>::parse("again.ron", &printed).unwrap().print().unwrap(), printed);
    let plan = plan_of(read).unwrap();
    let hooks = plan.phases.into_iter().find(|(phase, _)| phase.name() == "after_train_iter").unwrap().1;
    let of_fields: Vec<&str> =
        hooks.iter().filter(|hook| hook.origin == "field of `Fitted`").map(|hook| hook.name.as_str()).collect();
    assert_eq!(of_fields, ["largest"]);
    assert!(hooks.iter().any(|hook| hook.name == "Fitted"), "the trainer's own phases");
    for name in ["Largest", "LargestInDouble"] {
        let hook = Component::find("hook", name).unwrap();
        assert_eq!((hook.docs, hook.fields[0].name), ("Keeps the largest losses.", "keep"));
    }
}

#[test]
fn mistakes_in_the_settings_of_a_generic_hook_are_those_of_any_hook() {
    let wrong = text(FIRST).replace("(keep: 4)", "(keep: 400)").replace("above: 0.5", "abov: 0.5");
    let told = Experiment::<Plain>::parse("fit.ron", &wrong).err().unwrap().to_string();
    for part in ["`keep` must be in 1..=100, got 400", "unknown field `abov`", "did you mean `above`"] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
}

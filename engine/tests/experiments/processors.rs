//! Step processors that an experiment chooses.

use crate::program::{Line, Slope};
use engine::folder::Mode;
use engine::loops::{BatchStep, StepProcessor};
use engine::prelude::*;
use engine::trainer::{Experiment, Summary, run_train};
use std::cell::RefCell;
use std::path::Path;

/// Computes a batch in parts of so many samples.
#[component(step)]
struct Chunks {
    /// Samples of a part.
    #[config(range = 1..)]
    samples: usize,
}

impl StepProcessor for Chunks {
    fn process(&self, batch: &mut dyn BatchStep) -> Result<()> {
        let all = batch.samples();
        batch.context().log("parts", all.div_ceil(self.samples) as f64);
        for first in (0..all).step_by(self.samples) {
            batch.compute_samples(first..all.min(first + self.samples))?;
        }
        Ok(())
    }
}

/// Asks for these samples alone.
#[component(step)]
struct Only {
    first: usize,
    end: usize,
}

impl StepProcessor for Only {
    fn process(&self, batch: &mut dyn BatchStep) -> Result<()> {
        batch.compute_samples(self.first..self.end)
    }
}

/// Computes the batch so often.
#[component(step)]
struct Times {
    times: u64,
}

impl StepProcessor for Times {
    fn process(&self, batch: &mut dyn BatchStep) -> Result<()> {
        (0..self.times).try_for_each(|_| batch.compute())
    }
}

thread_local! {
    /// Of each step its samples, what they count, and a number of its generator.
    static SEEN: RefCell<Vec<(usize, f64, f64)>> = RefCell::default();
}

#[trainer(by_iter)]
pub struct Watched {
    #[model]
    slope: Slope,
    #[optimizer]
    opt: Sgd,
    #[loader(train)]
    train: Loader<Line>,
}

impl Steps for Watched {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, y): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let draw = cx.generator("noise").unit();
        SEEN.with_borrow_mut(|seen| seen.push((cx.batch_size(), cx.batch_weight(), draw)));
        Ok((x * &self.slope.0).squeeze_dim(-1).mse_loss(y, Reduction::Mean).into())
    }
}

fn experiment(dir: &Path, name: &str, processor: &str, train: &str) -> Result<Experiment<Watched>> {
    let text = format!(
        "Experiment(
            name: {name:?}, work_dir: {dir:?}, device: Cpu, threads: 1,
            {processor}
            optimizer: (lr: 0.001),
            loaders: (train: (dataset: Line(points: 16), batch_size: 8, shuffle: true)),
            train: (max_iters: 4, {train}),
            hooks: (logger: (interval: 1)),
        )",
        dir = dir.display().to_string()
    );
    Experiment::parse("processors.ron", &text).map_err(Error::new)
}

fn train(dir: &Path, name: &str, processor: &str, accumulate: u64) -> Result<Summary> {
    let experiment = experiment(dir, name, processor, &format!("accumulate: {accumulate}"))?;
    run_train(experiment, Mode::New)
}

/// What is in the rows of the training, by name.
fn rows(dir: &Path, name: &str, key: &str) -> Vec<f64> {
    let rows = std::fs::read_to_string(dir.join(name).join("metrics.jsonl")).unwrap();
    let rows = rows.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
    rows.filter(|row| row["phase"] == "train").map(|row| row[key].as_f64().unwrap()).collect()
}

fn close(one: &[f64], other: &[f64]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| (a - b).abs() <= 1e-5 * a.abs())
}

#[test]
fn parts_of_a_batch_have_its_gradient() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for accumulate in [1, 2] {
        let named = |name: &str| format!("{name}{accumulate}");
        let (whole, parts) = (named("whole"), named("parts"));
        train(dir, &whole, "", accumulate).unwrap();
        SEEN.take();
        // parts of 3, 3 and 2 samples
        train(dir, &parts, "step_processor: Chunks(samples: 3),", accumulate).unwrap();
        let seen = SEEN.take();
        let sizes: Vec<(usize, f64)> = seen.iter().map(|(size, weight, _)| (*size, *weight)).collect();
        assert_eq!(sizes, [(3, 3.0), (3, 3.0), (2, 2.0)].repeat(4 * accumulate as usize));
        // each part draws numbers of its own, and no other step has them
        let mut draws: Vec<u64> = seen.iter().map(|(.., draw)| draw.to_bits()).collect();
        draws.sort_unstable();
        draws.dedup();
        assert_eq!(draws.len(), seen.len());
        // the losses of later iters are those of the same weights, so gradients are too
        let losses = rows(dir, &whole, "loss");
        assert!(losses[3] < 0.9 * losses[0], "{losses:?}");
        assert!(close(&losses, &rows(dir, &parts, "loss")), "{losses:?}");
        assert_eq!(rows(dir, &parts, "parts"), [3.0; 4]);
    }
}

#[test]
fn a_part_that_is_the_whole_batch_changes_no_bit() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    train(dir, "plain", "", 1).unwrap();
    train(dir, "once", "step_processor: Times(times: 1),", 1).unwrap();
    train(dir, "chunk", "step_processor: Chunks(samples: 8),", 1).unwrap();
    let bits = |name: &str| rows(dir, name, "loss").iter().map(|loss| loss.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits("plain"), bits("once"));
    assert_eq!(bits("plain"), bits("chunk"));
}

#[test]
fn gradients_of_all_computations_are_added() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    train(dir, "once", "", 1).unwrap();
    train(dir, "twice", "step_processor: Times(times: 2),", 1).unwrap();
    let gradients = |name: &str| rows(dir, name, "loss");
    let (once, twice) = (gradients("once"), gradients("twice"));
    assert_eq!(once[0].to_bits(), twice[0].to_bits());
    assert!(twice[1] < once[1], "a step of twice the length goes further: {once:?}, {twice:?}");
}

#[test]
fn a_processor_that_computes_nothing_or_what_is_not_there_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let told = |name: &str, processor: &str| {
        format!("{:#}", train(dir.path(), name, &format!("step_processor: {processor},"), 1).unwrap_err())
    };
    let nothing = told("nothing", "Times(times: 0)");
    assert!(nothing.contains("the step processor `Times` has computed nothing"), "{nothing}");
    let empty = told("empty", "Only(first: 3, end: 3)");
    assert!(empty.contains("has asked for no samples: 3..3"), "{empty}");
    let past = told("past", "Only(first: 4, end: 9)");
    assert!(past.contains('9') && past.contains('8'), "{past}");
}

#[test]
fn it_is_printed_and_does_not_go_with_cuda_graphs() {
    let dir = Path::new("runs");
    let chunks = "step_processor: Chunks(samples: 3),";
    let text = experiment(dir, "x", chunks, "").unwrap().print().unwrap();
    assert!(text.contains("step_processor: Chunks(samples: 3),"), "{text}");
    let error = experiment(dir, "x", chunks, "step: CudaGraph()").err().unwrap().to_string();
    assert!(error.contains("does not go with `step: CudaGraph()`"), "{error}");
    let error = experiment(dir, "x", "step_processor: Chunk(samples: 3),", "").err().unwrap().to_string();
    assert!(error.contains("did you mean `Chunks`?"), "{error}");
}

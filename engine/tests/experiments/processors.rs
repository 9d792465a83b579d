//! Step processors that an experiment chooses.

use crate::program::{Line, Slope};
use engine::folder::Mode;
use engine::loops::{BatchStep, StepProcessor};
use engine::prelude::*;
use engine::trainer::{Experiment, Summary, run_train};
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// A tensor of 2^60 bytes, which no machine has: the error of libtorch's allocator.
fn too_large() -> Result<()> {
    Ok(Tensor::f_empty([1 << 58], (Kind::Float, Device::Cpu)).map(drop)?)
}

thread_local! {
    /// More samples than this are too many for the memory: in the forward pass, and in backward.
    static LIMITS: Cell<(usize, usize)> = const { Cell::new((usize::MAX, usize::MAX)) };
    /// After so many batches, backward of more than 4 samples takes too much.
    static BATCHES_THAT_FIT: Cell<Option<usize>> = const { Cell::new(None) };
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
        let (forward, backward) = LIMITS.get();
        if cx.batch_size() > forward {
            too_large()?;
        }
        let loss = (x * &self.slope.0).squeeze_dim(-1).mse_loss(y, Reduction::Mean);
        // a block that is computed a second time in backward
        let mut fails = cx.batch_size() > backward;
        if let Some(fit) = BATCHES_THAT_FIT.get() {
            fails = fit == 0 && cx.batch_size() > 4;
            BATCHES_THAT_FIT.set(Some(fit.saturating_sub(1)));
        }
        let is_first = AtomicBool::new(true);
        let half = cx.activation_checkpoint(&[&loss], move |inputs| {
            if !is_first.swap(false, Ordering::Relaxed) && fails {
                too_large()?;
            }
            Ok(&inputs[0] * 0.5)
        })?;
        // its half of the gradient is there when the other fails
        Ok((loss * 0.5 + half).into())
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

/// The samples of each step with these limits of memory.
fn fitted(dir: &Path, name: &str, limits: (usize, usize), settings: &str, accumulate: u64) -> Result<Vec<usize>> {
    SEEN.take();
    LIMITS.set(limits);
    let result = train(dir, name, &format!("step_processor: FitMemory({settings}),"), accumulate);
    LIMITS.set((usize::MAX, usize::MAX));
    result.map(|_| SEEN.take().iter().map(|(samples, ..)| *samples).collect())
}

#[test]
fn a_batch_that_is_too_large_for_the_memory_is_computed_in_parts_with_its_gradient() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for accumulate in [1, 2] {
        let whole = format!("all{accumulate}");
        train(dir, &whole, "", accumulate).unwrap();
        let batches = 4 * accumulate as usize;
        // batches of 8 samples; 8 and 4 are too many, wherever that is found out
        for (name, limits) in [("forward", (3, usize::MAX)), ("backward", (usize::MAX, 3)), ("both", (5, 3))] {
            let name = format!("{name}{accumulate}");
            let seen = fitted(dir, &name, limits, "", accumulate).unwrap();
            assert_eq!(seen, [vec![8, 4], vec![2; 4 * batches]].concat(), "{name}");
            // a row of the first iter counts tries too; the others have the losses of the same weights
            let (losses, fitted) = (rows(dir, &whole, "loss"), rows(dir, &name, "loss"));
            assert!(close(&losses[1..], &fitted[1..]), "{name}: {losses:?} and {fitted:?}");
            let log = std::fs::read_to_string(dir.join(&name).join("log.txt")).unwrap();
            let told = "memory is not enough for 8 samples: a batch is computed in parts of at most 4 from now on";
            assert!(log.contains(told), "{log}");
        }
    }
}

#[test]
fn memory_that_is_lost_in_the_middle_of_an_update_takes_no_gradient_away() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    train(dir, "whole", "", 2).unwrap();
    SEEN.take();
    // the first batch of the update fits, the second one does not
    BATCHES_THAT_FIT.set(Some(1));
    train(dir, "lost", "step_processor: FitMemory(),", 2).unwrap();
    BATCHES_THAT_FIT.set(None);
    let seen: Vec<usize> = SEEN.take().iter().map(|(samples, ..)| *samples).collect();
    assert_eq!(seen[..4], [8, 8, 4, 4]);
    let (losses, lost) = (rows(dir, "whole", "loss"), rows(dir, "lost", "loss"));
    assert!(close(&losses[1..], &lost[1..]), "{losses:?} and {lost:?}");
}

#[test]
fn parts_are_not_smaller_than_the_least() {
    let dir = tempfile::tempdir().unwrap();
    let seen = fitted(dir.path(), "least", (usize::MAX, 3), "least: 3", 1).unwrap();
    assert_eq!(seen, [vec![8, 4], [3, 3, 2].repeat(4)].concat());
}

#[test]
fn memory_that_is_not_enough_for_the_least_part_ends_the_training_as_always() {
    let dir = tempfile::tempdir().unwrap();
    let error = fitted(dir.path(), "none", (1, usize::MAX), "least: 2", 1).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("the host is out of memory in iter 1"), "{error}");
    assert!(error.contains("2 samples"), "{error}");
}

#[test]
fn without_a_lack_of_memory_no_bit_changes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    train(dir, "plain", "", 2).unwrap();
    assert_eq!(fitted(dir, "fitted", (usize::MAX, usize::MAX), "", 2).unwrap(), [8; 8]);
    let bits = |name: &str| rows(dir, name, "loss").iter().map(|loss| loss.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits("plain"), bits("fitted"));
}

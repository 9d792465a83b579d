//! Several train loaders: which of them makes the epoch, and where each goes on.

use engine::folder::Mode;
use engine::prelude::*;
use engine::sinks::Verbosity;
use engine::trainer::{Build, Experiment, plan_of, run_train, run_val};
use std::cell::RefCell;
use std::path::Path;

/// Samples that are their own indices.
#[component(dataset)]
pub struct CountConfig {
    samples: usize,
}

#[derive(Debug)]
pub struct Count(usize);

impl Dataset for Count {
    type Config = CountConfig;
    type Item = i64;
    fn open(config: &CountConfig) -> Result<Self> {
        Ok(Count(config.samples))
    }
    fn len(&self) -> usize {
        self.0
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<i64> {
        Ok(index as i64)
    }
}

/// The same as texts.
#[derive(Debug)]
pub struct Words(usize);

impl Dataset for Words {
    type Config = CountConfig;
    type Item = String;
    fn open(config: &CountConfig) -> Result<Self> {
        Ok(Words(config.samples))
    }
    fn len(&self) -> usize {
        self.0
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<String> {
        Ok(index.to_string())
    }
}

#[component]
pub struct WeightConfig {}

#[derive(Debug)]
pub struct Weight(Tensor);

impl Model for Weight {
    type Config = WeightConfig;
    fn build(vs: &nn::Path<'_>, _: &WeightConfig) -> Result<Self> {
        Ok(Weight(vs.var("weight", &[1], nn::Init::Const(1.0))))
    }
}

thread_local! {
    /// The samples that steps were given: those of `det`, and those of `seg`.
    static SEEN: RefCell<(Vec<i64>, Vec<i64>)> = RefCell::default();
}

fn see(det: &[i64], seg: &[i64]) {
    SEEN.with_borrow_mut(|(first, second)| {
        first.extend(det);
        second.extend(seg);
    });
}

fn numbers(tensor: &Tensor) -> Vec<i64> {
    Vec::try_from(tensor).unwrap()
}

fn parsed(words: &[String]) -> Vec<i64> {
    words.iter().map(|word| word.parse().unwrap()).collect()
}

macro_rules! pair {
    ($name:ident, $clock:ident) => {
        #[trainer($clock)]
        pub struct $name {
            #[model]
            net: Weight,
            #[optimizer]
            opt: Sgd,
            #[loader(train)]
            det: Loader<Count>,
            #[loader(train)]
            seg: Loader<Words>,
            #[loader(val)]
            val_det: Loader<Count>,
            #[loader(val)]
            val_seg: Loader<Words>,
            #[metric]
            loss: MeanLoss,
        }

        impl Steps for $name {
            type Batch = (Tensor, Vec<String>);
            fn train_step(&mut self, (det, seg): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
                see(&numbers(det), &parsed(seg));
                Ok((&self.net.0 * det.sum(Kind::Float) * 1e-6).squeeze().into())
            }
        }

        impl ValStep<Tensor> for $name {
            fn val_step(&mut self, det: &Tensor, _: &mut Context<'_>) -> Result<Output> {
                see(&numbers(det), &[]);
                Ok(det.mean(Kind::Float).into())
            }
        }

        impl ValStep<Vec<String>> for $name {
            fn val_step(&mut self, seg: &Vec<String>, _: &mut Context<'_>) -> Result<Output> {
                see(&[], &parsed(seg));
                Ok(Tensor::from(-(seg.len() as f64)).into())
            }
        }
    };
}
pair!(Pair, by_epoch);
pair!(PairByIter, by_iter);

/// `det` has 10 samples, `seg` 6.
struct Run<'a> {
    dir: &'a Path,
    /// Of `det` and `seg`, besides their datasets.
    loaders: [&'a str; 2],
    /// Lines of the experiment.
    more: &'a str,
}

impl Run<'_> {
    fn experiment<T: Build>(&self) -> Experiment<T> {
        let [det, seg] = self.loaders;
        let text = format!(
            r#"(
                name: "pair",
                device: Cpu,
                threads: 1,
                optimizer: (lr: 0.1),
                loaders: (
                    det: (dataset: (samples: 10), {det}),
                    seg: (dataset: (samples: 6), {seg}),
                    val_det: (dataset: (samples: 3), batch_size: 2),
                    val_seg: (dataset: (samples: 2), batch_size: 2),
                ),
                {}{}
            )"#,
            if self.more.contains("val:") { "" } else { "val: (interval: 1000, at_end: false, sanity: 0), " },
            self.more
        );
        let mut experiment = Experiment::<T>::parse("pair.ron", &text).unwrap_or_else(|errors| panic!("{errors}"));
        experiment.work_dir = self.dir.to_owned();
        experiment
    }

    /// Trains up to this iter, and gives what the steps have seen; how many epochs and iters there were in all.
    fn train<T: Build>(&self, mode: Mode, stop_after: Option<u64>) -> (Vec<i64>, Vec<i64>, (u64, u64)) {
        let mut experiment = self.experiment::<T>();
        experiment.stop_after = stop_after;
        let summary = run_train(experiment, mode).unwrap_or_else(|error| panic!("{error:#}"));
        let (det, seg) = SEEN.take();
        (det, seg, (summary.epoch, summary.iter))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("pair/log.txt")).unwrap()
    }
}

const BY_TWO: [&str; 2] = ["batch_size: 2", "batch_size: 2"];

#[test]
fn the_longest_makes_the_epoch_and_the_other_goes_on_from_pass_to_pass() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run { dir: dir.path(), loaders: BY_TWO, more: "train: (max_epochs: 2)" };
    let (det, seg, length) = run.train::<Pair>(Mode::New, None);
    assert_eq!(length, (2, 10));
    assert_eq!(det, [(0..10).collect::<Vec<_>>(), (0..10).collect()].concat());
    // 20 samples of passes of 6, whatever the epochs are
    assert_eq!(seg, (0..20).map(|sample| sample % 6).collect::<Vec<_>>());
    assert!(run.log().contains("an iter takes one batch each of `det`, `seg`; an epoch is a pass of `det`"));
}

#[test]
fn the_shortest_or_a_named_one_makes_the_epoch_and_what_the_other_has_left_comes_later() {
    for rule in ["Shortest", "Named(\"seg\")"] {
        let dir = tempfile::tempdir().unwrap();
        let more = format!("train: (max_epochs: 2), epoch_loader: {rule}");
        let (det, seg, length) = Run { dir: dir.path(), loaders: BY_TWO, more: &more }.train::<Pair>(Mode::New, None);
        assert_eq!(length, (2, 6), "{rule}");
        assert_eq!(seg, [(0..6).collect::<Vec<_>>(), (0..6).collect()].concat());
        assert_eq!(det, [(0..10).collect::<Vec<_>>(), vec![0, 1]].concat());
    }
}

#[test]
fn the_plan_tells_what_an_iter_takes() {
    let joined = |more| {
        let run = Run { dir: Path::new("runs"), loaders: BY_TWO, more };
        plan_of(run.experiment::<Pair>()).unwrap().joined.unwrap()
    };
    assert_eq!(joined("train: (max_epochs: 2)"), "one batch each of `det`, `seg`; the longest makes the epoch");
    let named = joined("train: (max_epochs: 2), epoch_loader: Named(\"seg\")");
    assert_eq!(named, "one batch each of `det`, `seg`; `seg` makes the epoch");
}

#[test]
fn a_loader_that_never_ends_makes_no_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let loaders = ["batch_size: 4, sampler: Infinite()", "batch_size: 2"];
    let (det, _, length) =
        Run { dir: dir.path(), loaders, more: "train: (max_epochs: 2)" }.train::<Pair>(Mode::New, None);
    assert_eq!((length, det.len()), ((2, 6), 24));
}

#[test]
fn by_iter_every_loader_goes_on_from_pass_to_pass() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run { dir: dir.path(), loaders: BY_TWO, more: "train: (max_iters: 12)" };
    let (det, seg, _) = run.train::<PairByIter>(Mode::New, None);
    assert_eq!(det, (0..24).map(|sample| sample % 10).collect::<Vec<_>>());
    assert_eq!(seg, (0..24).map(|sample| sample % 6).collect::<Vec<_>>());
}

/// The common order of both loaders over many passes.
fn common<T: Build>(loaders: [&str; 2], more: &str) -> (Vec<i64>, Vec<i64>) {
    let dir = tempfile::tempdir().unwrap();
    let (det, seg, _) = Run { dir: dir.path(), loaders, more }.train::<T>(Mode::New, None);
    (det, seg)
}

fn resumed_anywhere<T: Build>(more: &str, iters: u64) {
    let loaders = ["batch_size: 3, shuffle: true, workers: 1", "batch_size: 2, shuffle: true"];
    let whole = common::<T>(loaders, more);
    for stop in 1..iters {
        let dir = tempfile::tempdir().unwrap();
        let run = Run { dir: dir.path(), loaders, more };
        let (mut det, mut seg, _) = run.train::<T>(Mode::New, Some(stop));
        let (later_det, later_seg, (_, all)) = run.train::<T>(Mode::Resume, None);
        det.extend(later_det);
        seg.extend(later_seg);
        assert_eq!((det, seg, all), (whole.0.clone(), whole.1.clone(), iters), "stopped after {stop}");
    }
}

#[test]
fn a_run_that_was_stopped_anywhere_goes_on_in_every_loader() {
    resumed_anywhere::<Pair>("train: (max_epochs: 2)", 8);
    resumed_anywhere::<PairByIter>("train: (max_iters: 7)", 7);
}

#[test]
fn with_other_batch_sizes_every_loader_goes_on_at_its_next_sample() {
    let shuffled = |det: u64, seg: u64| [det, seg].map(|size| format!("batch_size: {size}, shuffle: true"));
    let more = "train: (max_epochs: 2), epoch_loader: Named(\"det\")";
    // 30 samples of each
    let ones = shuffled(1, 1);
    let whole = common::<Pair>([&ones[0], &ones[1]], "train: (max_epochs: 3), epoch_loader: Named(\"det\")");
    let dir = tempfile::tempdir().unwrap();
    let [first, later] = [shuffled(2, 2), shuffled(3, 1)];
    let (mut det, mut seg, _) =
        Run { dir: dir.path(), loaders: [&first[0], &first[1]], more }.train::<Pair>(Mode::New, Some(2));
    let (later_det, later_seg, (epochs, iters)) =
        Run { dir: dir.path(), loaders: [&later[0], &later[1]], more }.train::<Pair>(Mode::Resume, None);
    det.extend(later_det);
    seg.extend(later_seg);
    // 4 samples in 2 iters, 6 in 2, and 10 in 4
    assert_eq!((epochs, iters), (2, 8));
    assert_eq!(det, whole.0[..20]);
    assert_eq!(seg, whole.1[..4 + 6]);
}

#[test]
fn another_loader_that_makes_the_epoch_is_told_when_it_changes_in_mid_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let run = |loaders| Run { dir: dir.path(), loaders, more: "train: (max_epochs: 2)" };
    run(BY_TWO).train::<Pair>(Mode::New, Some(2));
    let later = run(["batch_size: 10", "batch_size: 1"]);
    later.train::<Pair>(Mode::Resume, None);
    let told = "the epoch under way ends with the pass of `seg`; it began as one of `det`";
    assert!(later.log().contains(told), "{}", later.log());
}

#[test]
fn each_val_loader_feeds_the_step_of_its_batches() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run { dir: dir.path(), loaders: BY_TWO, more: "train: (max_epochs: 1)" };
    run.train::<Pair>(Mode::New, None);
    let checkpoint = engine::checkpoint::newest_valid(&dir.path().join("pair/checkpoints")).unwrap().found.unwrap().0;
    let report = run_val(run.experiment::<Pair>(), &checkpoint, Verbosity::default()).unwrap().metrics;
    assert_eq!(SEEN.take(), (vec![0, 1, 2], vec![0, 1]));
    let value = |name: &str| report.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    assert_eq!((value("val/val_det/loss"), value("val/val_seg/loss")), (Some(1.0), Some(-2.0)));
}

#[test]
fn counts_without_end_overflow_nothing() {
    let most = u64::MAX;
    let plans = [
        format!(
            "train: (max_epochs: {most}, max_iters: {most}, batches_per_epoch: {most}), val: (interval: {most}, begin: {most}, sanity: 0)"
        ),
        format!("train: (max_epochs: {most}, accumulate: 65536)"),
        format!("train: (max_epochs: 1, batches_per_epoch: {most}, accumulate: 3)"),
    ];
    for plan in plans {
        let dir = tempfile::tempdir().unwrap();
        let run = Run { dir: dir.path(), loaders: BY_TWO, more: &plan };
        assert_eq!(run.train::<Pair>(Mode::New, Some(3)).2.1, 3, "{plan}");
        assert_eq!(run.train::<Pair>(Mode::Resume, Some(5)).2.1, 5, "{plan}");
    }
}

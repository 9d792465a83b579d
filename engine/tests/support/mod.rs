//! A program in small, written by hand against the engine's traits: a trainer, its data, a hook that sees every
//! phase and can do anything in it, and sinks that keep what they get.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "its parts share their items with the tests")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod data;
mod probe;
mod toy;

#[allow(unused_imports, reason = "each test program uses a part of it")]
pub use probe::{Lines, Log, Probe, Rows, Seen, TakesAll, kept, probe};
#[allow(unused_imports, reason = "each test program uses a part of it")]
pub use toy::{Bare, ByEpoch, ByIter, Everything, NoHooks, OnStep, Shape, Toy, TwoVals, metric};

use engine::base::{Clock, Output, Result};
use engine::checkpoint::Snapshot;
use engine::folder::{Mode, RunFolder};
use engine::hook::{CustomHook, Dispatcher, EngineHooks, Hook};
use engine::hooks::{Checkpoint, DefaultHooks, Ema, Logger, Scheduler, Timer};
use engine::loops::{End, Plan, Program, TrainPlan, ValPlan};
use engine::model::ModelEntry;
use engine::optim::{AdamW, Lbfgs, Optim, Optimizer, Precision, Sgd};
use engine::phase::Phase;
use engine::random::Stream;
use engine::run::{Context, Numerics, RunState, Stop, StopKind};
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use tch::{Device, Tensor, nn};

/// A toy with the engine's hooks.
pub type Full<S> = Program<DefaultHooks, Toy<S>>;
/// A toy without.
pub type Plain<S> = Program<NoHooks, Toy<S>>;

/// What a test sets of a program.
#[derive(Clone)]
pub struct Setup {
    pub samples: usize,
    pub batch_size: usize,
    pub val_samples: usize,
    pub shuffle: bool,
    pub noise: bool,
    pub endless: bool,
    pub workers: usize,
    pub dropout: f64,
    pub adam: bool,
    pub lbfgs: Option<Lbfgs>,
    pub lr: f64,
    pub precision: Precision,
    pub train: TrainPlan,
    pub val: Option<ValPlan>,
    /// RON of the hook's settings.
    pub ema: Option<&'static str>,
    pub logger: &'static str,
    pub checkpoint: &'static str,
}

impl Default for Setup {
    /// Two epochs of three batches of two samples, validated after each.
    fn default() -> Self {
        Setup {
            samples: 6,
            batch_size: 2,
            val_samples: 3,
            shuffle: false,
            noise: false,
            endless: false,
            workers: 0,
            dropout: 0.0,
            adam: false,
            lbfgs: None,
            lr: 0.1,
            precision: Precision::F32,
            train: TrainPlan { max_epochs: Some(2), accumulate: 1, ..TrainPlan::default() },
            val: Some(every(1, Clock::Epoch)),
            ema: None,
            logger: "()",
            checkpoint: "()",
        }
    }
}

/// A validation at every multiple.
pub fn every(interval: u64, by: Clock) -> ValPlan {
    ValPlan { interval, begin: 0, dynamic_intervals: vec![], by, at_end: true, sanity: 0 }
}

impl Setup {
    /// Counted in iters, one batch each.
    pub fn iters(max_iters: u64) -> Setup {
        let train = TrainPlan { max_iters: Some(max_iters), accumulate: 1, ..TrainPlan::default() };
        Setup { train, val: None, ..Setup::default() }
    }

    /// Counted in epochs, without validation.
    pub fn epochs(max_epochs: u64) -> Setup {
        let train = TrainPlan { max_epochs: Some(max_epochs), accumulate: 1, ..TrainPlan::default() };
        Setup { train, val: None, ..Setup::default() }
    }

    /// The program, without the engine's hooks.
    pub fn plain<S: Shape>(&self) -> Plain<S> {
        self.with(NoHooks)
    }

    /// The program, with the engine's hooks.
    pub fn full<S: Shape>(&self) -> Full<S> {
        self.with(DefaultHooks {
            timer: from_ron::<Timer>("()"),
            scheduler: from_ron::<Scheduler>("()"),
            logger: from_ron::<Logger>(self.logger),
            checkpoint: from_ron::<Checkpoint>(&self.checkpoint()),
        })
    }

    /// The settings of the hook. Where a test says nothing of it, checkpoints are on the disk when they were asked for, so
    /// that `after_save_checkpoint` has its place among the phases.
    fn checkpoint(&self) -> String {
        match self.checkpoint {
            "()" => "(background: false)".to_owned(),
            said if said.contains("background") => said.to_owned(),
            said => said.replacen('(', "(background: false, ", 1),
        }
    }

    /// A full program that writes into a run's folder.
    pub fn in_folder<S: Shape>(&self, dir: &Path) -> Full<S> {
        let mut driver = self.full::<S>();
        let mode = if dir.join("run").exists() { Mode::Resume } else { Mode::New };
        let folder = RunFolder::create(dir, "run", mode).unwrap();
        if mode == Mode::New {
            std::fs::write(folder.experiment(), "").unwrap();
        }
        driver.run.storage.folder = Some(folder);
        driver
    }

    /// A full program with another seed of the run than 7.
    pub fn seeded<S: Shape>(&self, seed: u64) -> Full<S> {
        let mut driver = self.full::<S>();
        let mut other = RunState::new(S::CLOCK, Device::Cpu, seed);
        other.models = std::mem::take(&mut driver.run.models);
        other.updates = std::mem::take(&mut driver.run.updates);
        driver.run = other;
        driver
    }

    fn with<D: EngineHooks, S: Shape>(&self, hooks: D) -> Program<D, Toy<S>> {
        // several would wait for each other for most of the time: the tensors are small, and tests run beside each other
        tch::set_num_threads(1);
        let mut run = RunState::new(S::CLOCK, Device::Cpu, 7);
        run.numerics = Numerics { precision: self.precision, channels_last: false };
        let store = nn::VarStore::new(Device::Cpu);
        let toy = Toy::new(self, &store);
        fill(&store);
        run.models.push(ModelEntry::new("net", store));
        let parameters = run.models.get("net").unwrap().parameters();
        let parameters = parameters.map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        let recipe: Box<dyn Optimizer> = match (&self.lbfgs, self.adam) {
            (Some(lbfgs), _) => Box::new(lbfgs.clone()),
            (None, true) => Box::new(AdamW::new(self.lr)),
            (None, false) => Box::new(Sgd::new(self.lr)),
        };
        run.updates.add(Optim::new("opt", recipe.as_ref(), parameters).unwrap());
        let hooks = Dispatcher::new(hooks, vec![], vec![]);
        let plan = Plan { train: self.train.clone(), val: self.val.clone(), ..Plan::default() };
        let mut driver = Program::new(toy, hooks, plan, run);
        driver.run.seen.results.measures = driver.measures().unwrap();
        driver.run.seen.results.measured_by = driver.measured_by().unwrap();
        driver
    }
}

/// First weights that come from no global generator: tests run beside each other.
fn fill(store: &nn::VarStore) {
    for (name, mut tensor) in store.variables() {
        let mut stream = Stream::new(7, &name, 0, 0);
        let numbers: Vec<f32> = (0..tensor.numel()).map(|_| stream.unit() as f32 - 0.5).collect();
        let numbers = Tensor::from_slice(&numbers).reshape(tensor.size());
        tch::no_grad(|| tensor.copy_(&numbers));
    }
}

/// For tests that draw from libtorch's generator, which the whole process shares.
pub fn alone() -> impl Drop {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts libtorch's generator to a start of the test's own.
#[expect(clippy::disallowed_methods, reason = "a test must show that the run's own state wins over it")]
pub fn seed(seed: i64) {
    tch::manual_seed(seed);
}

/// A folder that goes when it is dropped: in memory where that is possible, for a checkpoint syncs every file.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// The hook with these settings.
pub fn from_ron<H: Hook>(settings: &str) -> H {
    H::build(&engine::config::parse_text("hook.ron", settings).unwrap().read().unwrap())
}

/// What every driver of a toy can do, whatever its engine hooks.
pub trait Toyed<S: Shape> {
    fn toy(&mut self) -> &mut Toy<S>;
    /// Adds a hook as a file's `custom_hooks` would.
    fn add<H: Hook>(&mut self, hook: H);
    fn train_all(&mut self) -> Result<End>;
    /// Calls `action` in every phase, before all other hooks of its level but the engine's own.
    fn on(&mut self, action: impl FnMut(Phase, &mut Context<'_>) -> Result<()> + 'static);
    /// Calls `action` in this phase.
    fn at(&mut self, phase: Phase, mut action: impl FnMut(&mut Context<'_>) + 'static) {
        self.on(move |now, cx| {
            if now == phase {
                action(cx);
            }
            Ok(())
        });
    }
    /// Keeps what `look` finds in the phases from now on.
    fn watch<T: 'static>(&mut self, mut look: impl FnMut(Phase, &mut Context<'_>) -> Option<T> + 'static) -> Seen<T> {
        let seen = Seen::default();
        let kept = seen.clone();
        self.on(move |phase, cx| {
            look(phase, cx).into_iter().for_each(|found| kept.push(found));
            Ok(())
        });
        seen
    }
    /// Keeps what `look` finds each time that this phase comes.
    fn watch_at<T: 'static>(&mut self, at: Phase, mut look: impl FnMut(&mut Context<'_>) -> T + 'static) -> Seen<T> {
        self.watch(move |phase, cx| (phase == at).then(|| look(cx)))
    }
    /// Keeps the phases that are gone through from now on.
    fn record_phases(&mut self) -> Log {
        Log(self.watch(|phase, _| Some(phase)))
    }
    fn keep_rows(&mut self) -> (Rows, Lines);
    fn keep_rows_in(&mut self, rows: &Rows, lines: &Lines);
    /// Every weight, flat, by name.
    fn weights(&self) -> Vec<(String, Vec<f32>)>;
}

impl<D: EngineHooks, S: Shape> Toyed<S> for Program<D, Toy<S>> {
    fn toy(&mut self) -> &mut Toy<S> {
        &mut self.trainer
    }

    fn add<H: Hook>(&mut self, hook: H) {
        let origin = format!("custom_hooks.{}", self.hooks.custom.len());
        self.hooks.add(CustomHook { origin, priority: H::PRIORITY, hook: Box::new(hook) });
    }

    fn train_all(&mut self) -> Result<End> {
        self.run(|driver| driver.train())
    }

    fn on(&mut self, action: impl FnMut(Phase, &mut Context<'_>) -> Result<()> + 'static) {
        self.toy().probe.action.push(Box::new(action));
    }

    fn keep_rows(&mut self) -> (Rows, Lines) {
        let (rows, lines) = (Rows::default(), Lines::default());
        self.keep_rows_in(&rows, &lines);
        (rows, lines)
    }

    /// Adds to rows of a run that this one continues.
    fn keep_rows_in(&mut self, rows: &Rows, lines: &Lines) {
        self.run.seen.sinks.push("kept", probe::kept(rows, lines));
    }

    fn weights(&self) -> Vec<(String, Vec<f32>)> {
        flat(self.run.models.get("net").unwrap().variables())
    }
}

/// Named tensors as numbers.
pub fn flat(tensors: &[(String, Tensor)]) -> Vec<(String, Vec<f32>)> {
    let numbers = |tensor: &Tensor| Vec::<f32>::try_from(tensor.detach().reshape([-1])).unwrap();
    tensors.iter().map(|(name, tensor)| (name.clone(), numbers(tensor))).collect()
}

/// The newest checkpoint of a program's folder.
pub fn newest(dir: &Path) -> Snapshot {
    engine::checkpoint::newest_valid(&dir.join("run/checkpoints")).unwrap().found.unwrap().1
}

/// The names of the checkpoints in a program's folder, sorted.
pub fn checkpoints(dir: &Path) -> Vec<String> {
    let found = engine::checkpoint::list(&dir.join("run/checkpoints")).unwrap();
    let mut names: Vec<String> =
        found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// `Ema` from RON.
pub fn ema(settings: &str) -> Ema {
    from_ron::<Ema>(settings)
}

/// A program whose validation losses are these, epoch by epoch.
pub fn with_losses(mut setup: Setup, losses: &'static [f64], dir: &Path) -> Full<ByEpoch> {
    setup.train.max_epochs = Some(losses.len() as u64);
    let mut driver = setup.in_folder::<ByEpoch>(dir);
    let epoch = Rc::new(Cell::new(0));
    let current = epoch.clone();
    let first = Cell::new(None);
    driver.on(move |phase, cx| {
        if phase == Phase::BeforeVal {
            let start = first.get().unwrap_or(cx.epoch().get());
            first.set(Some(start));
            current.set((cx.epoch().get() - start) as usize);
        }
        Ok(())
    });
    driver.toy().on_val = Some(Box::new(move |output, _| {
        let loss = Output::new(Tensor::from(losses[epoch.get()]));
        Ok(["logits", "target"].into_iter().fold(loss, |loss, name| loss.tensor(name, output.get(name).unwrap())))
    }));
    driver
}

/// How a run ends that this hook or step has stopped for this reason.
pub fn ended_by(by: &str, reason: &str) -> End {
    End::Stopped(Stop { kind: StopKind::Requested, by: by.to_owned(), reason: reason.to_owned() })
}

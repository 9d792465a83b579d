//! `plan --ranks`: what a training in so many processes reads, does, writes and needs, told without starting one.

use crate::base::{Clock, Epoch, Error, Iter, Result};
use crate::data::Source;
use crate::hook::Slots as _;
use crate::hooks::DefaultHooks;
use crate::loops::{Role, Trainer};
use crate::model::ModelEntry;
use crate::optim::update::ScaledLr;
use crate::optim::{GroupName, TrainingProgress};
use crate::phase::Phase;
use crate::run::Cadence;
use crate::trainer::run::Program;
use crate::trainer::run::program::build;
use crate::trainer::run::train::scale_lr;
use crate::trainer::{Build, DeviceChoice, Experiment};
use tch::Tensor;

/// A training in several processes, as `plan --ranks` tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct RanksPlan {
    /// How many there are.
    pub ranks: usize,
    /// The train and val loaders.
    pub loaders: Vec<PlannedLoader>,
    /// Iters of an epoch; 0 when a training is counted in iters alone.
    pub iters_per_epoch: u64,
    /// Iters of the training.
    pub iters: u64,
    /// By what `scale_lr` multiplies learning rates.
    pub scaled: Vec<ScaledLr>,
    /// The learning rate of each group of each optimizer: its name, and the rate of some iters.
    pub lr: Vec<(String, Vec<(u64, f64)>)>,
    /// Regular checkpoints, and how many of them are kept; `None` without the hook.
    pub checkpoints: Option<PlannedCheckpoints>,
    /// Bytes on each rank.
    pub memory: PlannedMemory,
}

/// How a loader is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedLoader {
    /// Its name.
    pub name: &'static str,
    /// Samples of a full batch of all ranks.
    pub batch: u64,
    /// Batches of a pass; `None` when it never ends.
    pub batches: Option<u64>,
    /// Samples of the last batch of a pass, of all ranks.
    pub tail: Option<u64>,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedCheckpoints {
    /// Those at intervals.
    pub regular: u64,
    /// How many of the newest are kept.
    pub keep: usize,
    /// Bytes of each, but for small states.
    pub bytes: u64,
}

/// What models and optimizers need on each rank, in bytes. Activations, buffers of gradients under way and libtorch itself are
/// not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedMemory {
    /// Variables of the models.
    pub weights: u64,
    /// Gradients of all parameters.
    pub gradients: u64,
    /// The state of the optimizers, of the rank that has most of it.
    pub optimizers: u64,
}

/// The iters of a learning rate that are told, as parts of the training.
const LOOKS: u64 = 10;

/// What a training in `ranks` processes does. The datasets are opened and the models built, on the CPU; nothing is trained.
///
/// # Errors
/// When a part finds something wrong with its settings, a loader can't be divided among so many, and when the training has
/// no end.
pub fn plan_of_ranks<T: Build>(mut experiment: Experiment<T>, ranks: usize) -> Result<RanksPlan> {
    let scale = experiment.train.scale_lr;
    let divided_over = if experiment.dist.shard_optimizer { ranks } else { 1 };
    experiment.device = DeviceChoice::Cpu;
    let mut program = build(experiment, &[Role::Train, Role::Val])?;
    let mut loaders = Vec::new();
    for (place, name) in T::loaders(Role::Train).iter().enumerate() {
        if let Some(loader) = program.trainer.train_loader(place) {
            loaders.push(divided(name, loader, ranks)?);
        }
    }
    for (place, name) in program.loaders.clone().of(Role::Val) {
        if let Some(fed) = <T as Trainer>::evaluated(Role::Val, place) {
            loaders.push(divided(name, fed.loader(&mut program.trainer)?, ranks)?);
        }
    }
    program.prepare_train()?;
    let scaled = scale_lr(&mut program, scale)?;
    let progress = program.run.clocks().progress();
    let iters = progress.planned.max_iters;
    let lr = rates(&program, &progress)?;
    let state = program.run.updates.state_bytes(divided_over)?;
    let variables = program.run.models.iter().flat_map(ModelEntry::distinct).map(|(_, tensor)| tensor);
    let parameters = program.run.models.iter().flat_map(ModelEntry::parameters).map(|(_, tensor)| tensor);
    let (weights, gradients) = (bytes(variables), bytes(parameters.filter(|tensor| tensor.requires_grad())));
    Ok(RanksPlan {
        ranks,
        loaders,
        iters_per_epoch: progress.planned.iters_per_epoch,
        iters,
        scaled,
        lr,
        checkpoints: checkpoints(&program, weights + state.all, iters),
        memory: PlannedMemory { weights, gradients, optimizers: state.most },
    })
}

fn divided(name: &'static str, loader: &mut dyn Source, ranks: usize) -> Result<PlannedLoader> {
    loader.deal(0, ranks)?;
    let batch = loader.batch_samples().ok_or_else(|| {
        Error::msg(format!("the loader `{name}` does not tell the samples of a batch (`Source::batch_samples`)"))
    })?;
    Ok(PlannedLoader { name, batch, batches: loader.batches(), tail: loader.tail() })
}

fn bytes<'a>(tensors: impl Iterator<Item = &'a Tensor>) -> u64 {
    tensors.map(|tensor| (tensor.numel() * tensor.kind().elt_size_in_bytes()) as u64).sum()
}

/// By optimizer and group: iters, each with the learning rate of its update.
type Rates = Vec<(String, Vec<(u64, f64)>)>;

/// The learning rates at the first iter, at tenths of the training, and at the last iter.
fn rates<T: Build>(program: &Program<T>, progress: &TrainingProgress) -> Result<Rates> {
    let planned = progress.planned;
    let last = planned.max_iters.saturating_sub(1);
    let mut looks: Vec<u64> =
        (0..=LOOKS).map(|look| (u128::from(last) * u128::from(look) / u128::from(LOOKS)) as u64).collect();
    looks.dedup();
    let epoch_of = |iter: u64| Epoch(iter.checked_div(planned.iters_per_epoch).unwrap_or(0));
    let mut all = Vec::new();
    for optimizer in program.run.updates.optimizers() {
        for group in optimizer.groups() {
            let Some(initial) = group.settings().initial("lr") else { continue };
            let name = GroupName { optimizer: optimizer.name(), group: group.name() };
            let rate = |iter: u64| -> Result<(u64, f64)> {
                let at = TrainingProgress { epoch: epoch_of(iter), iter: Iter(iter), planned };
                Ok((iter, program.run.updates.schedules.value("lr", name, initial, &at)?.unwrap_or(initial)))
            };
            let rates = looks.iter().map(|iter| rate(*iter)).collect::<Result<_>>()?;
            all.push((format!("{}, {}", optimizer.name(), group.name()), rates));
        }
    }
    Ok(all)
}

fn checkpoints<T: Build>(program: &Program<T>, bytes: u64, iters: u64) -> Option<PlannedCheckpoints> {
    let place = DefaultHooks::SLOTS.iter().position(|slot| slot.name == "checkpoint")?;
    program.planned(Phase::AfterTrainIter).iter().find(|hook| hook.slot == place)?;
    let hook = &program.hooks.engine.first.checkpoint;
    let clocks = program.run.clocks();
    let at = |cadence: &Cadence, last: u64| (1..=last).filter(|count| cadence.is_at(*count)).count() as u64;
    let counted = |cadence: Cadence| match cadence.by {
        Clock::Iter => at(&cadence, iters),
        Clock::Epoch => at(&cadence, clocks.max_epochs().unwrap_or(0)),
        // an update counts several, and comes past one multiple or more
        Clock::Sample => {
            let multiples = |samples: u64| samples / cadence.interval.max(1);
            let all = clocks.planned(Clock::Sample).map_or(0, multiples);
            all.saturating_sub(multiples(cadence.begin.saturating_sub(1))).min(iters)
        }
    };
    let regular = hook.cadence(clocks.clock()).map_or(0, counted);
    Some(PlannedCheckpoints { regular, keep: hook.keep(), bytes })
}

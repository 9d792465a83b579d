//! `train`: a training in a folder of its own, from its first line to its last.

use crate::base::{Clock, Result};
use crate::dist::{Group, Process};
use crate::folder::Mode;
use crate::loops::{End, Role};
use crate::model::ModelEntry;
use crate::optim::update::{ScaleLr, ScaledLr, ShardSize};
use crate::record::Sink as _;
use crate::run::{Signals, TimeLimit};
use crate::sinks::{ConsoleOptions, LogFile};
use crate::trainer::run::check_schedules::check_schedules;
#[cfg(feature = "s3")]
use crate::trainer::run::mirror::Mirrored;
use crate::trainer::run::program::{build_on, prepare, scale_gradients};
use crate::trainer::run::recording::Recording;
use crate::trainer::run::start::{Claim, Start};
use crate::trainer::run::{Program, Summary, environment, plan_file, ranks, weights};
use crate::trainer::{Build, Experiment, Resume};
use std::path::{Path, PathBuf};
use tch::Device;

/// How a training is begun.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// What to do about a run that is already in the folder.
    pub mode: Mode,
    /// The checkpoint to go on from. With [`Mode::Resume`] one of the run itself, instead of its newest; what is newer is
    /// left behind. With [`Mode::New`] any: the new run begins with its whole state.
    pub from: Option<PathBuf>,
    /// Goes on also with a training that a hook or a step had ended.
    pub past_end: bool,
    /// When the run ends by the clock on the wall; its last finished iter is saved then.
    pub time_limit: Option<TimeLimit>,
    /// What the console looks like.
    pub console: ConsoleOptions,
}

impl From<Mode> for TrainOptions {
    fn from(mode: Mode) -> Self {
        TrainOptions { mode, from: None, past_end: false, time_limit: None, console: ConsoleOptions::default() }
    }
}

/// Trains in the run's folder.
///
/// # Errors
/// When the folder holds a run already, or something fails while building or running.
pub fn run_train<T: Build>(experiment: Experiment<T>, options: impl Into<TrainOptions>) -> Result<Summary> {
    // before the ranks meet: from then on a signal to one of them ends all in good order
    let signals = Signals::listen()?;
    let process = match ranks::join(&experiment, &signals) {
        Ok(process) => process,
        Err(error) => return ranks::interrupted(error, &signals),
    };
    if let (Process::Alone, Some(signal)) = (&process, signals.received()) {
        // nothing is written yet
        return Ok(Summary::of_signal(signal, process.rank()));
    }
    let summary = train_as(process.clone(), signals, experiment, options.into());
    ranks::leave(&process, summary.as_ref().err());
    summary
}

/// [`run_train`], alone or as one of several processes. Rank 0 has the folder and writes everything in it but the logs of
/// the others; what it chooses there, it tells them.
fn train_as<T: Build>(
    process: Process,
    signals: Signals,
    mut experiment: Experiment<T>,
    mut options: TrainOptions,
) -> Result<Summary> {
    if options.mode == Mode::New && options.from.is_none() && experiment.resume == Resume::Auto {
        options.mode = Mode::Auto;
    }
    if process.attempt() > 0 {
        // the launcher has started the ranks again: whatever the first ones were to do, these go on
        (options.mode, options.from) = (Mode::Auto, None);
    }
    // nothing is written yet: a device that is not there is no reason to begin a run
    let device = prepare(&experiment, &process)?;
    let named = match process.is_main() {
        true => Claim::settle(&mut experiment, options.mode)?,
        false => None,
    };
    #[cfg(feature = "s3")]
    let mirror = match process.is_main() {
        true => Mirrored::of(&experiment, options.mode, options.from.is_some())?,
        false => Mirrored::default(),
    };
    let claim = process.is_main().then(|| Claim::of(&experiment, options.mode, named)).transpose()?;
    let path =
        claim.as_ref().map_or_else(|| experiment.name.folder_in(&experiment.work_dir), |claim| claim.path().to_owned());
    let facts = environment::report(&experiment, device, &path, &process);
    let mut recording = Recording::of(&mut experiment, facts)?;

    let train_loop = experiment.train_loop.take();
    let given = std::mem::take(&mut experiment.weights);
    let (mut program, told) =
        build_for_training(device, experiment, process.clone(), Some(signals), &[Role::Train, Role::Val])?;
    program.run.signals.lead_to_checkpoint();
    check_schedules(&mut program)?;
    program.plan.train.past_end = options.past_end;
    program.plan.train.time_limit = options.time_limit;
    if let Some(ended) = ended_before_it_began(&program) {
        // also an old run stays where it is
        return Ok(ended);
    }
    let folder = claim.map(Claim::take_folder).transpose()?;
    if let Some(folder) = &folder {
        recording.add_sinks(folder, &mut program.run.seen.sinks);
    }
    let (folder, mut start) = Start::look(folder, &process, options.from.as_deref(), recording.text().to_owned())?;
    start.restore(&mut program)?;
    let loaded = match start.goes_on() {
        true => weights::left_alone(&given),
        false => weights::load(&mut program, &given)?,
    };
    recording.add_facts(loaded.details);
    if let Some(ended) = ended_before_it_began(&program) {
        return Ok(ended);
    }
    // whatever can be refused was refused; from here on files of the run change
    ranks::ready(&process)?;
    if process.is_main() {
        start.begin(&folder)?;
    }
    let (log, info) = (folder.log_of(process.rank()), recording.info(folder.path(), program.measured()));
    let info = start.info(info, &program);
    recording.begin(&log, process.is_main().then_some(options.console), &mut program.run.seen.sinks)?;
    program.run.storage.folder = Some(folder);
    greet(&mut program, told)?;
    if program.run.process.is_main() {
        plan_file::write(&mut program)?;
    }
    start.tell(&mut program)?;
    loaded.lines.iter().try_for_each(|line| program.run.say(line))?;
    #[cfg(feature = "s3")]
    mirror.begin(&mut program)?;

    let opened = program.run.seen.sinks.open(&info);
    let end = opened.and_then(|()| program.run(|program| start.train(program, train_loop.as_deref())));
    note_the_end(&log, &end);
    Ok(Summary::of(&program, end?))
}

/// The end of a process alone that was told to end before it has written anything. Ranks end after their first iter, as they
/// agree on it there.
fn ended_before_it_began<T: Build>(program: &Program<T>) -> Option<Summary> {
    let signal = program.run.signals.received().filter(|_| matches!(program.run.process, Process::Alone))?;
    Some(Summary::of_signal(signal, program.run.process.rank()))
}

/// The program, with everything checked that can be checked before the first batch but for its schedules, and lines about what
/// is other than the file says. It listens to signals.
pub(super) fn build_for_training<T: Build>(
    device: Device,
    experiment: Experiment<T>,
    process: Process,
    signals: Option<Signals>,
    roles: &[Role],
) -> Result<(Program<T>, Vec<String>)> {
    let (scale, scales) = (experiment.train.scale_lr, experiment.train.gradient_scale.clone());
    let mut program = build_on(device, experiment, roles)?;
    scale_gradients(&mut program, &scales)?;
    program.run.process = process;
    program.deal_loaders()?;
    let overfit = program.overfit()?;
    program.shard_optimizers()?;
    match signals {
        Some(signals) => program.run.signals = signals,
        None => program.listen_to_signals()?,
    }
    program.run.signals.lead_to_end();
    program.prepare_train()?;
    let scaled = scale_lr(&mut program, scale)?;
    let batch = if scaled.is_empty() { 0 } else { program.batch_samples()? };
    let told = scaled.iter().map(|scaled| told_of_scale(scaled, batch)).chain(overfit).collect();
    Ok((program, told))
}

/// Multiplies learning rates as `train.scale_lr` says.
pub(super) fn scale_lr<T: Build>(program: &mut Program<T>, scale: Option<ScaleLr>) -> Result<Vec<ScaledLr>> {
    let Some(scale) = scale else { return Ok(Vec::new()) };
    let batch = program.batch_samples()?;
    Ok(program.run.updates.scale_initial_lr(scale, batch)?)
}

/// `` `opt`: learning rates × 2 ``.
fn told_of_scale(ScaledLr { optimizer, accumulate, factor }: &ScaledLr, batch: u64) -> String {
    let of = match accumulate {
        1 => format!("{batch} samples"),
        _ => format!("{accumulate} × {batch} samples"),
    };
    format!("`{optimizer}` has {factor} times the learning rates of the file, as its updates have {of} (`scale_lr`)")
}

/// The first lines of a run: what runs where.
fn greet<T: Build>(program: &mut Program<T>, told: Vec<String>) -> Result<()> {
    let device = match program.run.device {
        Device::Cpu if tch::get_num_threads() == 1 => "the CPU with 1 thread".to_owned(),
        Device::Cpu => format!("the CPU with {} threads", tch::get_num_threads()),
        device => format!("{device:?}"),
    };
    let models: Vec<String> = program.run.models.iter().map(told_of_model).collect();
    let single = single_samples(program);
    let Some(folder) = &program.run.storage.folder else { return Ok(()) };
    let ranks = match program.run.process.world() {
        1 => String::new(),
        world => format!(" in {world} ranks"),
    };
    let mut lines =
        vec![format!("{} in {} on {device}{ranks}; {}", T::NAME, folder.path().display(), models.join(", "))];
    if let several @ [_, _, ..] = T::loaders(Role::Train) {
        let of_epoch = match (T::CLOCK, program.plan.train.batches_per_epoch) {
            (Clock::Epoch, None) => format!("; an epoch is a pass of `{}`", program.epoch_loader_name()),
            _ => String::new(),
        };
        lines.push(format!("an iter takes one batch each of `{}`{of_epoch}", several.join("`, `")));
    }
    lines.extend(told);
    lines.extend(single);
    if let Some(ShardSize { own, all }) = program.run.updates.shard_size()? {
        let mb = |bytes: u64| bytes as f64 / 1e6;
        lines.push(format!(
            "each rank has a part of the optimizers' state: this one {:.1} MB of {:.1} MB",
            mb(own),
            mb(all)
        ));
    }
    if folder.is_reused() {
        lines.push("the earlier run here wrote no row and no checkpoint; this run continues its log".to_owned());
    }
    if let Some(aside) = folder.moved_aside() {
        lines.push(format!("the earlier run was moved to {}", aside.display()));
    }
    if let Some(val) = program.plan.val.as_ref().filter(|_| program.loaders.has(Role::Val)) {
        let clocks = program.run.clocks();
        let last = clocks.planned(val.by);
        if last.is_some_and(|last| !val.is_ever_due(last)) {
            lines.push(
                "warning: the training ends before its first validation, so nothing is measured unless a hook asks for it; begin earlier in `val`, or leave `at_end: true`"
                    .to_owned(),
            );
        }
    }
    lines.iter().try_for_each(|line| program.run.say(line))
}

/// What is told of train loaders whose pass ends with a batch of one sample, where a model has batch norm: it has no
/// variance of one value, and a run would come to that only at the end of its first epoch.
fn single_samples<T: Build>(program: &mut Program<T>) -> Option<String> {
    let has_batch_norm =
        program.run.models.iter().any(|model| {
            model.variables().iter().any(|(name, _)| name == "running_var" || name.ends_with(".running_var"))
        });
    // over all ranks there are more
    let over_ranks = program.run.process.group().is_some_and(Group::syncs_batch_norm);
    if !has_batch_norm || over_ranks {
        return None;
    }
    let single = T::loaders(Role::Train).iter().enumerate().find_map(|(place, name)| {
        let last = program.trainer.train_loader(place)?.last_batch();
        (last == Some(1)).then_some(*name)
    })?;
    Some(format!(
        "warning: the last batch of each pass of `{single}` has one sample, and batch norm over one value for each feature \
         fails; `drop_last: true` in `loaders.{single}` leaves it out"
    ))
}

/// `net` with 1234 parameters, 1000 of them frozen.
fn told_of_model(model: &ModelEntry) -> String {
    let frozen = match model.frozen_count() {
        0 => String::new(),
        count => format!(", {count} of them frozen"),
    };
    let parameters = if model.parameter_count() == 1 { "parameter" } else { "parameters" };
    format!("`{}` with {} {parameters}{frozen}", model.name(), model.parameter_count())
}

/// Writes how the run ended into its log. The console is told by the caller.
pub(super) fn note_the_end(log: &Path, end: &Result<End>) {
    let text = match end {
        Ok(End::Finished) => "finished".to_owned(),
        Ok(End::Stopped(stop)) => format!("stopped: {stop}"),
        Ok(End::Signal(signal)) => format!("stopped by {signal}"),
        Err(error) => format!("failed: {error:#}"),
    };
    // a log that can't be written hides nothing: the caller has the error, which is most likely a full disk
    if let Ok(mut log) = LogFile::open(log) {
        let _ = log.line(&text);
    }
}

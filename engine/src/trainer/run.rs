//! An experiment becomes a program, and runs.

use crate::base::disk::write_atomic;
use crate::base::{Error, ErrorContext as _, Prediction, Priority, Result};
use crate::checkpoint::{self, Newest};
use crate::folder::{FinishedRun, Mode, RunFolder};
use crate::hook::{Both, CustomHook, Dispatcher, Hook, HookField, Planned, SlotSetting, Slots};
use crate::hooks::DefaultHooks;
use crate::loops::{Driver, End, Report, Role, TrainPlan};
use crate::optim::Outlook;
use crate::phase::Phase;
use crate::record::{RowPhase, Sink as _};
use crate::run::{Command, RunState};
use crate::sinks::{LogFile, Verbosity};
use crate::trainer::environment;
use crate::trainer::fields::HookSetting;
use crate::trainer::recording::Recording;
use crate::trainer::{Build, Builder, DeviceChoice, Experiment, Mistake, Refused};
use std::path::{Path, PathBuf};
use tch::Device;

/// A trainer with everything around it, ready to run.
pub type Program<T> = Driver<DefaultHooks, T>;

/// How a training ended, and what it measured.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Why it ended.
    pub end: End,
    /// The latest metrics under their monitored names.
    pub metrics: Report,
    /// Finished epochs.
    pub epoch: u64,
    /// Finished updates.
    pub iter: u64,
}

/// How a training is begun.
#[derive(Clone, Copy, Debug)]
pub struct TrainOptions {
    /// What to do about a run that is already in the folder.
    pub mode: Mode,
    /// How much the console shows.
    pub verbosity: Verbosity,
}

impl From<Mode> for TrainOptions {
    fn from(mode: Mode) -> Self {
        TrainOptions { mode, verbosity: Verbosity::default() }
    }
}

/// Builds a program. Only the loaders of these roles are used.
///
/// # Errors
/// When the device is not there, or a part finds something wrong with its settings.
pub fn build<T: Build>(experiment: Experiment<T>, roles: &[Role]) -> Result<Program<T>> {
    let device = prepare(&experiment)?;
    build_on(device, experiment, roles)
}

/// The experiment's device; sets libtorch's threads for one operator.
fn prepare<T: Build>(experiment: &Experiment<T>) -> Result<Device> {
    let device = experiment.device.resolve().map_err(|why| Refused::at("device", why))?;
    if let Some(threads) = experiment.threads {
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX).max(1));
    }
    Ok(device)
}

fn build_on<T: Build>(device: Device, experiment: Experiment<T>, roles: &[Role]) -> Result<Program<T>> {
    let mut run = RunState::new(T::CLOCK, device, experiment.seed);
    let train_plan = TrainPlan { stop_after: experiment.stop_after, ..experiment.train.plan() };
    let val_plan = (!T::loaders(Role::Val).is_empty()).then(|| experiment.val.plan(T::CLOCK));
    let mut settings = Vec::new();
    let defaults = DefaultHooks {
        timer: default_hook(&experiment.hooks.timer, &mut settings)?,
        scheduler: default_hook(&experiment.hooks.scheduler, &mut settings)?,
        logger: default_hook(&experiment.hooks.logger, &mut settings)?,
        checkpoint: default_hook(&experiment.hooks.checkpoint, &mut settings)?,
    };
    let mut builder = Builder::new(&mut run, roles);
    let trainer = T::build(experiment.sections, &mut builder)?;
    settings.extend(builder.into_slots());
    settings.push(SlotSetting::default());
    let custom = experiment.custom_hooks.iter().enumerate().map(|(index, config)| {
        let hook = config.build_any();
        let priority = config.level().unwrap_or(hook.priority());
        CustomHook { origin: format!("custom_hooks.{index}"), priority, hook }
    });
    let hooks = Dispatcher::new(Both { first: defaults, second: trainer }, settings, custom.collect());
    let file_metrics = experiment.metrics.iter().map(|config| config.build_metric()).collect();
    let mut program = Driver::new(hooks, file_metrics, run, train_plan, val_plan);
    program.run.seen.results.measures = program.measures()?;
    Ok(program)
}

/// Trains in the run's folder.
///
/// # Errors
/// When the folder holds a run already, or something fails while building or running.
pub fn run_train<T: Build>(mut experiment: Experiment<T>, options: impl Into<TrainOptions>) -> Result<Summary> {
    let TrainOptions { mode, verbosity } = options.into();
    // before anything is written: a device that is not there is no reason to begin a run
    let device = prepare(&experiment)?;
    let (work_dir, name) = (experiment.work_dir.clone(), experiment.name.clone());
    let take_folder = || RunFolder::create(&work_dir, &name, mode);
    // a folder that is taken is told at once; an old run is moved aside only when the new one can be built
    let early = (mode != Mode::Fresh).then(take_folder).transpose()?;
    let environment = environment::report(&experiment, device, &work_dir.join(&name));
    let recording = Recording::of(&mut experiment, environment)?;
    let mut program = build_on(device, experiment, &[Role::Train, Role::Val])?;
    program.listen_to_signals()?;
    program.prepare_train()?;
    check_schedules(&program)?;
    let folder = match early {
        Some(folder) => folder,
        None => take_folder()?,
    };
    // first of all: one that was being replaced when the process was killed may be the only one
    checkpoint::clean(&folder.checkpoints())?;
    let resumed = match mode {
        Mode::Resume => checkpoint::newest_valid(&folder.checkpoints())?,
        _ => Newest::default(),
    };
    // the run of a folder that is used again came to nothing, so that what it was is not worth keeping
    if mode != Mode::Resume {
        write_atomic(&folder.experiment(), recording.text().as_bytes())?;
    }
    recording.into_folder(&folder, verbosity, &mut program.run.seen.sinks)?;
    greet(&mut program, &folder)?;
    if mode == Mode::Resume && resumed.found.is_none() {
        program.run.say("warning: the run has no checkpoint to go on from, so it begins anew")?;
    }
    for warning in &resumed.warnings {
        program.run.say(&format!("warning: a checkpoint can't be used: {warning}"))?;
    }
    let log = folder.log();
    let mut info = recording.info(folder.path(), measured(&program));
    if resumed.found.is_none() {
        program.run.seen.sinks.open(&info)?;
    }
    program.run.storage.folder = Some(folder);
    let end = program.run(|driver| {
        if let Some((path, snapshot)) = resumed.found {
            driver.restore(snapshot).with_context(|| format!("{} can't be resumed", path.display()))?;
            let clocks = &driver.run.clocks;
            let text = format!("resumed from {} at {}, {}", path.display(), clocks.epoch(), clocks.iter());
            driver.run.say(&text)?;
            if plan_is_done(driver) {
                driver.run.say("nothing is left of the training: its plan is done")?;
            }
            checkpoint::set_latest(path.parent().unwrap_or(Path::new(".")), &path)?;
            // only now: what does not fit the checkpoint must leave the files of the run as they are
            info.resumed = Some(driver.run.moment());
            driver.run.seen.sinks.open(&info)?;
        }
        if mode == Mode::Resume {
            go_on_with(driver, recording.text())?;
        }
        driver.train()
    });
    note_the_end(&log, &end);
    Ok(summary(&program, end?))
}

/// What evaluations measure.
fn measured<T: Build>(program: &Program<T>) -> Vec<String> {
    program.run.seen.results.measures.iter().map(|measure| measure.name.clone()).collect()
}

/// Whether the plan has nothing left for a run that was just restored.
fn plan_is_done<T: Build>(driver: &mut Program<T>) -> bool {
    driver.prepare_train().is_ok() && driver.run.clocks.is_finished()
}

/// Writes the experiment with which a run goes on: only now, since one that can't be resumed with must leave the run's own.
fn go_on_with<T: Build>(driver: &mut Program<T>, text: &str) -> Result<()> {
    let Some(folder) = &driver.run.storage.folder else { return Ok(()) };
    let changed = keep_experiment(folder, text)?;
    write_atomic(&folder.experiment(), text.as_bytes())?;
    let Some(kept) = changed else { return Ok(()) };
    driver.run.say(&format!("the experiment has changed since the run began; what it was is in {}", kept.display()))
}

/// When a run goes on with another experiment, keeps that of before beside it and gives its place back.
fn keep_experiment(folder: &RunFolder, text: &str) -> Result<Option<PathBuf>> {
    let path = folder.experiment();
    let Some(before) = std::fs::read_to_string(&path).ok().filter(|before| before != text) else { return Ok(None) };
    let names = (1u64..).map(|number| path.with_file_name(format!("experiment.{number}.ron")));
    let kept = names.into_iter().find(|kept| kept.symlink_metadata().is_err());
    if let Some(kept) = &kept {
        write_atomic(kept, before.as_bytes())?;
    }
    Ok(kept)
}

/// How the run ended, for those who find its log later: the console is told by whoever called.
fn note_the_end(log: &Path, end: &Result<End>) {
    let text = match end {
        Ok(End::Finished) => "finished".to_owned(),
        Ok(End::Stopped { reason }) => format!("stopped: {reason}"),
        Ok(End::Signal(signal)) => format!("stopped by {signal}"),
        Err(error) => format!("failed: {error:#}"),
    };
    // best effort: a full disk is most likely what is being told of
    if let Ok(mut log) = LogFile::open(log) {
        let _ = log.line(&text);
    }
}

/// One hook of a phase, as `plan` tells it.
#[derive(Clone, Debug)]
pub struct PlannedHook {
    /// The field's or component's name.
    pub name: String,
    /// The level that counts.
    pub level: Priority,
    /// Where it comes from, and what the file has changed.
    pub origin: String,
}

/// The hooks of every phase, in the order in which they are called. No data is opened, and the experiment's device
/// need not be here: everything is built on the CPU.
///
/// # Errors
/// When a part finds something wrong with its settings.
pub fn plan_of<T: Build>(experiment: Experiment<T>) -> Result<Vec<(Phase, Vec<PlannedHook>)>> {
    let engines = <DefaultHooks as Slots>::SLOTS.len();
    let fields = <Both<DefaultHooks, T> as Slots>::SLOTS.len();
    let program = build(Experiment { device: DeviceChoice::Cpu, ..experiment }, &[])?;
    let describe = |planned: Planned| {
        let mut origin = match planned.slot {
            slot if slot < engines => "engine".to_owned(),
            slot if slot + 1 < fields => format!("field of `{}`", T::NAME),
            slot if slot < fields => "the trainer's own phases".to_owned(),
            slot => program.hooks.custom[slot - fields].origin.clone(),
        };
        if let Some(attribute) = planned.changed_from {
            origin.push_str(&format!(", `level` of the file instead of {attribute}"));
        }
        PlannedHook { name: planned.name, level: planned.priority, origin }
    };
    let phases = Phase::ALL.iter();
    Ok(phases.map(|&phase| (phase, program.planned(phase).into_iter().map(describe).collect())).collect())
}

/// Validates the weights of a checkpoint.
///
/// # Errors
/// When the checkpoint doesn't fit, or something fails while building or running.
pub fn run_val<T: Build>(experiment: Experiment<T>, checkpoint: &Path, verbosity: Verbosity) -> Result<Summary> {
    evaluate(experiment, checkpoint, Role::Val, verbosity, |driver| driver.val().map(|_| ()))
}

/// Tests the weights of a checkpoint.
///
/// # Errors
/// When the checkpoint doesn't fit, or something fails while building or running.
pub fn run_test<T: Build>(experiment: Experiment<T>, checkpoint: &Path, verbosity: Verbosity) -> Result<Summary> {
    evaluate(experiment, checkpoint, Role::Test, verbosity, |driver| driver.test().map(|_| ()))
}

/// Predicts with the weights of a checkpoint; each prediction goes to `write` as it comes.
///
/// # Errors
/// When the checkpoint doesn't fit, or something fails while building or running.
pub fn run_predict<T: Build>(
    experiment: Experiment<T>,
    checkpoint: &Path,
    verbosity: Verbosity,
    write: &mut dyn FnMut(Prediction) -> Result<()>,
) -> Result<Summary> {
    evaluate(experiment, checkpoint, Role::Predict, verbosity, |driver| driver.predict(write))
}

/// Whether a trainer has data for an evaluation; a text when it has not.
pub(crate) fn needs_loader<T: Build>(role: Role) -> Result<(), String> {
    match T::loaders(role).is_empty() {
        false => Ok(()),
        true => Err(format!("`{0}` has no `#[loader({1})]`, so there is nothing to {1}", T::NAME, role.name())),
    }
}

fn evaluate<T: Build>(
    mut experiment: Experiment<T>,
    checkpoint: &Path,
    role: Role,
    verbosity: Verbosity,
    body: impl FnOnce(&mut Program<T>) -> Result<()>,
) -> Result<Summary> {
    needs_loader::<T>(role).map_err(Error::msg)?;
    let device = prepare(&experiment)?;
    let phase = match role {
        Role::Val => Some(RowPhase::Val),
        Role::Test => Some(RowPhase::Test),
        Role::Train | Role::Predict => None,
    };
    // a bare file of weights tells no iter to record results under
    let run = phase.filter(|_| checkpoint.is_dir()).and_then(|_| FinishedRun::of_checkpoint(checkpoint));
    let folder = run.as_ref().map_or_else(|| experiment.work_dir.join(&experiment.name), |run| run.path().to_owned());
    let environment = environment::report(&experiment, device, &folder);
    let recording = Recording::of(&mut experiment, environment)?;
    let mut program = build_on(device, experiment, &[role])?;
    program.run.current.command = match role {
        Role::Train => Command::Train,
        Role::Val => Command::Val,
        Role::Test => Command::Test,
        Role::Predict => Command::Predict,
    };
    let measures = measured(&program);
    let sinks = &mut program.run.seen.sinks;
    match (phase, &run) {
        (Some(phase), Some(run)) => recording.into_finished_run(run, phase, measures, verbosity, sinks)?,
        _ => recording.onto_console(verbosity, sinks)?,
    }
    program.listen_to_signals()?;
    let result = program.run(|driver| {
        driver.load_for_evaluation(checkpoint)?;
        let (clocks, shown) = (&driver.run.clocks, checkpoint.display());
        let text = match checkpoint.is_file() {
            true => format!("the weights in {shown}, without averages and whatever else a checkpoint holds"),
            false => format!("the checkpoint {shown}, of {}, {}", clocks.epoch(), clocks.iter()),
        };
        driver.run.say(&text)?;
        body(driver)
    });
    if let Some(run) = &run {
        note_the_end(&run.log(), &result);
    }
    Ok(summary(&program, result?))
}

fn summary<T: Build>(program: &Program<T>, end: End) -> Summary {
    let latest = program.run.seen.results.latest.iter();
    let metrics = latest.filter(|(name, _)| !is_short::<T>(name)).map(|(name, value)| (name.clone(), *value)).collect();
    let clocks = &program.run.clocks;
    Summary { end, metrics, epoch: clocks.epoch().get(), iter: clocks.iter().get() }
}

/// Whether a name stands for that of the first of several loaders: `val/x` for `val/NAME/x`.
fn is_short<T: Build>(name: &str) -> bool {
    [Role::Val, Role::Test].iter().any(|role| {
        let loaders = T::loaders(*role);
        let Some(rest) = name.strip_prefix(role.name()).and_then(|rest| rest.strip_prefix('/')) else { return false };
        loaders.len() > 1 && !loaders.iter().any(|loader| rest.starts_with(&format!("{loader}/")))
    })
}

/// The first lines of a run: what runs where.
fn greet<T: Build>(program: &mut Program<T>, folder: &RunFolder) -> Result<()> {
    let device = match program.run.device {
        Device::Cpu if tch::get_num_threads() == 1 => "the CPU with 1 thread".to_owned(),
        Device::Cpu => format!("the CPU with {} threads", tch::get_num_threads()),
        device => format!("{device:?}"),
    };
    let models = program.run.models.iter();
    let models: Vec<String> =
        models.map(|model| format!("`{}` with {} parameters", model.name(), model.parameter_count())).collect();
    let text = format!("{} in {} on {device}; {}", T::NAME, folder.path().display(), models.join(", "));
    program.run.say(&text)?;
    if folder.is_reused() {
        program.run.say("the run that was here came to no row and no checkpoint; its log goes on with this one")?;
    }
    match folder.moved_aside() {
        Some(aside) => program.run.say(&format!("the run that was here is now in {}", aside.display())),
        None => Ok(()),
    }
}

/// What only data and parameters tell of schedules: that each has its time, its setting and its groups.
fn check_schedules<T: Build>(program: &Program<T>) -> Result<()> {
    let run = &program.run;
    let mut problems = run.updates.schedules.check(&Outlook::from(&run.clocks.progress().planned));
    problems.extend(run.updates.schedules.check_against(&run.updates.optimizers));
    let mistakes: Vec<Mistake> = problems.into_iter().map(Mistake::from).collect();
    match mistakes.is_empty() {
        true => Ok(()),
        false => Err(Error::new(Refused { mistakes })),
    }
}

/// A hook that every program has, from its setting.
fn default_hook<H: Hook + HookField<Hook = H>>(setting: &HookSetting<H>, slots: &mut Vec<SlotSetting>) -> Result<H> {
    let (config, off) = match setting {
        HookSetting::On(config) => (Some(config), false),
        HookSetting::Off(config) => (config.as_ref(), true),
        HookSetting::Absent => (None, true),
    };
    slots.push(SlotSetting { level: setting.level(), off });
    config.map(|config| H::build(config)).ok_or_else(|| Error::msg(format!("the hook `{}` has no settings", H::NAME)))
}

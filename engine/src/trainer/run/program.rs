//! From an experiment to a program: everything is built, nothing runs.

use crate::base::Result;
use crate::config::{Kind, Node, print_line};
use crate::dist::Process;
use crate::hook::{CustomHook, Dispatcher, HookSet, Joined, SlotSetting, Slots as _};
use crate::hooks::{DefaultHooks, HookSettings};
use crate::loops::{self, Plan, Role, TrainPlan};
use crate::model::InitRule;
use crate::optim::GradientScale;
use crate::random;
use crate::run::{Generators, Numerics, RunState};
use crate::trainer::run::{backend, determinism};
use crate::trainer::{Build, BuildErrors, Builder, EngineHooksOf, Experiment};
use std::collections::BTreeMap;
use tch::Device;

/// A trainer with everything around it, ready to run.
pub type Program<T> = loops::Program<EngineHooksOf<T>, T>;

/// Builds a program. Only the loaders of these roles are used.
///
/// # Errors
/// When the device is not there, or a part finds something wrong with its settings.
pub fn build<T: Build>(experiment: Experiment<T>, roles: &[Role]) -> Result<Program<T>> {
    let device = prepare(&experiment, &Process::Alone)?;
    build_on(device, experiment, roles)
}

/// The experiment's device; sets what holds for the process: libtorch's threads for one operator, its determinism, and
/// its `backend`.
pub(super) fn prepare<T: Build>(experiment: &Experiment<T>, process: &Process) -> Result<Device> {
    let device = experiment.device.resolve_for(process.local_rank()).map_err(|why| BuildErrors::at("device", why))?;
    determinism::apply(experiment.deterministic, device)?;
    if let Some(threads) = experiment.threads.or_else(|| threads_of_rank(process)) {
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX).max(1));
    }
    backend::apply(&experiment.backend, experiment.train.precision, experiment.deterministic)?;
    Ok(device)
}

/// The threads of one of several processes of this machine, which share its cores; `None` where somebody has set them.
fn threads_of_rank(process: &Process) -> Option<usize> {
    if process.local_world() == 1 || std::env::var_os("OMP_NUM_THREADS").is_some() {
        return None;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Some((cores / process.local_world()).max(1))
}

/// [`build`] on a device that is there.
pub(super) fn build_on<T: Build>(device: Device, experiment: Experiment<T>, roles: &[Role]) -> Result<Program<T>> {
    let mut run = RunState::new(T::CLOCK, device, experiment.seed);
    run.settings = settings_by_path(&experiment.to_node()?);
    run.eval_weights = experiment.eval_weights;
    run.numerics = Numerics { precision: experiment.train.precision, channels_last: experiment.backend.channels_last };
    let plan = Plan {
        train: TrainPlan {
            stop_after: experiment.stop_after,
            profile: experiment.profile,
            passes: experiment.passes,
            epoch_loader: experiment.epoch_loader,
            ..experiment.train.plan()
        },
        val: (!T::loaders(Role::Val).is_empty()).then(|| experiment.val.plan(T::CLOCK)),
        evaluate_at_most: experiment.evaluate_at_most,
    };
    let loaders = roles.iter().flat_map(|role| T::loaders(*role)).copied();
    let mut builder = Builder::new(&mut run, loaders.collect());
    let engine = Joined {
        first: build_engine_hooks(experiment.hooks.first, &mut builder)?,
        second: <T::Bundle as HookSet>::build(experiment.hooks.second, &mut builder)?,
    };
    let trainer = T::of_fields(experiment.fields.build(&mut builder)?);
    let mut settings = builder.into_slots();
    start_weights(&mut run, &experiment.init)?;
    let frozen = run.models.freeze(&experiment.freeze);
    frozen.map_err(|(place, why)| BuildErrors::at(format!("freeze.{place}"), why.to_string()))?;
    settings.push(SlotSetting::default());
    let custom = experiment.custom_hooks.iter().enumerate().map(|(index, config)| {
        let hook = config.build_any();
        let priority = config.level().unwrap_or(hook.priority());
        CustomHook { origin: format!("custom_hooks.{index}"), priority, hook }
    });
    let hooks = Dispatcher::new(engine, settings, custom.collect());
    run.seen.results.file_metrics = experiment.metrics.iter().map(|config| config.build_metric()).collect();
    let mut program = loops::Program::new(trainer, hooks, plan, run);
    program.set_own_hooks(DefaultHooks::SLOTS.len());
    program.processor = experiment.step_processor;
    program.run.seen.results.measures = program.measures()?;
    program.run.seen.results.measured_by = program.measured_by()?;
    Ok(program)
}

/// Sets the factors of gradients; a pattern that gets no parameter is told with its place.
pub(super) fn scale_gradients<T: Build>(program: &mut Program<T>, scales: &[GradientScale]) -> Result<()> {
    let set = program.run.updates.set_gradient_scales(scales);
    set.map_err(|(place, why)| BuildErrors::at(format!("train.gradient_scale.{place}.pattern"), why.to_string()))
}

/// It knows no trainer, and is compiled with the engine.
fn build_engine_hooks(settings: HookSettings, builder: &mut Builder<'_>) -> Result<DefaultHooks> {
    DefaultHooks::build(settings, builder)
}

/// What an experiment says of each hook and of the trainer, as a line, under its path.
fn settings_by_path(experiment: &Node) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for section in experiment.fields() {
        match (section.key.as_str(), &section.value.kind) {
            ("trainer", _) => drop(settings.insert("trainer".to_owned(), print_line(&section.value))),
            ("hooks", Kind::Struct(hooks)) => {
                settings.extend(hooks.iter().map(|hook| (format!("hooks.{}", hook.key), print_line(&hook.value))));
            }
            ("custom_hooks", Kind::Seq(hooks)) => {
                let listed = hooks.iter().enumerate();
                settings.extend(listed.map(|(index, hook)| (format!("custom_hooks.{index}"), print_line(hook))));
            }
            _ => {}
        }
    }
    settings
}

/// Gives parameters the start that the experiment says, and leaves libtorch's generators where they are: the draws of the
/// training do not depend on it.
fn start_weights(run: &mut RunState, rules: &[InitRule]) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let generators = Generators::of(run.device)?;
    Generators::seed(run.device, random::derive(run.seed, "init", 0, 0))?;
    let started = run.models.start_by(rules);
    generators.put_back()?;
    started.map_err(|(place, why)| BuildErrors::at(format!("init.{place}"), why.to_string()))
}

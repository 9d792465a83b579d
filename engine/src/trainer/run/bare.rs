//! A training for some updates that leaves nothing: no folder, no sinks, no validation.

use crate::base::{Clock, Priority, Result, StateError, StateMap};
use crate::dist::Process;
use crate::hook::{AnyHook, CustomHook};
use crate::loops::{End, Role};
use crate::optim::Schedules;
use crate::phase::{Phase, PhaseMask};
use crate::run::{Context, Requests};
use crate::trainer::run::program::prepare;
use crate::trainer::run::train::build_for_training;
use crate::trainer::run::{Program, ranks, weights};
use crate::trainer::{Build, Experiment};

/// A program that trains for so many updates, from the state in which the training of the experiment begins, with schedules
/// off; and lines about what is other than the file says. `command` is whose it is.
pub(super) fn build_bare<T: Build>(
    mut experiment: Experiment<T>,
    command: &str,
    updates: u64,
) -> Result<(Program<T>, Vec<String>)> {
    ranks::is_alone(command)?;
    let device = prepare(&experiment, &Process::Alone)?;
    let given = std::mem::take(&mut experiment.weights);
    let (mut program, told) = build_for_training(device, experiment, Process::Alone, None, &[Role::Train])?;
    weights::load(&mut program, &given)?;
    program.run.updates.schedules = Schedules::default();
    program.plan.val = None;
    let train = &mut program.plan.train;
    (train.stop_after, train.profile, train.time_limit) = (None, None, None);
    train.max_iters = Some(updates);
    train.max_epochs = (T::CLOCK == Clock::Epoch).then_some(u64::MAX);
    Ok((program, told))
}

/// Trains until the updates are made, a signal comes, or `is_done` says so. What hooks ask for is not done.
pub(super) fn train_bare<T: Build>(program: &mut Program<T>, is_done: impl Fn(&Program<T>) -> bool) -> Result<End> {
    let ends = |program: &Program<T>| program.is_over() || program.run.signals.received().is_some() || is_done(program);
    program.run(|program| {
        program.train_with(|program| {
            while !ends(program) {
                program.epoch_with(|program| {
                    while !ends(program) && program.has_iter_left() {
                        program.iter()?;
                    }
                    Ok(())
                })?;
            }
            program.run.requests = Requests::default();
            Ok(())
        })
    })
}

/// Calls a function in these phases, after all other hooks; not after a failure.
pub(super) fn watch<T: Build>(
    program: &mut Program<T>,
    phases: &[Phase],
    call: impl FnMut(Phase, &mut Context<'_>) -> Result<()> + 'static,
) {
    let hook = Box::new(Watch { phases: PhaseMask::of(phases), call: Box::new(call) });
    program.hooks.add(CustomHook { origin: Watch::NAME.to_owned(), priority: Priority::LOWEST, hook });
}

type Call = dyn FnMut(Phase, &mut Context<'_>) -> Result<()>;

/// A hook that no file can name.
struct Watch {
    phases: PhaseMask,
    call: Box<Call>,
}

impl Watch {
    const NAME: &'static str = "watch";
}

impl AnyHook for Watch {
    fn name(&self) -> &'static str {
        Watch::NAME
    }
    fn priority(&self) -> Priority {
        Priority::LOWEST
    }
    fn phases(&self) -> PhaseMask {
        self.phases
    }
    fn only_ok(&self) -> PhaseMask {
        self.phases
    }
    fn call(&mut self, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        match cx.exception() {
            Some(_) => Ok(()),
            None => (self.call)(phase, cx),
        }
    }
    fn save_state(&self) -> StateMap {
        StateMap::new()
    }
    fn belongs_to(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
    fn load_state(&mut self, _: StateMap) -> Result<(), StateError> {
        Ok(())
    }
    fn save_own_state(&self) -> StateMap {
        StateMap::new()
    }
    fn load_own_state(&mut self, _: StateMap) -> Result<(), StateError> {
        Ok(())
    }
}

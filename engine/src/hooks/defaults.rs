//! The hooks that every program has, as slots: they come first among hooks of the same level.

use crate::base::Result;
use crate::hook::{EachState, EngineHooks, Hook as _, Phases, SlotInfo, Slots};
use crate::hooks::{Checkpoint, Logger, Scheduler, Timer};
use crate::phase::Phase;
use crate::run::Context;

/// Timer, scheduler, logger and checkpoint.
pub struct DefaultHooks {
    /// How long things take.
    pub timer: Timer,
    /// Schedules on their clock.
    pub scheduler: Scheduler,
    /// Rows of numbers.
    pub logger: Logger,
    /// When to save, what to keep.
    pub checkpoint: Checkpoint,
}

impl DefaultHooks {
    /// What they are called as components, and their keys in `hooks`.
    pub const NAMES: [(&'static str, &'static str); 4] = [
        (Timer::NAME, "timer"),
        (Scheduler::NAME, "scheduler"),
        (Logger::NAME, "logger"),
        (Checkpoint::NAME, "checkpoint"),
    ];
}

impl Slots for DefaultHooks {
    const SLOTS: &'static [SlotInfo] = &[
        SlotInfo::of::<Timer>("timer"),
        SlotInfo::of::<Scheduler>("scheduler"),
        SlotInfo::of::<Logger>("logger"),
        SlotInfo::of::<Checkpoint>("checkpoint"),
    ];

    #[inline(always)]
    fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        match slot {
            0 => Phases::call(&mut self.timer, phase, cx),
            1 => Phases::call(&mut self.scheduler, phase, cx),
            2 => Phases::call(&mut self.logger, phase, cx),
            3 => Phases::call(&mut self.checkpoint, phase, cx),
            _ => Ok(()),
        }
    }
}

impl EngineHooks for DefaultHooks {
    fn states(&mut self, each: &mut EachState<'_>) -> Result<()> {
        each("hooks.timer", &mut self.timer)?;
        each("hooks.scheduler", &mut self.scheduler)?;
        each("hooks.logger", &mut self.logger)?;
        each("hooks.checkpoint", &mut self.checkpoint)
    }
}

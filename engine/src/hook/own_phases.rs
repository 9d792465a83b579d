//! How a trainer's expansion reaches the trainer's own phases.

use crate::base::Result;
use crate::hook::Phases;
use crate::phase::{Phase, PhaseMask};
use crate::run::Context;
use std::marker::PhantomData;

/// The phases of a trainer, if it has any.
///
/// Its own items are those of a trainer with a `#[phases]` block, and win over those of [`NoPhases`].
pub struct PhasesOf<T>(PhantomData<T>);

impl<T: Phases> PhasesOf<T> {
    /// Those of the block.
    pub const PHASES: PhaseMask = T::PHASES;
    /// Those of the block under `#[only_ok]`.
    pub const ONLY_OK: PhaseMask = T::ONLY_OK;
    /// Those of the block whose methods can't ask the loop for anything.
    pub const ASKS_NOTHING: PhaseMask = T::ASKS_NOTHING;

    /// Calls the method of this phase.
    ///
    /// # Errors
    /// The error of the method.
    #[inline(always)]
    pub fn call(trainer: &mut T, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        trainer.call(phase, cx)
    }
}

/// The phases of a trainer without a `#[phases]` block: none.
pub trait NoPhases {
    /// The trainer.
    type Trainer;

    /// No phase.
    const PHASES: PhaseMask = PhaseMask::NONE;
    /// No phase.
    const ONLY_OK: PhaseMask = PhaseMask::NONE;
    /// No phase.
    const ASKS_NOTHING: PhaseMask = PhaseMask::NONE;

    /// Does nothing.
    ///
    /// # Errors
    /// Never.
    #[inline(always)]
    fn call(_trainer: &mut Self::Trainer, _phase: Phase, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

impl<T> NoPhases for PhasesOf<T> {
    type Trainer = T;
}

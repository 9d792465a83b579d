//! How a trainer's expansion reaches its `#[hook]` fields and its own phases.
//!
//! The macro says once that the type of a field is a hook; everything else goes through a marker type, so that a field
//! that is no hook is one error.

use crate::base::Result;
use crate::hook::{HookField, Phases, SlotInfo};
use crate::phase::{Phase, PhaseMask};
use crate::run::Context;
use std::marker::PhantomData;

/// A `#[hook]` field of a trainer, as a marker type.
pub trait HookPart: 'static {
    /// Its type.
    type Field: HookField;
}

/// The slot of a `#[hook]` field.
pub const fn slot_of<P: HookPart>(name: &'static str) -> SlotInfo {
    SlotInfo::of::<P::Field>(name)
}

/// Calls the hook of a field, when it is there.
///
/// # Errors
/// The error of the hook.
#[inline(always)]
pub fn call_field<P: HookPart>(field: &mut P::Field, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
    match field.hook_mut() {
        Some(hook) => Phases::call(hook, phase, cx),
        None => Ok(()),
    }
}

/// The phases of a trainer, if it has any.
///
/// Its own items are those of a trainer with a `#[phases]` block, and win over those of [`NoPhases`].
pub struct PhasesOf<T>(PhantomData<T>);

impl<T: Phases> PhasesOf<T> {
    /// Those of the block.
    pub const PHASES: PhaseMask = T::PHASES;

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

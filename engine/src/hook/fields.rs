//! How a trainer's expansion reaches its `#[hook]` fields and its own phases.
//!
//! The macro says once that the type of a field is a hook; everything else goes through a marker type, so that a field
//! that is no hook is one error.

use crate::base::Result;
use crate::hook::{Context, HookField, Phases, SlotInfo};
use crate::phase::{Phase, PhaseMask};

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
/// What the hook returned.
#[inline(always)]
pub fn call_field<P: HookPart>(field: &mut P::Field, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
    match field.hook_mut() {
        Some(hook) => Phases::call(hook, phase, cx),
        None => Ok(()),
    }
}

/// The phases of a trainer without a `#[phases]` block: none.
///
/// A `#[phases]` block gives its type inherent items of the same names, and those win over a trait's.
pub trait NoPhases {
    /// No phase.
    const __ENGINE_PHASES: PhaseMask = PhaseMask::NONE;

    /// Does nothing.
    ///
    /// # Errors
    /// Never.
    #[inline(always)]
    fn __engine_call(&mut self, _phase: Phase, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

impl<T> NoPhases for T {}

//! The hooks of a program as numbered slots, and the order in which a phase calls them, computed at compile time.

use crate::base::{Priority, Result, State};
use crate::hook::{Hook, HookField, Phases};
use crate::phase::{At, Phase, PhaseMask};
use crate::run::Context;

/// The properties of a slot that are known at compile time.
#[derive(Clone, Copy, Debug)]
pub struct SlotInfo {
    /// The field's name; for the trainer's own phases, the trainer's.
    pub name: &'static str,
    /// The level of the attribute.
    pub priority: Priority,
    /// The phases of its `#[phases]` block.
    pub phases: PhaseMask,
    /// Those of them under `#[only_ok]`.
    pub only_ok: PhaseMask,
    /// Those of them whose methods can't ask the loop for anything.
    pub asks_nothing: PhaseMask,
}

impl SlotInfo {
    /// The slot of a hook's field.
    pub const fn of<F: HookField>(name: &'static str) -> Self {
        SlotInfo {
            name,
            priority: <F::Hook as Hook>::PRIORITY,
            phases: <F::Hook as Phases>::PHASES,
            only_ok: <F::Hook as Phases>::ONLY_OK,
            asks_nothing: <F::Hook as Phases>::ASKS_NOTHING,
        }
    }
}

/// Hooks with concrete types, by number. `#[trainer]` implements it: fields in order, then the trainer itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a trainer",
    label = "not a trainer",
    note = "put `#[trainer(by_epoch)]` or `#[trainer(by_iter)]` on the struct; where it says `phases`, it needs a `#[phases]` block"
)]
pub trait Slots {
    /// The slots, at most [`MAX_SLOTS`]. When two slots have the same level, the earlier one is called first.
    const SLOTS: &'static [SlotInfo];

    /// Calls a slot in a phase. With constant arguments it compiles to that one method.
    ///
    /// # Errors
    /// The error of the hook.
    fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()>;
}

/// Borrowed slots.
impl<S: Slots> Slots for &mut S {
    const SLOTS: &'static [SlotInfo] = S::SLOTS;

    #[inline(always)]
    fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        S::call(self, slot, phase, cx)
    }
}

/// No slots: a program without hooks of the engine's own.
impl Slots for () {
    const SLOTS: &'static [SlotInfo] = &[];

    #[inline(always)]
    fn call(&mut self, _: usize, _: Phase, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

/// Called with each state and its name in checkpoints.
pub type EachState<'a> = dyn FnMut(&str, &mut dyn State) -> Result<()> + 'a;

/// The hooks that every program has, whichever they are.
pub trait EngineHooks: Slots {
    /// Calls `each` with the state of every hook: `hooks.checkpoint`, ….
    ///
    /// # Errors
    /// The first that `each` returns.
    fn states(&mut self, each: &mut EachState<'_>) -> Result<()>;
}

impl EngineHooks for () {
    fn states(&mut self, _: &mut EachState<'_>) -> Result<()> {
        Ok(())
    }
}

/// The most slots of a program: the engine's own, the trainer's fields, the trainer. `#[trainer]` refuses more fields
/// than fit, so that users get its message and not a panic in a constant.
pub const MAX_SLOTS: usize = 256;

/// Two sets of slots as one, in this order.
#[derive(Debug)]
pub struct Joined<A, B> {
    /// Numbered first.
    pub first: A,
    /// Numbered after.
    pub second: B,
}

impl<A: Slots, B: Slots> Joined<A, B> {
    const ALL: [SlotInfo; MAX_SLOTS] = {
        const NO: PhaseMask = PhaseMask::NONE;
        let none = SlotInfo { name: "", priority: Priority::NORMAL, phases: NO, only_ok: NO, asks_nothing: NO };
        let (a, b) = (A::SLOTS, B::SLOTS);
        assert!(a.len() + b.len() <= MAX_SLOTS, "a program has at most 256 hooks with types of their own");
        let mut all = [none; MAX_SLOTS];
        let mut i = 0;
        while i < a.len() + b.len() {
            all[i] = if i < a.len() { a[i] } else { b[i - a.len()] };
            i += 1;
        }
        all
    };
}

impl<A: Slots, B: Slots> Slots for Joined<A, B> {
    const SLOTS: &'static [SlotInfo] = Self::ALL.split_at(A::SLOTS.len() + B::SLOTS.len()).0;

    #[inline(always)]
    fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        if slot < A::SLOTS.len() {
            self.first.call(slot, phase, cx)
        } else {
            self.second.call(slot - A::SLOTS.len(), phase, cx)
        }
    }
}

impl<A: EngineHooks, B: EngineHooks> EngineHooks for Joined<A, B> {
    fn states(&mut self, each: &mut EachState<'_>) -> Result<()> {
        self.first.states(each)?;
        self.second.states(each)
    }
}

/// The slots that take part in a phase, in order.
pub(super) struct Order {
    slots: [u8; MAX_SLOTS],
    pub(super) len: usize,
}

/// The order of one phase: a constant for each program and phase.
pub(super) trait PhaseOrder<P: At>: Slots {
    const ORDER: Order = sorted(Self::SLOTS, P::PHASE);
}
impl<S: Slots, P: At> PhaseOrder<P> for S {}

/// A stable insertion sort by priority, in `const`.
const fn sorted(slots: &[SlotInfo], phase: Phase) -> Order {
    let mut order = Order { slots: [0; MAX_SLOTS], len: 0 };
    let mut slot = 0;
    while slot < slots.len() {
        if slots[slot].phases.contains(phase) {
            let mut at = order.len;
            while at > 0 && slots[order.slots[at - 1] as usize].priority.get() > slots[slot].priority.get() {
                order.slots[at] = order.slots[at - 1];
                at -= 1;
            }
            order.slots[at] = slot as u8;
            order.len += 1;
        }
        slot += 1;
    }
    order
}

/// How many slots of one phase are called in constant order; with more of them the phase goes through a table.
pub(super) const UNROLLED: usize = 16;

/// Calls every slot of a phase in the constant order of `O`, whose slots are those of `slots`. The
/// context tells how far it came.
#[inline(always)]
pub(super) fn call_in_const_order<O: Slots, P: At>(slots: &mut impl Slots, cx: &mut Context<'_>) -> Result<()> {
    // unrolled by hand: each place is a constant, so each call is static and unused places vanish
    macro_rules! places {
        ($($place:literal)*) => { $(
            if const { <O as PhaseOrder<P>>::ORDER.len > $place } {
                cx.calls_hook_at($place);
                slots.call(const { <O as PhaseOrder<P>>::ORDER.slots[$place] as usize }, P::PHASE, cx)?;
            }
        )* };
    }
    places!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    Ok(())
}

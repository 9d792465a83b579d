//! From a phase to the hooks that take part in it, in order.
//!
//! The hooks of a program are slots, numbered in tie order. Where no file changes anything, the order of every
//! phase is a constant and each call is static; a phase that no hook takes part in compiles to nothing. Where a
//! file sets a level, switches a hook off or adds `custom_hooks`, the phases concerned go through a table that is
//! sorted once at start.
//!
//! A hook that fails or panics ends its phase, except where hooks put things back: a phase that closes another one
//! ([`Phase::reaches_all`]) reaches every hook.

use crate::base::{Error, Priority, Result, State, panics};
use crate::hook::{AnyHook, Hook, HookField, Phases};
use crate::phase::{At, Phase, PhaseMask};
use crate::run::Context;

/// What is known of a slot at compile time.
#[derive(Clone, Copy, Debug)]
pub struct SlotInfo {
    /// The field's name; for the trainer's own phases, the trainer's.
    pub name: &'static str,
    /// The level of the attribute.
    pub priority: Priority,
    /// The phases of its `#[phases]` block.
    pub phases: PhaseMask,
}

impl SlotInfo {
    /// The slot of a hook's field.
    pub const fn of<F: HookField>(name: &'static str) -> Self {
        SlotInfo { name, priority: <F::Hook as Hook>::PRIORITY, phases: <F::Hook as Phases>::PHASES }
    }
}

/// Hooks with concrete types, by number. `#[trainer]` implements it: fields in order, then the trainer itself.
pub trait Slots {
    /// The slots, in tie order.
    const SLOTS: &'static [SlotInfo];

    /// Calls a slot in a phase. With constant arguments it compiles to that one method.
    ///
    /// # Errors
    /// What the hook returned.
    fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()>;
}

/// Called with each state and its name in checkpoints.
pub type EachState<'a> = dyn FnMut(&str, &mut dyn State) -> Result<()> + 'a;

/// The hooks that every program has, whichever they are.
pub trait EngineHooks: Slots {
    /// Everything that checkpoints hold of them: `hooks.checkpoint`, ….
    ///
    /// # Errors
    /// The first that `each` returns.
    fn states(&mut self, each: &mut EachState<'_>) -> Result<()>;
}

/// The most slots a program can have: the engine's own, the trainer's fields, the trainer.
const MAX_SLOTS: usize = 32;

/// Two sets of slots as one; ties go to the first.
#[derive(Debug)]
pub struct Both<A, B> {
    /// Numbered first.
    pub first: A,
    /// Numbered after.
    pub second: B,
}

impl<A: Slots, B: Slots> Both<A, B> {
    const JOINED: [SlotInfo; MAX_SLOTS] = {
        let none = SlotInfo { name: "", priority: Priority::NORMAL, phases: PhaseMask::NONE };
        let (a, b) = (A::SLOTS, B::SLOTS);
        assert!(
            a.len() + b.len() <= MAX_SLOTS,
            "a trainer can have at most 27 `#[hook]` fields; put more into `custom_hooks`"
        );
        let mut joined = [none; MAX_SLOTS];
        let mut i = 0;
        while i < a.len() + b.len() {
            joined[i] = if i < a.len() { a[i] } else { b[i - a.len()] };
            i += 1;
        }
        joined
    };
}

impl<A: Slots, B: Slots> Slots for Both<A, B> {
    const SLOTS: &'static [SlotInfo] = Self::JOINED.split_at(A::SLOTS.len() + B::SLOTS.len()).0;

    #[inline(always)]
    fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        if slot < A::SLOTS.len() {
            self.first.call(slot, phase, cx)
        } else {
            self.second.call(slot - A::SLOTS.len(), phase, cx)
        }
    }
}

/// The slots that take part in a phase, in order: a constant for each program and phase.
struct Order {
    slots: [u8; MAX_SLOTS],
    len: usize,
}

trait InOrder<P: At>: Slots {
    const ORDER: Order = sorted(Self::SLOTS, P::PHASE);
}
impl<S: Slots, P: At> InOrder<P> for S {}

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

/// Calls every slot of a phase in the constant order; `place` tells how far it came.
#[inline(always)]
fn call_in_const_order<S: Slots, P: At>(slots: &mut S, place: &mut usize, cx: &mut Context<'_>) -> Result<()> {
    // unrolled by hand: each place is a constant, so each call is static and unused places vanish
    macro_rules! places {
        ($($place:literal)*) => { $(
            if const { <S as InOrder<P>>::ORDER.len > $place } {
                *place = $place;
                slots.call(const { <S as InOrder<P>>::ORDER.slots[$place] as usize }, P::PHASE, cx)?;
            }
        )* };
    }
    places!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
    Ok(())
}

/// A hook that the file chose.
pub struct CustomHook {
    /// `custom_hooks.0`, …: where the file names it.
    pub origin: String,
    /// `level:` of the file, else the attribute's priority.
    pub priority: Priority,
    /// The hook.
    pub hook: Box<dyn AnyHook>,
}

/// What a file can change about a slot.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlotSetting {
    /// Another level than the attribute's.
    pub level: Option<Priority>,
    /// Not called at all.
    pub off: bool,
}

/// All hooks of a program, and the order in which each phase calls them.
pub struct Dispatcher<S> {
    /// The hooks with concrete types.
    pub slots: S,
    /// The hooks that the file chose, in file order.
    pub custom: Vec<CustomHook>,
    settings: Vec<SlotSetting>,
    /// Phases that go through `tables`; all others are called in constant order.
    tabled: PhaseMask,
    tables: Vec<Vec<u16>>,
    calls: u64,
}

/// One line of a plan: a hook that a phase calls.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The field's or component's name.
    pub name: String,
    /// The level that counts.
    pub priority: Priority,
    /// Its number: first the slots, then the custom hooks.
    pub slot: usize,
    /// The attribute's level, where the file has set another one.
    pub changed_from: Option<Priority>,
}

impl<S: Slots> Dispatcher<S> {
    /// Sorts what the file has changed. `settings` has one entry for each slot; where it is shorter, nothing is set.
    pub fn new(slots: S, settings: Vec<SlotSetting>, custom: Vec<CustomHook>) -> Self {
        let mut dispatcher =
            Dispatcher { slots, custom, settings, tabled: PhaseMask::NONE, tables: Vec::new(), calls: 0 };
        dispatcher.sort();
        dispatcher
    }

    /// Adds a hook, behind the others of its level.
    pub fn add(&mut self, custom: CustomHook) {
        self.custom.push(custom);
        self.sort();
    }

    /// Makes the tables of the phases that the file has changed.
    fn sort(&mut self) {
        let mut tabled = PhaseMask::NONE;
        for (info, setting) in S::SLOTS.iter().zip(&self.settings) {
            if setting.off || setting.level.is_some_and(|level| level != info.priority) {
                tabled = tabled.union(info.phases);
            }
        }
        for custom in &self.custom {
            tabled = tabled.union(custom.hook.phases());
        }
        self.tabled = tabled;
        let table = |phase: &Phase| match tabled.contains(*phase) {
            true => self.plan(*phase).iter().map(|planned| planned.slot as u16).collect(),
            false => Vec::new(),
        };
        self.tables = Phase::ALL.iter().map(table).collect();
    }

    /// The hooks a phase calls, in order. Slots at or above `S::SLOTS.len()` are custom hooks.
    pub fn plan(&self, phase: Phase) -> Vec<Planned> {
        let fixed =
            S::SLOTS.iter().enumerate().filter(|(slot, info)| info.phases.contains(phase) && !self.is_off(*slot)).map(
                |(slot, info)| Planned {
                    name: info.name.to_owned(),
                    priority: self.settings.get(slot).and_then(|setting| setting.level).unwrap_or(info.priority),
                    slot,
                    changed_from: self.settings.get(slot).and_then(|setting| setting.level).map(|_| info.priority),
                },
            );
        let custom = self.custom.iter().enumerate().filter(|(_, custom)| custom.hook.phases().contains(phase)).map(
            |(index, custom)| Planned {
                name: custom.hook.name().to_owned(),
                priority: custom.priority,
                slot: S::SLOTS.len() + index,
                changed_from: (custom.priority != custom.hook.priority()).then(|| custom.hook.priority()),
            },
        );
        let mut planned: Vec<Planned> = fixed.chain(custom).collect();
        planned.sort_by_key(|planned| planned.priority);
        planned
    }

    /// Whether the file has switched a slot off.
    pub fn is_off(&self, slot: usize) -> bool {
        self.settings.get(slot).is_some_and(|setting| setting.off)
    }

    /// How many phases were entered with at least one hook to call; tests count it.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Whether any hook takes part in a phase: a constant, unless the file has changed the phase.
    #[inline(always)]
    pub fn has<P: At>(&self) -> bool {
        let in_const_order = const { <S as InOrder<P>>::ORDER.len > 0 };
        in_const_order || self.tabled.contains(P::PHASE)
    }

    /// Calls the hooks of a phase, in order, up to the first that fails; in a phase that closes another one, all.
    ///
    /// # Errors
    /// The first hook's error or panic, with the hook's name and the phase. Further ones are told.
    #[inline]
    pub fn run<P: At>(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if !self.has::<P>() {
            return Ok(());
        }
        self.calls += 1;
        let mut place = 0;
        let called = panics::catch("it", || match self.tabled.contains(P::PHASE) {
            true => self.call_in_table_order(P::PHASE, &mut place, cx),
            false => call_in_const_order::<S, P>(&mut self.slots, &mut place, cx),
        });
        called.map_err(|error| self.close_after(error, P::PHASE, place, cx))
    }

    #[inline(never)]
    fn call_in_table_order(&mut self, phase: Phase, place: &mut usize, cx: &mut Context<'_>) -> Result<()> {
        for at in 0..self.tables[phase.index()].len() {
            *place = at;
            self.call(self.tables[phase.index()][at] as usize, phase, cx)?;
        }
        Ok(())
    }

    fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        match slot.checked_sub(S::SLOTS.len()) {
            None => self.slots.call(slot, phase, cx),
            Some(custom) => self.custom[custom].hook.call(phase, cx),
        }
    }

    /// The hook at `place` has failed: names it, and calls those behind it where the phase closes another one.
    #[cold]
    fn close_after(&mut self, error: Error, phase: Phase, place: usize, cx: &mut Context<'_>) -> Error {
        let mut behind = self.plan(phase).into_iter().skip(place);
        let failed = |hook: &Planned| format!("`{}` failed in `{phase}`", hook.name);
        let Some(hook) = behind.next() else { return error };
        let error = error.context(failed(&hook));
        if phase.reaches_all() {
            for hook in behind {
                let called = panics::catch("it", || self.call(hook.slot, phase, cx));
                if let Err(further) = called {
                    cx.tell(&format!("{:#}", further.context(failed(&hook))));
                }
            }
        }
        error
    }
}

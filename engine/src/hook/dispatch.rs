//! Calls the hooks of a phase, in order.
//!
//! The hooks of a program are numbered slots; among hooks of the same level the lower number is called first. When the
//! file changes nothing, the order of every phase is a constant and each call is static; a phase without hooks
//! compiles to nothing. When a file sets a level, switches a hook off or adds `custom_hooks`, the phases concerned use
//! a table that is sorted once at start.
//!
//! When a hook fails or panics, the later hooks of the phase are not called. The exception are phases that close
//! another one, in which hooks undo things: they call every hook ([`Phase::reaches_all`]).

use crate::base::spans::{self, OpenSpan, SpanKind};
use crate::base::{Error, Priority, Result, panics};
use crate::hook::slots::{PhaseOrder, UNROLLED, call_in_const_order};
use crate::hook::{AnyHook, Joined, SlotInfo, Slots};
use crate::phase::{At, Phase, PhaseMask};
use crate::run::Context;
use std::marker::PhantomData;

/// A hook that the file chose.
pub struct CustomHook {
    /// `custom_hooks.0`, …: where the file names it.
    pub origin: String,
    /// `level:` of the file, else the attribute's priority.
    pub priority: Priority,
    /// The hook.
    pub hook: Box<dyn AnyHook>,
}

/// The settings of a file for a slot.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlotSetting {
    /// A level that replaces the attribute's.
    pub level: Option<Priority>,
    /// Whether the hook is never called.
    pub off: bool,
}

/// The hooks of a program, and the order in which each phase calls them: the engine's own hooks `D`, those of the
/// trainer `T`, and those that the file chose. The trainer is borrowed for each phase, because it belongs to the
/// program.
pub struct Dispatcher<D, T> {
    /// The engine's own hooks.
    pub engine: D,
    /// The hooks that the file chose, in file order.
    pub custom: Vec<CustomHook>,
    settings: Vec<SlotSetting>,
    /// Phases that go through `tables`; all others are called in constant order.
    tabled: PhaseMask,
    tables: [Box<[u32]>; Phase::COUNT],
    trainer: PhantomData<fn(&mut T)>,
    /// How many phases were entered with at least one hook to call.
    #[cfg(test)]
    entered: u64,
}

/// One line of a plan: a hook that a phase calls.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The field's or component's name.
    pub name: String,
    /// Its level.
    pub priority: Priority,
    /// Its number: first the slots, then the custom hooks.
    pub slot: usize,
    /// The attribute's level, when the file has set another one.
    pub changed_from: Option<Priority>,
    /// Whether it is left out when a failure or a signal is on its way out: `#[only_ok]`.
    pub only_ok: bool,
    /// Whether its method of this phase can't ask the loop for anything.
    pub asks_nothing: bool,
}

impl<D: Slots, T: Slots> Dispatcher<D, T> {
    /// The slots with concrete types: the engine's, then the trainer's.
    const SLOTS: &'static [SlotInfo] = <Joined<D, T> as Slots>::SLOTS;

    /// Sorts the phases that the file has changed. `settings` has one entry for each slot; missing entries change
    /// nothing.
    pub fn new(engine: D, settings: Vec<SlotSetting>, custom: Vec<CustomHook>) -> Self {
        let mut dispatcher = Dispatcher {
            engine,
            custom,
            settings,
            tabled: PhaseMask::NONE,
            tables: [const { Vec::new() }; Phase::COUNT].map(Vec::into_boxed_slice),
            trainer: PhantomData,
            #[cfg(test)]
            entered: 0,
        };
        dispatcher.sort();
        dispatcher
    }

    /// Adds a hook after the other hooks of its level.
    pub fn add(&mut self, custom: CustomHook) {
        self.custom.push(custom);
        self.sort();
    }

    /// Calls the hooks of all phases through tables, where spans tell what each takes; or as before.
    pub(crate) fn call_by_table(&mut self, all: bool) {
        self.sort();
        if all {
            self.tabled = Phase::ALL.iter().copied().collect();
            for &phase in Phase::ALL {
                self.tables[phase.index()] = self.plan(phase).iter().map(|planned| planned.slot as u32).collect();
            }
        }
    }

    /// Makes the tables of the phases that the file has changed, and of those with more slots than are unrolled.
    fn sort(&mut self) {
        let slots_of = |phase: Phase| Self::SLOTS.iter().filter(|info| info.phases.contains(phase)).count();
        let mut tabled = Phase::ALL.iter().filter(|phase| slots_of(**phase) > UNROLLED).copied().collect::<PhaseMask>();
        for (info, setting) in Self::SLOTS.iter().zip(&self.settings) {
            if setting.off || setting.level.is_some_and(|level| level != info.priority) {
                tabled = tabled.union(info.phases);
            }
        }
        for custom in &self.custom {
            tabled = tabled.union(custom.hook.phases());
        }
        self.tabled = tabled;
        for &phase in Phase::ALL {
            self.tables[phase.index()] = match tabled.contains(phase) {
                true => self.plan(phase).iter().map(|planned| planned.slot as u32).collect(),
                false => Box::default(),
            };
        }
    }

    /// The hooks that a phase calls, in order. Slots at or above `Self::SLOTS.len()` are custom hooks.
    pub fn plan(&self, phase: Phase) -> Vec<Planned> {
        let fixed = Self::SLOTS
            .iter()
            .enumerate()
            .filter(|(slot, info)| info.phases.contains(phase) && !self.is_off(*slot))
            .map(|(slot, info)| Planned {
                name: info.name.to_owned(),
                priority: self.settings.get(slot).and_then(|setting| setting.level).unwrap_or(info.priority),
                slot,
                changed_from: self.settings.get(slot).and_then(|setting| setting.level).map(|_| info.priority),
                only_ok: info.only_ok.contains(phase),
                asks_nothing: info.asks_nothing.contains(phase),
            });
        let custom = self.custom.iter().enumerate().filter(|(_, custom)| custom.hook.phases().contains(phase)).map(
            |(index, custom)| Planned {
                name: custom.hook.name().to_owned(),
                priority: custom.priority,
                slot: Self::SLOTS.len() + index,
                changed_from: (custom.priority != custom.hook.priority()).then(|| custom.hook.priority()),
                only_ok: custom.hook.only_ok().contains(phase),
                asks_nothing: custom.hook.asks_nothing().contains(phase),
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

    /// Whether a phase has any hooks: a constant, unless the file has changed the phase.
    #[inline(always)]
    pub fn has<P: At>(&self) -> bool {
        let in_const_order = const { <Joined<D, T> as PhaseOrder<P>>::ORDER.len > 0 };
        in_const_order || self.tabled.contains(P::PHASE)
    }

    /// Calls the hooks of a phase, in order. It stops at the first hook that fails, except in a phase that closes
    /// another one.
    ///
    /// # Errors
    /// The first hook's error or panic, with the hook's name and the phase. Further errors are only printed. The place
    /// of a panic is known inside a [`panics::bracket`], which every run opens.
    #[inline]
    pub fn run<P: At>(&mut self, trainer: &mut T, cx: &mut Context<'_>) -> Result<()> {
        if !self.has::<P>() {
            return Ok(());
        }
        #[cfg(test)]
        {
            self.entered += 1;
        }
        let in_table =
            const { <Joined<D, T> as PhaseOrder<P>>::ORDER.len > UNROLLED } || self.tabled.contains(P::PHASE);
        if in_table {
            return self.run_table::<P>(trainer, cx);
        }
        let mut cx = cx.of_one_phase();
        let called = panics::catch_in_bracket("it", || {
            call_in_const_order::<Joined<D, T>, P>(&mut self.slots(trainer), &mut cx)
        });
        match called {
            Ok(()) => Ok(()),
            Err(error) => Err(self.close_after(trainer, error, P::PHASE, &mut cx)),
        }
    }

    /// The slots of a phase, with the trainer that is lent for it.
    #[inline(always)]
    fn slots<'a>(&'a mut self, trainer: &'a mut T) -> Joined<&'a mut D, &'a mut T> {
        Joined { first: &mut self.engine, second: trainer }
    }

    /// Compiled for each phase, so that a slot's call is a jump to the one method. It is a function of its own, because
    /// the registers that it needs would be saved in every phase, also in those that are called in constant order.
    #[inline(never)]
    fn run_table<P: At>(&mut self, trainer: &mut T, cx: &mut Context<'_>) -> Result<()> {
        let mut cx = cx.of_one_phase();
        let _span = match self.tables[P::PHASE.index()].is_empty() {
            true => None,
            false => spans::span(SpanKind::Phase, P::PHASE.name()),
        };
        let called = panics::catch_in_bracket("it", || {
            let Dispatcher { engine, custom, tables, .. } = &mut *self;
            let mut slots = Joined { first: engine, second: &mut *trainer };
            let table = tables[P::PHASE.index()].iter().map(|slot| *slot as usize).enumerate();
            if spans::are_noted() {
                for (at, slot) in table {
                    cx.calls_hook_at(at);
                    let name = match slot.checked_sub(Self::SLOTS.len()) {
                        None => Self::SLOTS[slot].name,
                        Some(chosen) => custom[chosen].hook.name(),
                    };
                    let _span = OpenSpan::new(SpanKind::Hook, format!("{name} in {}", P::PHASE).into());
                    call(&mut slots, custom, slot, P::PHASE, &mut cx)?;
                }
            } else if custom.is_empty() {
                for (at, slot) in table {
                    cx.calls_hook_at(at);
                    slots.call(slot, P::PHASE, &mut cx)?;
                }
            } else {
                for (at, slot) in table {
                    cx.calls_hook_at(at);
                    call(&mut slots, custom, slot, P::PHASE, &mut cx)?;
                }
            }
            Ok(())
        });
        match called {
            Ok(()) => Ok(()),
            Err(error) => Err(self.close_after(trainer, error, P::PHASE, &mut cx)),
        }
    }

    /// The hook that was called last has failed: names it, and calls those behind it where the phase closes another one.
    #[cold]
    fn close_after(&mut self, trainer: &mut T, error: Error, phase: Phase, cx: &mut Context<'_>) -> Error {
        let mut behind = self.plan(phase).into_iter().skip(cx.place_of_hook());
        let failed = |hook: &Planned| format!("`{}` failed in `{phase}`", hook.name);
        let Some(hook) = behind.next() else { return error };
        let error = error.context(failed(&hook));
        if phase.reaches_all() {
            for hook in behind {
                let Dispatcher { engine, custom, .. } = self;
                let mut slots = Joined { first: engine, second: &mut *trainer };
                let called = panics::catch_in_bracket("it", || call(&mut slots, custom, hook.slot, phase, cx));
                if let Err(further) = called {
                    cx.tell(&format!("{:#}", further.context(failed(&hook))));
                }
            }
        }
        error
    }
}

/// Calls one hook: a slot, or behind them a hook that the file chose.
#[inline(always)]
fn call<S: Slots>(
    slots: &mut S,
    custom: &mut [CustomHook],
    slot: usize,
    phase: Phase,
    cx: &mut Context<'_>,
) -> Result<()> {
    match slot.checked_sub(S::SLOTS.len()) {
        None => slots.call(slot, phase, cx),
        Some(chosen) => custom[chosen].hook.call(phase, cx),
    }
}

#[cfg(test)]
mod tests;

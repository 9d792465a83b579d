//! What it costs to reach the hooks of a phase: 8 hooks, 4 of them in the phase, bodies that only count.
//!
//! `cargo bench -p engine --bench dispatch` prints, from one run, the median of each way. The first two are the least
//! that a dispatcher of hooks which may fail can do, as the prototype had it: no panics caught, no name of the hook that
//! failed, no hooks that a file has added. The engine's two ways stand beside them with their ratios. The bar is 1.3.

#![allow(clippy::expect_used, missing_docs, reason = "a bench ends when something is wrong")]

use engine::base::{Clock, Priority};
use engine::hook::{AnyHook, Dispatcher, Hook, Phases, SlotInfo, SlotSetting, Slots};
use engine::phase::{Phase, at};
use engine::prelude::*;
use engine::run::{Context, RunState};
use std::hint::black_box;
use std::time::Instant;

macro_rules! hooks {
    ($($name:ident $priority:literal $method:ident)*) => { $(
        /// Counts its calls.
        #[hook(priority = $priority)]
        #[derive(Debug)]
        pub struct $name {
            #[transient]
            calls: u64,
        }

        #[phases]
        impl $name {
            fn $method(&mut self, _cx: &mut Context<'_>) -> Result<()> {
                self.calls += 1;
                Ok(())
            }
        }
    )* };
}

hooks! {
    A 60 after_train_iter
    B 10 after_val
    C 30 after_train_iter
    D 30 before_train_iter
    E 20 after_train_iter
    F 40 after_train
    G 30 after_train_iter
    H 50 before_val
}

/// Hooks as a program has them: four of the engine's, four of the trainer's.
macro_rules! slots {
    ($name:ident($($hook:ident $index:tt $slot:literal)*)) => {
        struct $name($($hook),*);

        impl $name {
            fn new() -> Self {
                $name($(built::<$hook>()),*)
            }
        }

        impl Slots for $name {
            const SLOTS: &'static [SlotInfo] = &[$(SlotInfo::of::<$hook>(stringify!($hook))),*];

            #[inline(always)]
            fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
                match slot {
                    $($slot => Phases::call(&mut self.$index, phase, cx),)*
                    _ => Ok(()),
                }
            }
        }
    };
}

slots!(Engines(A 0 0 B 1 1 C 2 2 D 3 3));
slots!(Trainers(E 0 0 F 1 1 G 2 2 H 3 3));

fn built<T: Hook>() -> T
where
    T::Config: serde::de::DeserializeOwned,
{
    T::build(&serde_json::from_str("{}").expect("every setting has a default"))
}

/// The engine's calls through a table without a change of the order.
fn in_table() -> Dispatcher<Engines, Trainers> {
    let mut settings = vec![SlotSetting::default(); 8];
    // another number than the attribute's 60, and still the last
    settings[0].level = Priority::new(61);
    Dispatcher::new(Engines::new(), settings, Vec::new())
}

fn boxed() -> Vec<Box<dyn AnyHook>> {
    fn one<T: Hook>() -> Box<dyn AnyHook>
    where
        T::Config: serde::de::DeserializeOwned,
    {
        Box::new(built::<T>())
    }
    let mut all = vec![one::<A>(), one::<B>(), one::<C>(), one::<D>(), one::<E>(), one::<F>(), one::<G>(), one::<H>()];
    all.sort_by_key(|hook| hook.priority());
    all
}

/// The prototype: hooks by number, one order for a phase, static calls that may fail, and nothing else. Of its eight
/// hooks four take part in the phase.
mod prototype {
    /// What every hook gets and may return.
    pub(crate) struct Seen;
    pub(crate) struct Failed;
    type Result = std::result::Result<(), Box<Failed>>;

    /// The hooks of the phase, by their slot: E, C, G, A.
    pub(crate) const ORDER: [u8; 4] = [4, 2, 6, 0];

    #[derive(Default)]
    pub(crate) struct Counter(u64);

    impl Counter {
        #[inline(always)]
        fn after_train_iter(&mut self, _: &mut Seen) -> Result {
            self.0 += 1;
            Ok(())
        }
    }

    #[derive(Default)]
    pub(crate) struct Eight([Counter; 8]);

    impl Eight {
        #[inline(always)]
        fn call(&mut self, slot: usize, cx: &mut Seen) -> Result {
            match slot {
                0 => self.0[0].after_train_iter(cx),
                2 => self.0[2].after_train_iter(cx),
                4 => self.0[4].after_train_iter(cx),
                6 => self.0[6].after_train_iter(cx),
                // the others take part in other phases
                _ => Ok(()),
            }
        }

        #[inline(always)]
        pub(crate) fn in_const_order(&mut self, cx: &mut Seen) -> Result {
            self.call(const { ORDER[0] as usize }, cx)?;
            self.call(const { ORDER[1] as usize }, cx)?;
            self.call(const { ORDER[2] as usize }, cx)?;
            self.call(const { ORDER[3] as usize }, cx)
        }

        #[inline(never)]
        pub(crate) fn in_table_order(&mut self, table: &[u8], cx: &mut Seen) -> Result {
            table.iter().try_for_each(|slot| self.call(*slot as usize, cx))
        }
    }
}

const CALLS: u32 = 1_000_000;
const ROUNDS: usize = 51;

fn main() {
    // where counters lie in a cache line decides about a third of a nanosecond: each round takes them elsewhere
    let mut bares: Vec<(prototype::Eight, u64)> = (0..ROUNDS).map(|_| Default::default()).collect();
    let mut seen = prototype::Seen;
    let table = prototype::ORDER.to_vec();
    let mut in_order = Dispatcher::new(Engines::new(), vec![SlotSetting::default(); 8], Vec::new());
    let mut by_table = in_table();
    let mut trainers: Vec<(Trainers, u64)> = (0..ROUNDS).map(|_| (Trainers::new(), 0)).collect();
    let mut dynamic = boxed();
    let mut run = RunState::new(Clock::Epoch, Device::Cpu, 0);
    let mut cx = Context::new(&mut run);

    let mut times: [Vec<f64>; 6] = Default::default();
    // in turn, so that a change of the machine's speed meets all of them
    for ((bare, _), (trainer, _)) in bares.iter_mut().zip(&mut trainers) {
        times[0].push(ns(|| black_box(&mut *bare).in_const_order(&mut seen).is_ok()));
        times[1].push(ns(|| black_box(&mut *bare).in_table_order(black_box(&table), &mut seen).is_ok()));
        times[2].push(ns(|| ok(black_box(&mut in_order).run::<at::AfterTrainIter>(black_box(&mut *trainer), &mut cx))));
        times[3].push(ns(|| ok(black_box(&mut by_table).run::<at::AfterTrainIter>(black_box(&mut *trainer), &mut cx))));
        times[4].push(ns(|| {
            ok(black_box(&mut dynamic).iter_mut().try_for_each(|hook| hook.call(Phase::AfterTrainIter, &mut cx)))
        }));
        times[5].push(ns(|| ok(black_box(&mut in_order).run::<at::AfterTest>(black_box(&mut *trainer), &mut cx))));
    }
    let medians = times.map(median);
    let lines = [
        ("prototype, constant order", None),
        ("prototype, table", None),
        ("constant order", Some(0)),
        ("table", Some(1)),
        ("Vec<Box<dyn _>>, all", None),
        ("phase without hooks", None),
    ];
    for ((name, of), median_ns) in lines.iter().zip(medians) {
        let ratio = of.map_or(String::new(), |of: usize| format!(", {:.2} × the prototype's", median_ns / medians[of]));
        println!("{name:<26} {median_ns:>6.2} ns a phase{ratio}");
    }
}

/// No hook of this bench fails.
#[inline(always)]
fn ok(result: Result<()>) {
    result.expect("no hook fails");
}

/// Nanoseconds of one call.
fn ns<R>(mut call: impl FnMut() -> R) -> f64 {
    let began = Instant::now();
    for _ in 0..CALLS {
        black_box(call());
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

//! What it costs to reach the hooks of a phase: 8 hooks, 4 of them in the phase.
//!
//! `cargo bench -p engine --bench dispatch` prints, from one run, the median of each way and its ratio to the first:
//! calls in constant order, calls through a table (a file has changed a level), a `Vec<Box<dyn _>>` that calls all,
//! and a phase that no hook takes part in.

#![allow(clippy::expect_used, missing_docs, reason = "a bench ends when something is wrong")]

use engine::base::Clock;
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
                self.calls = black_box(self.calls + 1);
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

struct Eight(A, B, C, D, E, F, G, H);

impl Eight {
    fn new() -> Self {
        fn build<T: Hook>() -> T
        where
            T::Config: serde::de::DeserializeOwned,
        {
            T::build(&serde_json::from_str("{}").expect("every setting has a default"))
        }
        Eight(build(), build(), build(), build(), build(), build(), build(), build())
    }
}

impl Slots for Eight {
    const SLOTS: &'static [SlotInfo] = &[
        SlotInfo::of::<A>("a"),
        SlotInfo::of::<B>("b"),
        SlotInfo::of::<C>("c"),
        SlotInfo::of::<D>("d"),
        SlotInfo::of::<E>("e"),
        SlotInfo::of::<F>("f"),
        SlotInfo::of::<G>("g"),
        SlotInfo::of::<H>("h"),
    ];

    #[inline(always)]
    fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        match slot {
            0 => Phases::call(&mut self.0, phase, cx),
            1 => Phases::call(&mut self.1, phase, cx),
            2 => Phases::call(&mut self.2, phase, cx),
            3 => Phases::call(&mut self.3, phase, cx),
            4 => Phases::call(&mut self.4, phase, cx),
            5 => Phases::call(&mut self.5, phase, cx),
            6 => Phases::call(&mut self.6, phase, cx),
            7 => Phases::call(&mut self.7, phase, cx),
            _ => Ok(()),
        }
    }
}

fn boxed() -> Vec<Box<dyn AnyHook>> {
    let Eight(a, b, c, d, e, f, g, h) = Eight::new();
    let mut all: Vec<Box<dyn AnyHook>> =
        vec![Box::new(a), Box::new(b), Box::new(c), Box::new(d), Box::new(e), Box::new(f), Box::new(g), Box::new(h)];
    all.sort_by_key(|hook| hook.priority());
    all
}

const CALLS: u32 = 1_000_000;
const ROUNDS: usize = 31;

fn main() {
    let mut run = RunState::new(Clock::Epoch, Device::Cpu, 0);
    let mut in_order = Dispatcher::new(Eight::new(), vec![SlotSetting::default(); 8], Vec::new());
    // the level that the attribute has too, to the number below: the order stays, the table is used
    let mut settings = vec![SlotSetting::default(); 8];
    settings[0].level = engine::base::Priority::new(61);
    let mut by_table = Dispatcher::new(Eight::new(), settings, Vec::new());
    let mut dynamic = boxed();

    let mut times: [Vec<f64>; 4] = Default::default();
    // in turn, so that a change of the machine's speed meets all of them
    for _ in 0..ROUNDS {
        times[0].push(ns(&mut run, |cx| in_order.run::<at::AfterTrainIter>(cx)));
        times[1].push(ns(&mut run, |cx| by_table.run::<at::AfterTrainIter>(cx)));
        times[2].push(ns(&mut run, |cx| dynamic.iter_mut().try_for_each(|hook| hook.call(Phase::AfterTrainIter, cx))));
        times[3].push(ns(&mut run, |cx| in_order.run::<at::AfterTest>(cx)));
    }
    let medians = times.map(median);
    let names = ["constant order", "table", "Vec<Box<dyn _>>", "phase without hooks"];
    for (name, median_ns) in names.iter().zip(medians) {
        println!("{name:<20} {median_ns:>7.2} ns a phase, {:>5.2} × the first", median_ns / medians[0]);
    }
}

/// Nanoseconds of one call.
fn ns(run: &mut RunState, mut call: impl FnMut(&mut Context<'_>) -> Result<()>) -> f64 {
    let mut cx = Context::new(run);
    let began = Instant::now();
    for _ in 0..CALLS {
        call(black_box(&mut cx)).expect("no hook fails");
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

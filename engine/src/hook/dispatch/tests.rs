use super::*;
use crate::base::Clock;
use crate::hook::SlotInfo;
use crate::phase::{PhaseMask, at};
use crate::run::RunState;
use tch::Device;

/// Slots that note in what order they were called.
struct Noting<const N: usize> {
    called: Vec<usize>,
}

impl<const N: usize> Noting<N> {
    const INFOS: [SlotInfo; N] = {
        let phases = PhaseMask::of(&[Phase::AfterTrainIter]);
        const NO: PhaseMask = PhaseMask::NONE;
        let info = SlotInfo { name: "noting", priority: Priority::NORMAL, phases, only_ok: NO, asks_nothing: NO };
        let mut infos = [info; N];
        // the last one comes first
        infos[N - 1].priority = Priority::HIGH;
        infos
    };
}

impl<const N: usize> Slots for Noting<N> {
    const SLOTS: &'static [SlotInfo] = &Self::INFOS;

    fn call(&mut self, slot: usize, _: Phase, _: &mut Context<'_>) -> Result<()> {
        self.called.push(slot);
        Ok(())
    }
}

fn run() -> RunState {
    RunState::new(Clock::Iter, Device::Cpu, 7)
}

#[test]
fn a_phase_calls_any_number_of_hooks_in_order() {
    fn called<const N: usize>() {
        let (engine, mut trainer) = (Noting::<N> { called: Vec::new() }, Noting::<N> { called: Vec::new() });
        let mut dispatcher = Dispatcher::new(engine, vec![], vec![]);
        dispatcher.run::<at::AfterTrainIter>(&mut trainer, &mut Context::new(&mut run())).unwrap();
        let expected: Vec<usize> = std::iter::once(N - 1).chain(0..N - 1).collect();
        assert_eq!(dispatcher.engine.called, expected);
        assert_eq!(trainer.called, expected);
        let planned: Vec<usize> = dispatcher.plan(Phase::AfterTrainIter).iter().map(|planned| planned.slot).collect();
        assert_eq!(planned[..2], [N - 1, 2 * N - 1], "both of the higher level come first");
        assert_eq!(planned.len(), 2 * N);
    }
    called::<2>();
    // as many as are unrolled, one pair more, and as many as there can be
    called::<16>();
    called::<17>();
    called::<128>();
}

#[test]
fn a_table_calls_in_the_order_of_the_plan() {
    let mut settings = vec![SlotSetting::default(); 4];
    settings[1].off = true;
    settings[3].level = Some(Priority::LOWEST);
    let mut dispatcher = Dispatcher::new((), settings, vec![]);
    let mut trainer = Noting::<4> { called: Vec::new() };
    dispatcher.run::<at::AfterTrainIter>(&mut trainer, &mut Context::new(&mut run())).unwrap();
    assert_eq!(trainer.called, [0, 2, 3]);
}

#[test]
fn only_phases_that_a_hook_takes_part_in_are_dispatched() {
    let mut run = run();
    let mut dispatcher = Dispatcher::new((), vec![], vec![]);
    let mut trainer = Noting::<2> { called: Vec::new() };
    let mut cx = Context::new(&mut run);
    dispatcher.run::<at::BeforeTrainIter>(&mut trainer, &mut cx).unwrap();
    dispatcher.run::<at::AfterForward>(&mut trainer, &mut cx).unwrap();
    assert_eq!(dispatcher.entered, 0);
    dispatcher.run::<at::AfterTrainIter>(&mut trainer, &mut cx).unwrap();
    assert_eq!(dispatcher.entered, 1);
}

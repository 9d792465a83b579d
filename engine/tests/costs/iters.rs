//! One iter of a training.

use crate::allocations::allocations;
use crate::support::{self, NoHooks, Setup, from_ron};
use engine::base::{Clock, Output, Result};
use engine::data::{BatchSource, CommonOrder, Cursor, Source};
use engine::hook::{Batches, Dispatcher, EachState, EngineHooks, SlotInfo, Slots};
use engine::hooks::{Checkpoint, DefaultHooks, Ema, Logger, Scheduler, Timer};
use engine::loops::{BatchStep, EachMetric, Plan, Program, StepProcessor, TrainPlan, Trainer, TrainerInfo};
use engine::model::ModelEntry;
use engine::optim::{AdamW, Clip, GradientScale, Optim, PassInfo};
use engine::phase::Phase;
use engine::record::{Row, RowPhase};
use engine::run::{Context, RunState};
use engine::{component, hook, phases};
use std::cell::Cell;
use std::rc::Rc;
use tch::{Device, Kind, Tensor, nn};

/// The same batch again and again: what a loader allocates is its dataset's business.
struct Same(Tensor, Cursor);

impl Source for Same {
    fn start(&mut self, cursor: Cursor) -> Result<()> {
        self.1 = cursor;
        Ok(())
    }
    fn cursor(&self) -> Cursor {
        self.1
    }
    fn batches(&self) -> Option<u64> {
        None
    }
    fn batches_left(&self) -> Option<u64> {
        None
    }
    fn common_order(&self) -> Option<CommonOrder> {
        None
    }
}

impl BatchSource<Tensor> for Same {
    fn next_batch(&mut self) -> Result<Option<Tensor>> {
        self.1.sample += 1;
        Ok(Some(self.0.shallow_clone()))
    }
}

/// Remembers how much was allocated at the start of each iter, into memory that it has already.
#[hook(priority = 100)]
struct Meter {
    #[transient]
    seen: Rc<Seen>,
}

#[derive(Default)]
struct Seen {
    allocations: [Cell<u64>; ITERS as usize],
    reads: [Cell<u64>; ITERS as usize],
}

const ITERS: u64 = 32;

#[phases]
impl Meter {
    fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let iter = cx.iter().get() as usize;
        self.seen.allocations[iter].set(allocations());
        self.seen.reads[iter].set(cx.record().device_reads());
        Ok(())
    }
}

/// With so many train loaders; the step takes the batch of the first.
struct Tiny<const LOADERS: usize> {
    weight: Tensor,
    train: [Same; LOADERS],
    meter: Meter,
    ema: Ema,
}

impl<const LOADERS: usize> Batches for Tiny<LOADERS> {
    type Batch = Tensor;
}

impl<const LOADERS: usize> Slots for Tiny<LOADERS> {
    const SLOTS: &'static [SlotInfo] = &[SlotInfo::of::<Meter>("meter"), SlotInfo::of::<Ema>("ema")];
    #[inline(always)]
    fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        match slot {
            0 => engine::hook::Phases::call(&mut self.meter, phase, cx),
            _ => engine::hook::Phases::call(&mut self.ema, phase, cx),
        }
    }
}

impl<const LOADERS: usize> Trainer for Tiny<LOADERS> {
    const INFO: TrainerInfo = {
        const NAMES: &[&str] = &["train", "second", "third"];
        let train = NAMES.split_at(LOADERS).0;
        TrainerInfo { clock: Clock::Iter, passes: PassInfo::PLAIN, loaders: [train, &[], &[], &[]] }
    };
    fn train_loader(&mut self, index: usize) -> Option<&mut dyn Source> {
        self.train.get_mut(index).map(|loader| loader as _)
    }
    fn next_train_batch(&mut self) -> Result<Option<Tensor>> {
        let mut first = None;
        for loader in self.train.iter_mut().rev() {
            first = loader.next_batch()?;
        }
        Ok(first)
    }
    fn train_step(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok((x * &self.weight).square().mean(Kind::Float).into())
    }
    fn metrics(&mut self, _: &mut EachMetric<'_>) -> Result<()> {
        Ok(())
    }
    fn states(&mut self, _: &mut EachState<'_>) -> Result<()> {
        Ok(())
    }
}

/// Trains and gives what each iter but the last has allocated and read.
fn measured<const LOADERS: usize, D: EngineHooks>(hooks: D, accumulate: u64) -> (Vec<u64>, Vec<u64>) {
    measured_with::<LOADERS, _>(hooks, accumulate, |_| ())
}

/// The same with what `prepare` makes of the program.
fn measured_with<const LOADERS: usize, D: EngineHooks>(
    hooks: D,
    accumulate: u64,
    prepare: impl FnOnce(&mut Program<D, Tiny<LOADERS>>),
) -> (Vec<u64>, Vec<u64>) {
    let mut run = RunState::new(Clock::Iter, Device::Cpu, 7);
    let store = nn::VarStore::new(Device::Cpu);
    let weight = store.root().var("weight", &[4], nn::Init::Const(1.0));
    run.models.push(ModelEntry::new("net", store));
    run.updates.add(Optim::new("opt", &AdamW::new(0.1), vec![("weight".into(), weight.shallow_clone())]).unwrap());
    let meter = from_ron::<Meter>("()");
    let seen = meter.seen.clone();
    let batch = Tensor::ones([2, 4], (Kind::Float, Device::Cpu));
    let train = [(); LOADERS].map(|()| Same(batch.shallow_clone(), Cursor::default()));
    let tiny = Tiny { weight, train, meter, ema: from_ron::<Ema>("()") };
    let plan = TrainPlan { max_iters: Some(ITERS), accumulate, clip: Some(Clip::Norm(1.0)), ..TrainPlan::default() };
    let hooks = Dispatcher::new(hooks, vec![], vec![]);
    let mut driver = Program::new(tiny, hooks, Plan { train: plan, ..Plan::default() }, run);
    prepare(&mut driver);
    driver.run(|driver| driver.train()).unwrap();
    let differences = |counts: &[Cell<u64>]| counts.windows(2).map(|pair| pair[1].get() - pair[0].get()).collect();
    (differences(&seen.allocations), differences(&seen.reads))
}

/// What a batch that is a tensor costs: tch hands over its shape as a list, of which the first is the number of samples.
const SHAPE: u64 = 1;

#[test]
fn an_iter_allocates_nothing_but_the_shapes_of_its_batches() {
    for accumulate in [1, 3] {
        let (allocations, _) = measured::<1, _>(NoHooks, accumulate);
        // the first iter makes the series of `loss` and `grad_norm`
        assert_eq!(allocations[2..], [accumulate * SHAPE; ITERS as usize - 3], "accumulate {accumulate}");
    }
}

#[test]
fn factors_of_gradients_allocate_nothing() {
    let (allocations, reads) = measured_with::<1, _>(NoHooks, 2, |driver| {
        driver.run.updates.set_gradient_scales(&[GradientScale::new("weight", 0.5)]).unwrap();
    });
    assert_eq!(allocations[2..], [2 * SHAPE; ITERS as usize - 3]);
    assert_eq!(reads[2..], [0; ITERS as usize - 3]);
}

/// Computes the whole batch.
#[component(step)]
struct Whole {}

impl StepProcessor for Whole {
    fn process(&self, batch: &mut dyn BatchStep) -> Result<()> {
        batch.compute()
    }
}

#[test]
fn a_step_processor_allocates_nothing_besides_what_it_does_itself() {
    let (allocations, reads) =
        measured_with::<1, _>(NoHooks, 2, |driver| driver.set_step_processor(Box::new(Whole {})));
    assert_eq!(allocations[2..], [2 * SHAPE; ITERS as usize - 3]);
    assert_eq!(reads[2..], [0; ITERS as usize - 3]);
}

#[test]
fn several_train_loaders_allocate_no_more_than_one() {
    let (allocations, _) = measured::<3, _>(NoHooks, 2);
    assert_eq!(allocations[2..], [2 * SHAPE; ITERS as usize - 3]);
}

#[test]
fn an_iter_with_the_engines_hooks_allocates_only_where_a_row_is_written() {
    let (allocations, reads) = measured::<1, _>(
        DefaultHooks {
            timer: from_ron::<Timer>("()"),
            scheduler: from_ron::<Scheduler>("()"),
            logger: from_ron::<Logger>("(interval: 10)"),
            checkpoint: from_ron::<Checkpoint>("()"),
        },
        1,
    );
    for (iter, (allocations, reads)) in allocations.iter().zip(&reads).enumerate().skip(2) {
        // the row of iter 10 is written in the span that begins with iter 9
        let row = iter % 10 == 9;
        assert_eq!(*reads, u64::from(row), "iter {iter}");
        assert_eq!(*allocations > SHAPE, row, "iter {iter}: {allocations}");
    }
}

#[test]
fn a_device_is_read_for_rows_and_metrics_alone() {
    let mut driver = Setup { logger: "(interval: 4)", ..Setup::default() }.full::<support::ByEpoch>();
    let (rows, _) = support::Toyed::keep_rows(&mut driver);
    driver.run(|driver| driver.train()).unwrap();
    let train = |rows: &[Row]| rows.iter().filter(|row| row.phase == RowPhase::Train).count() as u64;
    assert_eq!(driver.run.record().device_reads(), train(&rows.lock().unwrap()));
}

//! When the loops let a loader bring its next batch to the device, and that they tell what a loader has to say.

use crate::support::{Lines, NoHooks, Rows, every, from_ron, kept};
use engine::base::{Clock, Output, Result};
use engine::data::{BatchSource, CommonOrder, Cursor, Source};
use engine::hook::{Batches, Dispatcher, EachState, SlotInfo, Slots};
use engine::hooks::Ema;
use engine::loops::{EachMetric, FedStep, Plan, Program, Role, TrainPlan, Trainer, TrainerInfo, fed};
use engine::model::ModelEntry;
use engine::optim::{Optim, PassInfo, Sgd};
use engine::phase::Phase;
use engine::run::{Context, RunState};
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Device, Kind, Tensor, nn};

type Calls = Rc<RefCell<Vec<&'static str>>>;

/// Notes what it is asked for.
struct Noted {
    calls: Calls,
    cursor: Cursor,
    /// Batches of a pass; none: without end.
    batches: Option<u64>,
    notice: Option<String>,
}

impl Noted {
    fn new(calls: &Calls, batches: Option<u64>) -> Self {
        Noted { calls: calls.clone(), cursor: Cursor::default(), batches, notice: None }
    }
}

impl Source for Noted {
    fn start(&mut self, cursor: Cursor) -> Result<()> {
        self.cursor = cursor;
        Ok(())
    }
    fn cursor(&self) -> Cursor {
        self.cursor
    }
    fn batches(&self) -> Option<u64> {
        self.batches
    }
    fn batches_left(&self) -> Option<u64> {
        self.batches.map(|batches| batches - self.cursor.sample)
    }
    fn common_order(&self) -> Option<CommonOrder> {
        None
    }
    fn bring_ahead(&mut self) {
        self.calls.borrow_mut().push("ahead");
    }
    fn notice(&mut self) -> Option<String> {
        self.notice.take()
    }
}

impl BatchSource<Tensor> for Noted {
    fn next_batch(&mut self) -> Result<Option<Tensor>> {
        if self.batches_left() == Some(0) {
            return Ok(None);
        }
        self.calls.borrow_mut().push("read");
        self.cursor.sample += 1;
        Ok(Some(Tensor::ones([2, 4], (Kind::Float, Device::Cpu))))
    }
}

struct Small {
    weight: Tensor,
    calls: Calls,
    train: Noted,
    val: Noted,
    ema: Ema,
}

impl Small {
    fn step(&self, x: &Tensor) -> Result<Output> {
        self.calls.borrow_mut().push("step");
        Ok((x * &self.weight).square().mean(Kind::Float).into())
    }
}

impl Batches for Small {
    type Batch = Tensor;
}

impl Slots for Small {
    const SLOTS: &'static [SlotInfo] = &[SlotInfo::of::<Ema>("ema")];
    fn call(&mut self, _: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        engine::hook::Phases::call(&mut self.ema, phase, cx)
    }
}

impl Trainer for Small {
    const INFO: TrainerInfo =
        TrainerInfo { clock: Clock::Iter, passes: PassInfo::PLAIN, loaders: [&["train"], &["val"], &[], &[]] };
    fn train_loader(&mut self, index: usize) -> Option<&mut dyn Source> {
        (index == 0).then_some(&mut self.train as _)
    }
    fn next_train_batch(&mut self) -> Result<Option<Tensor>> {
        self.train.next_batch()
    }
    fn train_step(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        self.step(x)
    }
    fn evaluated(role: Role, _: usize) -> Option<Box<dyn FedStep<Self, Output>>> {
        (role == Role::Val).then(|| fed(|small: &mut Self| Some(&mut small.val), |small, x: &Tensor, _| small.step(x)))
    }
    fn metrics(&mut self, _: &mut EachMetric<'_>) -> Result<()> {
        Ok(())
    }
    fn states(&mut self, _: &mut EachState<'_>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn the_next_batch_is_brought_ahead_before_the_last_step_of_an_update_and_before_each_step_of_a_validation() {
    let mut run = RunState::new(Clock::Iter, Device::Cpu, 7);
    let store = nn::VarStore::new(Device::Cpu);
    let weight = store.root().var("weight", &[4], nn::Init::Const(1.0));
    run.models.push(ModelEntry::new("net", store));
    run.updates.add(Optim::new("opt", &Sgd::new(0.1), vec![("weight".into(), weight.shallow_clone())]).unwrap());
    let calls = Calls::default();
    let mut train = Noted::new(&calls, None);
    train.notice = Some("no memory could be pinned".into());
    let val = Noted::new(&calls, Some(2));
    let small = Small { weight, calls: calls.clone(), train, val, ema: from_ron::<Ema>("()") };
    let plan = Plan {
        train: TrainPlan { max_iters: Some(2), accumulate: 3, ..TrainPlan::default() },
        val: Some(every(2, Clock::Iter)),
        ..Plan::default()
    };
    let mut program = Program::new(small, Dispatcher::new(NoHooks, vec![], vec![]), plan, run);
    let (rows, lines) = (Rows::default(), Lines::default());
    program.run.seen.sinks.push("kept", kept(&rows, &lines));
    program.run(|program| program.train()).unwrap();
    let update = ["read", "read", "read", "step", "step", "ahead", "step"];
    let val = ["read", "ahead", "step"];
    assert_eq!(*calls.borrow(), [&update[..], &update, &val, &val].concat());
    let told = lines.lock().unwrap().iter().filter(|line| line.contains("no memory could be pinned")).count();
    assert_eq!(told, 1);
}

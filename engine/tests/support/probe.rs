//! A hook that takes part in every phase and does there what a test wants, and a sink that keeps what it gets.

use engine::base::{Result, State, StateError, StateMap};
use engine::phase::Phase;
use engine::record::{Event, Row, Sink, ValueKind};
use engine::run::Context;
use engine::{hook, phases};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

type Action = Box<dyn FnMut(Phase, &mut Context<'_>) -> Result<()>>;

/// Takes part in every phase.
#[hook]
pub struct Probe {
    #[transient]
    pub action: Vec<Action>,
}

macro_rules! in_every_phase {
    ($($name:ident $phase:ident;)*) => {
        #[phases]
        impl Probe {
            $( fn $name(&mut self, cx: &mut Context<'_>) -> Result<()> { self.act(Phase::$phase, cx) } )*
        }
    };
}

in_every_phase! {
    before_run BeforeRun;
    after_load_checkpoint AfterLoadCheckpoint;
    before_train BeforeTrain;
    before_train_epoch BeforeTrainEpoch;
    before_train_iter BeforeTrainIter;
    before_train_batch BeforeTrainBatch;
    after_forward AfterForward;
    after_backward AfterBackward;
    after_train_batch AfterTrainBatch;
    before_optimizer_step BeforeOptimizerStep;
    after_optimizer_step AfterOptimizerStep;
    after_train_iter AfterTrainIter;
    after_train_epoch AfterTrainEpoch;
    before_val BeforeVal;
    before_val_epoch BeforeValEpoch;
    before_val_iter BeforeValIter;
    after_val_iter AfterValIter;
    after_val_epoch AfterValEpoch;
    after_val AfterVal;
    before_save_checkpoint BeforeSaveCheckpoint;
    after_save_checkpoint AfterSaveCheckpoint;
    after_train AfterTrain;
    before_test BeforeTest;
    before_test_epoch BeforeTestEpoch;
    before_test_iter BeforeTestIter;
    after_test_iter AfterTestIter;
    after_test_epoch AfterTestEpoch;
    after_test AfterTest;
    before_predict BeforePredict;
    before_predict_iter BeforePredictIter;
    after_predict_iter AfterPredictIter;
    after_predict AfterPredict;
    on_exception OnException;
    after_run AfterRun;
}

impl Probe {
    /// Every action sees the phase, also when one before it has failed.
    fn act(&mut self, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        assert_eq!(cx.phase(), phase);
        let results: Vec<Result<()>> = self.action.iter_mut().map(|action| action(phase, cx)).collect();
        results.into_iter().collect()
    }
}

/// A probe with one action.
pub fn probe(action: impl FnMut(Phase, &mut Context<'_>) -> Result<()> + 'static) -> Probe {
    let mut probe = super::from_ron::<Probe>("()");
    probe.action.push(Box::new(action));
    probe
}

/// What was seen while a program ran, in order.
pub struct Seen<T>(Rc<RefCell<Vec<T>>>);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Seen(Rc::default())
    }
}

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Seen(self.0.clone())
    }
}

impl<T> Seen<T> {
    pub fn push(&self, found: T) {
        self.0.borrow_mut().push(found);
    }

    /// All of it; what is seen later begins a new list.
    pub fn take(&self) -> Vec<T> {
        self.0.take()
    }

    /// What was seen last.
    pub fn last(&self) -> Option<T> {
        self.0.borrow_mut().pop()
    }
}

/// The phases that were gone through.
#[derive(Clone, Default)]
pub struct Log(pub Seen<Phase>);

impl Log {
    pub fn push(&self, phase: Phase) {
        self.0.push(phase);
    }

    pub fn phases(&self) -> Vec<Phase> {
        self.0.0.borrow().clone()
    }

    /// The phases by name.
    pub fn names(&self) -> Vec<&'static str> {
        self.phases().iter().map(|phase| phase.name()).collect()
    }

    pub fn count(&self, phase: Phase) -> usize {
        self.phases().iter().filter(|seen| **seen == phase).count()
    }

    /// Checks that phases nest like brackets.
    pub fn assert_closed(&self, what: &str) {
        let mut open: Vec<Phase> = Vec::new();
        for phase in self.phases() {
            if let Some(before) = phase.closes() {
                assert_eq!(
                    open.pop(),
                    Some(before),
                    "{what}: `{phase}` closes what is not open, in {:?}",
                    self.names()
                );
            } else if Phase::ALL.iter().any(|closing| closing.closes() == Some(phase)) {
                open.push(phase);
            }
        }
        assert!(open.is_empty(), "{what}: {open:?} were not closed");
        assert_eq!(self.phases().last(), Some(&Phase::AfterRun), "{what}");
        assert!(self.count(Phase::OnException) <= 1, "{what}");
    }
}

pub type Rows = Arc<Mutex<Vec<Row>>>;
pub type Lines = Arc<Mutex<Vec<String>>>;

struct Kept(Rows, Lines);

impl Sink for Kept {
    fn row(&mut self, row: &Row) -> Result<()> {
        row.check()?;
        self.0.lock().unwrap().push(row.clone());
        Ok(())
    }

    fn event(&mut self, _: &Event) -> Result<()> {
        Ok(())
    }

    fn takes(&self, kind: ValueKind) -> bool {
        kind == ValueKind::Number
    }

    fn line(&mut self, text: &str) -> Result<()> {
        self.1.lock().unwrap().push(text.to_owned());
        Ok(())
    }
}

/// A position in rows, where a file counts bytes: what follows the checkpoint comes again.
impl State for Kept {
    fn save_state(&self) -> StateMap {
        let mut state = StateMap::new();
        state.put("rows", &self.0.lock().unwrap().len());
        state
    }

    fn load_state(&mut self, mut state: StateMap) -> Result<(), StateError> {
        self.0.lock().unwrap().truncate(state.take("rows")?);
        Ok(())
    }
}

/// Takes values of all kinds, and keeps none.
pub struct TakesAll;

impl Sink for TakesAll {
    fn event(&mut self, _: &Event) -> Result<()> {
        Ok(())
    }
}

impl State for TakesAll {
    fn save_state(&self) -> StateMap {
        StateMap::new()
    }

    fn load_state(&mut self, _: StateMap) -> Result<(), StateError> {
        Ok(())
    }
}

/// A sink that adds to these.
pub fn kept(rows: &Rows, lines: &Lines) -> impl Sink + 'static {
    Kept(rows.clone(), lines.clone())
}

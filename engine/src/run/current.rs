//! What runs now.

use crate::base::Clock;
use crate::phase::Phase;
use crate::run::{Caller, Clocks};
use std::fmt;

/// The command that a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `train`, including its validations.
    Train,
    /// `val`: one validation of the weights of a checkpoint.
    Val,
    /// `test`.
    Test,
    /// `predict`.
    Predict,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Command::Train => "train",
            Command::Val => "val",
            Command::Test => "test",
            Command::Predict => "predict",
        })
    }
}

/// The position of an update in its iter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassPlace {
    /// The index of its pass among the passes of the trainer.
    pub pass: usize,
    /// Its number among the updates that the pass makes in a row, counted from 0.
    pub time: u64,
}

/// What runs now: the command, the phase, and the loader of the current batch.
#[derive(Debug)]
pub struct Current {
    pub(crate) command: Command,
    pub(crate) phase: Phase,
    /// The update that is under way in an iter.
    pub(crate) pass: Option<PassPlace>,
    /// Whether an epoch of the training is under way.
    pub(crate) in_epoch: bool,
    /// The finished iters when this process began or went on with the epoch under way.
    pub(crate) epoch_began: u64,
    /// The step of the trainer's that runs: `train_step`.
    pub(crate) step: Option<&'static str>,
    pub(crate) loader: &'static str,
    /// Whether its role has several loaders, so that what is recorded of this one is named after it.
    pub(crate) named_loader: bool,
    /// The finished batches of the loader that is being evaluated; `None` outside evaluations.
    pub(crate) evaluated: Option<u64>,
    /// Whether it was told which of the weights of a checkpoint an evaluation uses.
    pub(crate) has_told_weights: bool,
}

impl Current {
    pub(crate) fn new() -> Self {
        Current {
            command: Command::Train,
            phase: Phase::BeforeRun,
            pass: None,
            in_epoch: false,
            epoch_began: 0,
            step: None,
            loader: "",
            named_loader: false,
            evaluated: None,
            has_told_weights: false,
        }
    }

    /// The name of the loader in what is recorded: only where its role has several, and while it is evaluated.
    pub(crate) fn recorded_loader(&self) -> Option<&'static str> {
        (self.named_loader && self.evaluated.is_some()).then_some(self.loader)
    }

    /// Whether a batch is in work: in training from `before_train_batch` to `after_train_batch`, and in all of an
    /// evaluation of a loader.
    pub(crate) fn is_batch_in_work(&self) -> bool {
        use Phase::{AfterBackward, AfterForward, AfterTrainBatch, BeforeTrainBatch};
        self.evaluated.is_some()
            || matches!(self.phase, BeforeTrainBatch | AfterForward | AfterBackward | AfterTrainBatch)
    }

    /// Whose code runs: the step's, else that of the hook at this place in the phase's order.
    pub(crate) fn caller(&self, place: usize) -> Caller {
        match self.step {
            Some(step) => Caller::Step(step),
            None => Caller::Hook(self.phase, place),
        }
    }

    /// Says at which batch a step has failed. The counts are those of finished batches, iters and epochs, as in rows.
    #[cold]
    pub(crate) fn step_failed(&self, step: &str, clocks: &Clocks) -> String {
        let batch = match self.evaluated {
            None => format!("batch {}", clocks.batch.get()),
            Some(batch) => format!("batch {batch} of `{}`", self.loader),
        };
        let epoch = match clocks.clock {
            Clock::Epoch => format!(" (epoch {})", clocks.epoch.get()),
            Clock::Iter | Clock::Sample => String::new(),
        };
        format!("`{step}` failed at iter {}, {batch}{epoch}", clocks.iter.get())
    }
}

//! The requests of hooks and steps to the loop. The loop turns them into a [`Decision`](crate::run::Decision).

use crate::phase::Phase;
use crate::run::RollBack;
use tch::Tensor;

/// The requests since the last decision.
#[derive(Debug, Default)]
pub struct Requests {
    /// The first request to end the training.
    pub(crate) stop: Option<StopRequest>,
    pub(crate) validate: bool,
    pub(crate) saves: Vec<Save>,
    /// Checkpoints that only this one of several ranks is asked for.
    pub(crate) saves_alone: Vec<Save>,
    /// Why the coming update is to be left out.
    pub(crate) skip_update: Option<String>,
    /// The first request to go back to an earlier state.
    pub(crate) roll_back: Option<RollBack>,
    /// Whether the state is to be kept in memory.
    pub(crate) keep: bool,
    /// Weights whose statistics of batch norm are to be computed anew when the training is over: the model, and the tensors
    /// by their names.
    pub(crate) statistics: Vec<(String, Vec<(String, Tensor)>)>,
}

/// Somebody asks to end the training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StopRequest {
    pub(crate) by: Caller,
    pub(crate) reason: String,
}

/// Whose code runs, as far as it can be told without looking up a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A step of the trainer's: `train_step`.
    Step(&'static str),
    /// The hook at this place in the order of the phase.
    Hook(Phase, usize),
}

/// A request to write a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Save {
    /// Its folder's name below `checkpoints/`.
    pub name: String,
    /// Whether `checkpoints/latest` contains this name when a state gets several names at one safe point. Each of them
    /// is a whole checkpoint, and `--resume` uses the newest, whatever its name.
    pub latest: bool,
}

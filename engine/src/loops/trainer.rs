//! The trait through which the loops use a trainer. `#[trainer]` implements it.

use crate::base::{Clock, Output, Prediction, Result};
use crate::data::Source;
use crate::hook::{Batches, EachState, Slots};
use crate::loops::fed::FedStep;
use crate::metric::Metric;
use crate::optim::PassInfo;
use crate::run::Context;

/// What a loader is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// `#[loader(train)]`.
    Train,
    /// `#[loader(val)]`.
    Val,
    /// `#[loader(test)]`.
    Test,
    /// `#[loader(predict)]`.
    Predict,
}

impl Role {
    /// The word of the attribute.
    pub fn name(self) -> &'static str {
        match self {
            Role::Train => "train",
            Role::Val => "val",
            Role::Test => "test",
            Role::Predict => "predict",
        }
    }
}

/// What is known of a trainer before there is one.
#[derive(Clone, Copy, Debug)]
pub struct TrainerInfo {
    /// `by_epoch` or `by_iter`.
    pub clock: Clock,
    /// The passes of one iter, in order; [`PassInfo::PLAIN`] for a trainer without `#[passes]`.
    pub passes: &'static [PassInfo],
    /// The names of its loader fields, in field order, by their roles: train, val, test, predict.
    pub loaders: [&'static [&'static str]; 4],
}

impl TrainerInfo {
    /// The loader fields of a role, in field order.
    pub const fn loaders(&self, role: Role) -> &'static [&'static str] {
        self.loaders[role as usize]
    }
}

/// Called with each metric and the name of its field.
pub type EachMetric<'a> = dyn FnMut(&'static str, &mut dyn Metric) -> Result<()> + 'a;

/// A struct under `#[trainer]`, as the loops see it.
pub trait Trainer: Batches + Slots + Sized {
    /// What is known of it before there is one.
    const INFO: TrainerInfo;

    /// `by_epoch` or `by_iter`.
    const CLOCK: Clock = Self::INFO.clock;

    /// The passes of one iter, in order.
    const PASSES: &'static [PassInfo] = Self::INFO.passes;

    /// The loader fields of a role, in field order.
    fn loaders(role: Role) -> &'static [&'static str] {
        Self::INFO.loaders(role)
    }

    /// A train loader, by its index in [`Trainer::loaders`].
    fn train_loader(&mut self, index: usize) -> Option<&mut dyn Source>;

    /// The next batch of the train loader; with several loaders a tuple with a batch of each, in field order. `None`
    /// when a loader is at the end of its pass.
    ///
    /// # Errors
    /// The error of a sample.
    fn next_train_batch(&mut self) -> Result<Option<Self::Batch>>;

    /// [`crate::hook::Steps::train_step`] of the current pass.
    ///
    /// # Errors
    /// Those of the step.
    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output>;

    /// A val or test loader with its step, by its place in [`Trainer::loaders`]; `None` when there is none.
    fn evaluated(role: Role, index: usize) -> Option<Box<dyn FedStep<Self, Output>>> {
        let _ = (role, index);
        None
    }

    /// The predict loader with its step; `None` when there is none.
    fn predicted() -> Option<Box<dyn FedStep<Self, Prediction>>> {
        None
    }

    /// The names of loader fields that are `None`, because the experiment leaves them out.
    fn absent_loaders(&mut self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The `#[metric]` fields.
    ///
    /// # Errors
    /// The first that `each` returns.
    fn metrics(&mut self, each: &mut EachMetric<'_>) -> Result<()>;

    /// Calls `each` with all states of the trainer that are saved in checkpoints: `hooks.ema`, `metrics.accuracy`, and
    /// `trainer` for its own state.
    ///
    /// # Errors
    /// The first that `each` returns.
    fn states(&mut self, each: &mut EachState<'_>) -> Result<()>;
}

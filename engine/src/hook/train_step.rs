//! Where a trainer's training step comes from: `impl Steps`, or `#[passes]`.
//!
//! They are two traits, so that a trainer with both gets a message that says what to do, and not only that two
//! implementations of one trait conflict. `#[trainer]` checks which of them exists.

use crate::base::{Output, Result};
use crate::hook::steps::Steps;
use crate::optim::PassInfo;
use crate::run::Context;
use std::marker::PhantomData;

/// Implemented by `#[passes]`: the step of the current pass.
pub trait AllPassesInOneBlock {
    /// [`Steps::Batch`].
    type Batch;

    /// The passes of one iter, in order.
    const PASSES: &'static [PassInfo];

    /// The forward pass of one batch, of the pass under way.
    ///
    /// # Errors
    /// What goes wrong in it.
    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output>;
}

/// The training step of a trainer, by whether it has passes.
#[diagnostic::on_unimplemented(
    message = "the trainer `{Self}` has no `train_step`",
    label = "neither `impl Steps` nor `#[passes]` is there for this trainer",
    note = "add `impl Steps for {Self} {{ type Batch = …; fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {{ … }} }}`",
    note = "or, where an iter has several losses with optimizers of their own, `#[passes] impl {Self} {{ … }}` with a method for each, marked `#[pass(optimizer)]`"
)]
pub trait TrainStep<const HAS_PASSES: bool> {
    /// [`Steps::Batch`].
    type Batch;

    /// The passes of one iter, in order.
    const PASSES: &'static [PassInfo];

    /// The forward pass of one batch, of the pass under way.
    ///
    /// # Errors
    /// What goes wrong in it.
    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output>;
}

#[diagnostic::do_not_recommend]
impl<T: Steps> TrainStep<false> for T {
    type Batch = T::Batch;

    const PASSES: &'static [PassInfo] = <T as Steps>::PASSES;

    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        Steps::train_step(self, batch, cx)
    }
}

#[diagnostic::do_not_recommend]
impl<T: AllPassesInOneBlock> TrainStep<true> for T {
    type Batch = T::Batch;

    const PASSES: &'static [PassInfo] = T::PASSES;

    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        AllPassesInOneBlock::train_step(self, batch, cx)
    }
}

/// Tells what a type has. A constant of the type's own comes before that of [`NoSteps`], where its bound holds.
pub struct StepsOf<T>(PhantomData<T>);

impl<T: AllPassesInOneBlock> StepsOf<T> {
    /// Whether there is `#[passes]`.
    pub const HAS_PASSES: bool = true;
}

impl<T: Steps> StepsOf<T> {
    /// Whether there is `impl Steps`.
    pub const HAS_STEPS: bool = true;
}

/// What [`StepsOf`] tells where a type has neither.
pub trait NoSteps {
    /// Whether there is `#[passes]`.
    const HAS_PASSES: bool = false;
    /// Whether there is `impl Steps`.
    const HAS_STEPS: bool = false;
}

impl<T> NoSteps for StepsOf<T> {}

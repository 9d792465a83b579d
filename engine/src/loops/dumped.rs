//! What is kept of an update so that it can be dumped, and what is noted while one is computed alone.

use crate::base::{Batch as BatchClock, Output, Result, Scalar, StateMap};
use crate::native::{FiniteWatch, FirstNotFinite, FlopCounter, OperatorFlops};
use crate::run::Generators;

/// What was there before an update.
pub(super) struct Before<B> {
    pub(super) generators: Generators,
    /// Where the clock and the loaders stood before its batches were read.
    pub(super) batch: BatchClock,
    pub(super) loaders: Vec<StateMap>,
    /// Its batches so far, as the step gets them.
    pub(super) batches: Vec<B>,
    /// Whether its optimizers step: the weights are no longer those of the batches.
    pub(super) is_over: bool,
}

/// What is noted while an update is computed alone: by `replay`, or to know its costs.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) values: Vec<Vec<(String, Scalar)>>,
    pub(super) watch: Option<FiniteWatch>,
    /// What was found in forward passes, before a backward has found anything.
    pub(super) forward: FirstNotFinite,
    /// Whether a backward has found something: what comes later may be its consequence.
    pub(super) is_of_backward: bool,
    pub(super) flops: Option<FlopCounter>,
    pub(super) forward_flops: Vec<OperatorFlops>,
    pub(super) backward_flops: Vec<OperatorFlops>,
}

impl Notes {
    /// A step has given its output, and backward comes next.
    ///
    /// # Errors
    /// Those of libtorch.
    pub(super) fn after_forward(&mut self, output: &Output) -> Result<()> {
        let loss = output.loss().ok().map(|loss| ("loss".to_owned(), Scalar::from(&loss.detach())));
        let values = output.values().iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        self.values.push(loss.into_iter().chain(values).collect());
        if let (false, Some(watch)) = (self.is_of_backward, &self.watch) {
            self.forward = watch.found();
        }
        if let Some(flops) = &self.flops {
            self.forward_flops.extend(flops.take()?);
        }
        Ok(())
    }

    /// Its backward has ended.
    ///
    /// # Errors
    /// Those of libtorch.
    pub(super) fn after_backward(&mut self) -> Result<()> {
        self.is_of_backward |= self.watch.as_ref().is_some_and(|watch| watch.found() != self.forward);
        if let Some(flops) = &self.flops {
            self.backward_flops.extend(flops.take()?);
        }
        Ok(())
    }
}

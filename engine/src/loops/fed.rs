//! A loader of an evaluation together with the step that takes its batches, whose type differs from loader to loader.

use crate::base::{Error, Result};
use crate::data::{Batch, BatchSource, Source};
use crate::loops::share::Weighed;
use crate::run::{Context, RunState};
use std::marker::PhantomData;
use tch::Tensor;

/// A val, test or predict loader of the trainer `T`, and the step that it feeds. Of a batch the step says an `A`: an
/// [`Output`](crate::base::Output) or a [`Prediction`](crate::base::Prediction). [`fed`] makes one.
///
/// It holds the batch between its reading and its step, so that the loops know of no type of batches.
pub trait FedStep<T, A> {
    /// The loader.
    ///
    /// # Errors
    /// When the experiment leaves it out; the loops ask for none that is left out.
    fn loader<'t>(&self, trainer: &'t mut T) -> Result<&'t mut dyn Source>;

    /// Reads the next batch and takes it to the device, in place of the one before; `None` at the end of the pass.
    ///
    /// # Errors
    /// What goes wrong with a sample, and when the device is out of memory.
    fn read(&mut self, trainer: &mut T, run: &RunState) -> Result<Option<BatchRead>>;

    /// The tensors of the batch that was read last, in their order; none when there is no batch.
    ///
    /// # Errors
    /// Those of the batch's parts.
    fn tensors(&mut self) -> Result<Vec<Tensor>>;

    /// Keeps only the first samples of the batch that was read last.
    ///
    /// # Errors
    /// When a part of the batch has not one row for each sample.
    fn keep(&mut self, samples: usize) -> Result<()>;

    /// The step, on the batch that was read last.
    ///
    /// # Errors
    /// What goes wrong in it; when no batch was read.
    fn step(&self, trainer: &mut T, cx: &mut Context<'_>) -> Result<A>;
}

/// What is known of a batch before its step.
#[derive(Clone, Copy, Debug)]
pub struct BatchRead {
    /// Its samples.
    pub size: usize,
    /// What it counts in means over several batches.
    pub weight: f64,
}

/// A loader and the step that takes its batches.
pub fn fed<T: 'static, B: Batch + 'static, A: 'static>(
    loader: impl 'static + for<'t> Fn(&'t mut T) -> Option<&'t mut dyn BatchSource<B>>,
    step: impl 'static + Fn(&mut T, &B, &mut Context<'_>) -> Result<A>,
) -> Box<dyn FedStep<T, A>> {
    Box::new(Fed { loader, step, batch: None, trainer: PhantomData })
}

struct Fed<T, B, L, S> {
    loader: L,
    step: S,
    batch: Option<B>,
    trainer: PhantomData<fn(&mut T)>,
}

impl<T, B, A, L, S> FedStep<T, A> for Fed<T, B, L, S>
where
    B: Batch,
    L: for<'t> Fn(&'t mut T) -> Option<&'t mut dyn BatchSource<B>>,
    S: Fn(&mut T, &B, &mut Context<'_>) -> Result<A>,
{
    fn loader<'t>(&self, trainer: &'t mut T) -> Result<&'t mut dyn Source> {
        (self.loader)(trainer).map(|loader| loader as _).ok_or_else(left_out)
    }

    fn read(&mut self, trainer: &mut T, run: &RunState) -> Result<Option<BatchRead>> {
        // its memory is free before the next one takes some
        self.batch = None;
        let loader = (self.loader)(trainer).ok_or_else(left_out)?;
        let Some(batch) = loader.next_batch()? else { return Ok(None) };
        let Weighed { batch, size, weight } = Weighed::of(batch)?.onto(run)?;
        self.batch = Some(batch);
        Ok(Some(BatchRead { size, weight }))
    }

    fn tensors(&mut self) -> Result<Vec<Tensor>> {
        let mut found = Vec::new();
        self.batch.iter_mut().try_for_each(|batch| {
            batch.each_tensor(&mut |tensor| {
                found.push(tensor.shallow_clone());
                Ok(())
            })
        })?;
        Ok(found)
    }

    fn keep(&mut self, samples: usize) -> Result<()> {
        if let Some(batch) = &mut self.batch {
            *batch = batch.samples(0..samples)?;
        }
        Ok(())
    }

    fn step(&self, trainer: &mut T, cx: &mut Context<'_>) -> Result<A> {
        match &self.batch {
            Some(batch) => (self.step)(trainer, batch, cx),
            None => Err(Error::msg("a step of an evaluation comes after the reading of its batch")),
        }
    }
}

fn left_out() -> Error {
    Error::msg("the experiment leaves this loader out")
}

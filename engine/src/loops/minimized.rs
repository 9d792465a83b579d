//! An update that computes the loss of its batches at several points, for an optimizer that needs it, such as L-BFGS.
//!
//! The first computation is that of every update. The others go forward and backward only: hooks are not called, the batches
//! and the clock do not go on, and nothing that the step logs is shown. Each of them draws the random numbers of the first,
//! so that all are points of one function. After the update the generators stand where the first computation has left them.

use crate::base::{Error, Result};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::share::Weighed;
use crate::loops::trainer::Trainer;
use crate::optim::update::Updated;
use crate::run::{Generators, StepWatch};
use tch::{Device, Tensor};

/// The loss of an update, over all of its batches.
#[derive(Debug, Default)]
pub(super) struct Evaluations {
    /// Where the generators stood before each computation of the first point.
    generators: Vec<Generators>,
    /// The number of computations at this point.
    done: usize,
    /// The losses at this point, each with its part in the whole.
    losses: Vec<(Tensor, f64)>,
    /// Whether a further point is computed.
    is_further: bool,
}

impl Evaluations {
    /// Whether a further point is computed, for which no hook is called.
    pub(super) fn is_further(&self) -> bool {
        self.is_further
    }

    /// Before a step: it draws what the one at the first point has drawn.
    pub(super) fn before_step(&mut self, device: Device) -> Result<()> {
        match (self.is_further, self.generators.get(self.done)) {
            (true, Some(generators)) => generators.put_back(),
            (true, None) => Ok(()),
            (false, _) => {
                // one that has failed for lack of memory is taken again in parts
                self.generators.truncate(self.done);
                self.generators.push(Generators::of(device)?);
                Ok(())
            }
        }
    }

    /// After the backward of a step.
    ///
    /// # Errors
    /// When the step has no loss, or has gone backward itself.
    pub(super) fn after_backward(&mut self, step: &str, loss: Option<(&Tensor, f64)>) -> Result<()> {
        let Some((loss, share)) = loss else {
            return Err(Error::msg(format!(
                "the optimizer of `{step}` computes the loss at several points, so the step has to return the loss and leave backward to the engine"
            )));
        };
        self.done += 1;
        // nothing times a loss that is no number is none either
        if share != 0.0 {
            self.losses.push((loss.detach(), share));
        }
        Ok(())
    }

    /// The loss at the point that was computed.
    fn loss(&self) -> Result<f64> {
        let read = |(loss, share): &(Tensor, f64)| Ok(f64::try_from(loss.f_reshape([])?)? * share);
        self.losses.iter().map(read).sum()
    }

    fn begin_further(&mut self) {
        (self.done, self.is_further) = (0, true);
        self.losses.clear();
    }
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// The step of a pass whose optimizer computes the loss at several points, from the batches of the update.
    pub(super) fn minimize(
        &mut self,
        pass: usize,
        iter: u64,
        batches: &mut [Option<Weighed<T::Batch>>],
    ) -> Result<Updated> {
        let after = Generators::of(self.run.device)?;
        if let Some(mut work) = self.run.updates.begin_minimizing(pass, iter)? {
            let loss = self.evaluations.as_ref().map_or(Ok(f64::NAN), Evaluations::loss);
            let watch = self.run.step.watch.take();
            let result = loss.and_then(|loss| work.update(loss, &mut || self.evaluate_further(pass, batches)));
            self.run.step.watch = watch;
            self.run.updates.end_minimizing(work);
            // asked for at a point that was only tried
            self.run.requests.skip_update = None;
            result?;
            after.put_back()?;
        }
        self.run.updates.minimized(pass)
    }

    /// The loss at the point where the parameters are now, and its gradient.
    fn evaluate_further(&mut self, pass: usize, batches: &mut [Option<Weighed<T::Batch>>]) -> Result<f64> {
        self.evaluations.get_or_insert_default().begin_further();
        // nothing of it is shown; what it has logged at the last point goes here
        self.run.step.watch = Some(StepWatch::of_recording());
        self.run.updates.begin(pass)?;
        for batch in batches.iter_mut().flatten() {
            self.run.step.put_batch(batch.size, batch.weight);
            self.run.step.endpoints.drop_kept();
            self.run.step.goes_backward = true;
            let result = match self.processor.is_some() {
                true => self.compute_by_processor(pass, &batch.batch),
                false => self.compute(pass, &batch.batch),
            };
            self.run.step.goes_backward = false;
            result?;
        }
        self.run.updates.finish(pass)?;
        self.evaluations.as_ref().map_or(Ok(f64::NAN), Evaluations::loss)
    }
}

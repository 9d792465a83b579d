//! An update that computes the loss of its batches at several points, for an optimizer that needs it, such as L-BFGS.
//!
//! The first computation is that of every update. The others go forward and backward only: hooks are not called, the batches
//! and the clock do not go on, and nothing that the step logs is shown. Each of them draws the random numbers of the first,
//! so that all are points of one function. After the update the generators stand where the first computation has left them.

use crate::base::Result;
use crate::hook::EngineHooks;
use crate::loops::loss_points::LossPoints;
use crate::loops::program::Program;
use crate::loops::share::Weighed;
use crate::loops::trainer::Trainer;
use crate::optim::update::Updated;
use crate::run::{Generators, StepWatch};

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
            let loss = self.loss_points.as_ref().map_or(Ok(f64::NAN), LossPoints::loss);
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
        self.loss_points.get_or_insert_default().begin_further();
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
        self.loss_points.as_ref().map_or(Ok(f64::NAN), LossPoints::loss)
    }
}

//! Predict: one pass over the predict loader, with each prediction passed on at once.

use crate::base::{Error, Prediction, Result};
use crate::data::Batch;
use crate::hook::{EngineHooks, PredictStep};
use crate::loops::evaluation::Stage;
use crate::loops::fed::FedStep;
use crate::loops::program::Program;
use crate::loops::share::Weighed;
use crate::loops::trainer::{Role, Trainer};
use crate::phase::at;

struct Predict;
impl<T: Trainer> Stage<T> for Predict {
    const ROLE: Role = Role::Predict;
    const STEP: &'static str = "predict_step";
    type Answer = Prediction;
    type Before = at::BeforePredict;
    type BeforeIter = at::BeforePredictIter;
    type AfterIter = at::AfterPredictIter;
    type After = at::AfterPredict;
    fn loader(_: usize) -> Option<Box<dyn FedStep<T, Prediction>>> {
        T::predicted()
    }
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// The predictions for one batch that comes from no loader. No phase is gone through.
    ///
    /// # Errors
    /// Those of the step; when a part of the prediction has not one entry for each sample.
    pub(crate) fn predict_batch<B: Batch>(&mut self, batch: B) -> Result<Prediction>
    where
        T: PredictStep<Prompt = B>,
    {
        let Weighed { batch, size, weight } = Weighed::of(batch)?.onto(&self.run)?;
        self.in_evaluation_mode(Role::Predict, |program| {
            (program.run.step.batch_size, program.run.step.batch_weight) = (size, weight);
            let prediction = program.step("predict_step", |trainer, cx| trainer.predict_step(&batch, cx))?;
            prediction.check(size)?;
            Ok(prediction)
        })
    }

    /// Predicts every batch of the predict loader and calls `write` with each prediction, in the order of the samples; of
    /// several ranks on rank 0 alone, with those of all. A signal ends it early.
    ///
    /// # Errors
    /// The first error of a step, a hook, the loader or `write`; always, when there is no predict loader.
    pub fn predict(&mut self, write: &mut dyn FnMut(Prediction) -> Result<()>) -> Result<()> {
        if !self.loaders.has(Role::Predict) {
            return Err(Error::msg("this trainer has no `#[loader(predict)]`"));
        }
        self.each_loader::<Predict>(|program, place, _| {
            program.pass_over::<Predict>(place, &mut |program, prediction| {
                if let Some(prediction) = &prediction {
                    prediction.check(program.run.step.batch_size)?;
                }
                program.predictions_of_ranks(prediction)?.into_iter().try_for_each(&mut *write)
            })?;
            Ok(())
        })
    }
}

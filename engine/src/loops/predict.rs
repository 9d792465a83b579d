//! Predict: one pass over the predict loader, with each prediction passed on at once.

use crate::base::{Error, Prediction, Result};
use crate::hook::EngineHooks;
use crate::loops::evaluation::Stage;
use crate::loops::fed::FedStep;
use crate::loops::program::Program;
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

//! Predict: one pass over the predict loader, each prediction handed on as it comes.

use crate::base::{Prediction, Result};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::trainer::{Role, Trainer};
use crate::phase::at;
use crate::run::Context;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Predicts every batch of the predict loader and hands each prediction to `write`. A signal ends it early.
    ///
    /// # Errors
    /// The first error of a step, a hook, the loader or `write`.
    pub fn predict(&mut self, write: &mut dyn FnMut(Prediction) -> Result<()>) -> Result<()> {
        self.run.current.loader = T::loaders(Role::Predict).first().copied().unwrap_or("predict");
        self.in_evaluation_mode(Role::Predict, |program| {
            program.within::<at::BeforePredict, at::AfterPredict>(|program| {
                let batches = program.trainer.predict_start()?;
                for batch in 0..batches {
                    if program.decide_on_signal() {
                        break;
                    }
                    program.run.current.evaluated = Some(batch);
                    program.within::<at::BeforePredictIter, at::AfterPredictIter>(|program| {
                        let Program { trainer, run, .. } = program;
                        match trainer.predict_next(&mut Context::new(run))? {
                            Some(prediction) => write(prediction),
                            None => Ok(()),
                        }
                    })?;
                }
                program.run.current.evaluated = None;
                Ok(())
            })
        })
    }
}

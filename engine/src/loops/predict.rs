//! Predict: one pass over the predict loader, each prediction handed on as it comes.

use crate::base::{Prediction, Result};
use crate::hook::EngineHooks;
use crate::loops::driver::Driver;
use crate::loops::trainer::{Role, Trainer};
use crate::phase::at;
use crate::run::Context;

impl<D: EngineHooks, T: Trainer> Driver<D, T> {
    /// Predicts every batch of the predict loader and hands each prediction to `write`. A signal ends it early.
    ///
    /// # Errors
    /// The first error of a step, a hook, the loader or `write`.
    pub fn predict(&mut self, write: &mut dyn FnMut(Prediction) -> Result<()>) -> Result<()> {
        self.run.current.loader = T::loaders(Role::Predict).first().copied().unwrap_or("predict");
        self.in_evaluation_mode(|driver| {
            driver.within::<at::BeforePredict, at::AfterPredict>(|driver| {
                let batches = driver.trainer().predict_start()?;
                for batch in 0..batches {
                    if driver.take_signal() {
                        break;
                    }
                    driver.run.current.evaluated = Some(batch);
                    driver.within::<at::BeforePredictIter, at::AfterPredictIter>(|driver| {
                        let Driver { hooks, run, .. } = driver;
                        match hooks.slots.second.predict_next(&mut Context::new(run))? {
                            Some(prediction) => write(prediction),
                            None => Ok(()),
                        }
                    })?;
                }
                driver.run.current.evaluated = None;
                Ok(())
            })
        })
    }
}

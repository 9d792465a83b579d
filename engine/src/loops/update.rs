//! One iter: `accumulate` batches forward and backward, then one update. The eager step.
//!
//! The loss is not read here. One that is NaN or infinite goes into the gradients and the weights like any other;
//! it is seen in the next row, where the logger warns of it. A hook that wants to leave such updates out calls
//! `skip_update`, and pays for the read of the device.

use crate::base::{Error, Output, Result};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use crate::optim::clip_gradients;
use crate::phase::at;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// One update from `batches` batches; its gradient is their average.
    pub(crate) fn iter(&mut self, batches: u64) -> Result<()> {
        self.foresee_iter();
        self.within::<at::BeforeTrainIter, at::AfterTrainIter>(|program| {
            for optimizer in &mut program.run.updates.optimizers {
                optimizer.zero_grad()?;
            }
            for _ in 0..batches {
                let batch = program.next_train_batch()?;
                program.batch(&batch, batches)?;
            }
            program.update()?;
            program.run.clocks.iter = program.run.clocks.iter.next();
            Ok(())
        })?;
        self.run.step.output = None;
        Ok(())
    }

    /// One batch, forward and backward.
    fn batch(&mut self, batch: &T::Batch, batches: u64) -> Result<()> {
        self.run.step.output = None;
        self.within::<at::BeforeTrainBatch, at::AfterTrainBatch>(|program| {
            let output = program.step("`train_step`", |trainer, cx| trainer.train_step(batch, cx))?;
            check_loss(&output)?;
            program.record_output(&output);
            let loss = match batches {
                1 => output.loss().shallow_clone(),
                _ => output.loss() / batches as f64,
            };
            program.run.step.output = Some(output);
            program.phase::<at::AfterForward>()?;
            loss.f_backward().map_err(|error| Error::new(error).context("`backward` failed"))?;
            drop(loss);
            program.phase::<at::AfterBackward>()?;
            if let Some(output) = &mut program.run.step.output {
                output.detach();
            }
            program.run.clocks.batch = program.run.clocks.batch.next();
            Ok(())
        })
    }

    /// The update, unless a hook or a step has asked to leave it out.
    fn update(&mut self) -> Result<()> {
        self.within::<at::BeforeOptimizerStep, at::AfterOptimizerStep>(|program| {
            if let Some(reason) = program.decide_on_update() {
                program.run.clocks.skipped += 1;
                let update = program.run.clocks.iter.get() + 1;
                return program.run.say(&format!("update {update} skipped: {reason}"));
            }
            if let Some(clip) = &program.plan.train.clip
                && let Some(norm) = clip_gradients(&mut program.run.updates.optimizers, clip)?
            {
                program.run.log("grad_norm", norm);
            }
            for optimizer in &mut program.run.updates.optimizers {
                optimizer.step()?;
            }
            Ok(())
        })
    }

    /// The loss and the named values, unread.
    fn record_output(&mut self, output: &Output) {
        self.run.log("loss", output.loss().into());
        for (name, value) in output.values() {
            self.run.log(name, value.clone());
        }
    }
}

/// What can be told of a loss without reading it from the device.
fn check_loss(output: &Output) -> Result<()> {
    let loss = output.loss();
    // the number of dimensions first: asking for the shape allocates
    if loss.dim() != 0 && loss.numel() != 1 {
        return Err(Error::msg(format!(
            "the loss of `train_step` has shape {:?}, it must be one number: reduce it with `.mean(Kind::Float)`",
            loss.size()
        )));
    }
    if !loss.requires_grad() {
        return Err(Error::msg(
            "the loss of `train_step` has no gradient: it does not depend on the model's variables, or was made under `no_grad`, or was detached",
        ));
    }
    Ok(())
}

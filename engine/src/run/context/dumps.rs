//! What hooks ask for of updates that go wrong: dumps.

use crate::base::{Error, Result};
use crate::run::Context;

/// Dumps of updates.
impl Context<'_> {
    /// Lets updates be dumped from the next one on: `most` dumps at most in the folder `dumps` of the run, and, where
    /// `on_failure` is set, one of an update that fails. To be called in `before_train`. Where several hooks call it, the
    /// largest number counts.
    ///
    /// Until its end, each update then keeps its batches; their memory is free one update later. With several ranks
    /// there are no dumps.
    pub fn allow_dumps(&mut self, most: u64, on_failure: bool) {
        if self.run.process.world() > 1 {
            return;
        }
        let dumps = &mut self.run.dumps;
        dumps.most = dumps.most.max(most);
        dumps.on_failure |= on_failure && most > 0;
    }

    /// Dumps the current update before its optimizers step: the state of the run before the update, and its batches. The
    /// command `replay` computes the update again from them. To be called up to `before_optimizer_step`; `reason` is what
    /// `replay` tells. Where it is called several times, the first reason counts.
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// /// Dumps updates with a large loss.
    /// #[hook]
    /// pub struct LargeLoss {
    ///     #[config(default = 100.0)]
    ///     above: f64,
    /// }
    ///
    /// #[phases]
    /// impl LargeLoss {
    ///     fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
    ///         cx.allow_dumps(2, false);
    ///         Ok(())
    ///     }
    ///
    ///     fn before_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
    ///         let loss = f64::try_from(cx.output()?.loss()?)?;
    ///         if loss > self.above {
    ///             cx.dump(format!("the loss is {loss}"))?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// When dumps are not allowed, or no update is under way.
    pub fn dump(&mut self, reason: impl Into<String>) -> Result<()> {
        self.run.step.uses("dump");
        if self.run.process.world() > 1 {
            return Ok(());
        }
        if self.run.dumps.most == 0 {
            return Err(Error::msg(
                "`cx.dump` needs what an update keeps for it: call `cx.allow_dumps` in `before_train`",
            ));
        }
        if self.run.current.pass.is_none() {
            let phase = self.phase();
            return Err(Error::msg(format!("`cx.dump` is of an update, and in `{phase}` none is under way")));
        }
        self.run.dumps.asked.get_or_insert_with(|| reason.into());
        Ok(())
    }
}

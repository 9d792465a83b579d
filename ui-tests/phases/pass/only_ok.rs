//! Closing phases that are called only when all is well.

use engine::prelude::*;

/// A hook.
#[hook]
#[derive(Debug)]
pub struct Report {}

#[phases]
impl Report {
    // case: each kind of closing phase
    #[only_ok]
    fn after_train_batch(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    #[only_ok]
    fn after_val(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // case: with other attributes, and under a `cfg`
    /// Says so.
    #[cfg(any())]
    #[only_ok]
    #[allow(clippy::needless_return, reason = "a case")]
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        return Ok(());
    }
}

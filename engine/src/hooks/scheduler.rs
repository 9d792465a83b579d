//! `scheduler`: sets the values of the experiment's schedules before the update that uses them.

use crate::base::Result;
use crate::run::Context;
use engine_macros::{hook, phases};

/// Sets every scheduled setting (the learning rate, …) to its value at the clock. The value is a pure function of
/// the clock, so a resumed run goes on exactly, and an edited file takes effect at once.
#[hook(priority = "LOWER")]
#[derive(Debug)]
pub struct Scheduler {}

#[phases]
impl Scheduler {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.apply_schedules()
    }

    /// Before the update, so that update `n` (counted from 0) uses the value at `n`.
    fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.apply_schedules()
    }
}

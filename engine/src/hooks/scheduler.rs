//! `scheduler`: sets the values of the experiment's schedules before the update that uses them.

use crate::base::{MetricName, Result};
use crate::hooks::monitor::direction_of;
use crate::run::Context;
use engine_macros::{hook, phases};

/// Sets every scheduled setting (the learning rate, …) to its value at the clock. The value is a pure function of
/// the clock, so a resumed run goes on exactly, and an edited file takes effect at once.
///
/// Schedules that follow a metric get its value after each validation. Their state is in checkpoints.
#[hook(priority = "LOWER")]
#[derive(Debug)]
pub struct Scheduler {
    /// An evaluation alone changes no schedule.
    #[transient]
    training: bool,
}

#[phases]
impl Scheduler {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.training = true;
        for (index, monitor) in watched(cx) {
            direction_of(&monitor, cx)?;
            let by = cx.measured_by(&monitor).to_owned();
            let told = cx.schedules_mut().0[index].watching().and_then(|watching| watching.begin(&by));
            told.map_or(Ok(()), |told| cx.say(&told))?;
        }
        cx.apply_schedules()
    }

    /// Before the update, so that update `n` (counted from 0) uses the value at `n`.
    fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.apply_schedules()
    }

    // an interrupted or failed validation has no value to judge
    #[only_ok]
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(update) = cx.clocks().last_update().filter(|_| self.training) else { return Ok(()) };
        for (index, monitor) in watched(cx) {
            if !cx.schedules().contains(index, &update) {
                continue;
            }
            let Some(value) = cx.new_metric(&monitor) else { continue };
            let better = direction_of(&monitor, cx)?;
            let told = cx.schedules_mut().0[index].watching().and_then(|watching| watching.take(value, better));
            told.map_or(Ok(()), |told| cx.say(&told))?;
        }
        Ok(())
    }
}

/// The schedules that follow a metric: the index and the metric of each.
fn watched(cx: &mut Context<'_>) -> Vec<(usize, MetricName)> {
    cx.schedules_mut().watching().map(|(index, watching)| (index, watching.monitor().clone())).collect()
}

//! Schedules of settings that are no optimizer's: of hooks, metrics and the trainer.
//!
//! The owner's field is set before each iter, so whoever reads it reads a plain number. The value is a function of the
//! clock and of the value in the experiment, as that of an optimizer's setting is, so a resumed run goes on exactly.

use crate::base::{Error, Result};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use crate::optim::GroupName;
use crate::optim::schedule::is_of_part;
use crate::run::Scheduled;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// The settings of hooks, metrics and the trainer that schedules can change: the path and the value of each.
    ///
    /// # Errors
    /// None of its own.
    pub(crate) fn adjustable(&mut self) -> Result<Vec<(String, f64)>> {
        let mut found = Vec::new();
        self.each_state(&mut |key, _, part| {
            part.adjustable(&mut |setting| found.push((format!("{key}.{}", setting.name), *setting.value)));
            Ok(())
        })?;
        Ok(found)
    }

    /// Finds the settings that the experiment's schedules change.
    pub(super) fn prepare_scheduled(&mut self) -> Result<()> {
        let schedules = &self.run.updates.schedules.0;
        // once: later the values are those of schedules
        if !self.run.scheduled.is_empty() || !schedules.iter().any(|schedule| is_of_part(schedule.window().setting)) {
            return Ok(());
        }
        let mut found = self.adjustable()?;
        found.retain(|(path, _)| self.run.updates.schedules.0.iter().any(|schedule| schedule.window().setting == path));
        let scheduled = found.into_iter().map(|(path, initial)| Scheduled { path, initial, value: initial });
        self.run.scheduled = scheduled.collect();
        Ok(())
    }

    /// Sets them to their values at the clock.
    pub(super) fn apply_scheduled(&mut self) -> Result<()> {
        if self.run.scheduled.is_empty() {
            return Ok(());
        }
        let progress = self.run.clocks.progress();
        let nobody = GroupName { optimizer: "", group: "" };
        for Scheduled { path, initial, value } in &mut self.run.scheduled {
            *value = self.run.updates.schedules.value(path, nobody, *initial, &progress)?.unwrap_or(*initial);
        }
        let scheduled = std::mem::take(&mut self.run.scheduled);
        let result = self.each_state(&mut |key, _, part| {
            let mut result = Ok(());
            part.adjustable(&mut |setting| {
                let of_it = |path: &str| path.strip_prefix(key)?.strip_prefix('.').map(|name| name == setting.name);
                let Some(Scheduled { path, value, .. }) = scheduled.iter().find(|s| of_it(&s.path) == Some(true))
                else {
                    return;
                };
                match value.is_finite() && (setting.fits)(value) {
                    true => *setting.value = *value,
                    false if setting.range.is_empty() => {
                        result =
                            Err(Error::msg(format!("the schedule of `{path}` gives {value}, which is not finite")));
                    }
                    false => {
                        let range = setting.range;
                        result = Err(Error::msg(format!(
                            "the schedule of `{path}` gives {value}, and the setting must be in {range}"
                        )));
                    }
                }
            });
            result
        });
        self.run.scheduled = scheduled;
        result
    }
}

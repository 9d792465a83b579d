//! Takes a profile of some iters of a training.

use crate::base::spans;
use crate::base::{Error, ErrorContext as _, Result};
use crate::hook::EngineHooks;
use crate::loops::profile::{Profile, add_spans, report};
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use crate::native::OperatorProfile;
use std::path::PathBuf;
use std::time::Instant;
use tch::Device;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Begins the profile before its first iter.
    pub(super) fn profile_before_iter(&mut self) -> Result<()> {
        let Some(window) = self.plan.train.profile else { return Ok(()) };
        self.profiling.begun += 1;
        if self.profiling.begun != window.from {
            return Ok(());
        }
        synchronize(self.run.device);
        let operators = OperatorProfile::begin(self.run.device).map_err(Error::new);
        let operators = operators.context("the profile can't be taken")?;
        self.hooks.call_by_table(true);
        spans::begin();
        let first = self.run.clocks.iter.get() + 1;
        self.profiling.under_way = Some(Profile { operators, began: Instant::now(), first });
        Ok(())
    }

    /// Ends the profile after its last iter, or at the end of the training.
    pub(super) fn profile_after_iter(&mut self, training_ends: bool) -> Result<()> {
        let Some(window) = self.plan.train.profile else { return Ok(()) };
        if self.profiling.begun < window.to && !training_ends {
            return Ok(());
        }
        let Some(profile) = self.profiling.under_way.take() else { return Ok(()) };
        synchronize(self.run.device);
        let took = profile.began.elapsed();
        let (spans, last) = (spans::end(), self.run.clocks.iter.get());
        self.hooks.call_by_table(false);
        let path = self.profile_path(profile.first, last)?;
        let operators = profile.operators.end(&path)?;
        add_spans(&path, &spans).with_context(|| format!("the trace `{}` can't be written", path.display()))?;
        let iters = last + 1 - profile.first;
        let text = report(&spans, &operators, iters, took);
        let path = path.display();
        self.run.say(&format!(
            "profile of the iters {} to {last}; the trace is in {path}, to be opened in ui.perfetto.dev or chrome://tracing",
            profile.first
        ))?;
        text.lines().try_for_each(|line| self.run.say(line))
    }

    /// `profile/iters_11-20.json` in the run's folder.
    fn profile_path(&self, first: u64, last: u64) -> Result<PathBuf> {
        let folder = self.run.storage.folder.as_ref();
        let folder = folder.ok_or_else(|| Error::msg("a profile needs a run with a folder"))?.path().join("profile");
        std::fs::create_dir_all(&folder).with_context(|| format!("can't create `{}`", folder.display()))?;
        Ok(folder.join(format!("iters_{first}-{last}.json")))
    }
}

fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        tch::Cuda::synchronize(index as i64);
    }
}

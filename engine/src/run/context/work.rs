//! What hooks and steps work on: models, optimizers, schedules, the output of a step, random numbers.

use crate::base::Output;
use crate::base::error::{Error, Result};
use crate::base::suggest::meant;
use crate::folder::RunFolder;
use crate::model::{ModelEntry, Models};
use crate::optim::{Optim, Schedules};
use crate::random::{Stream, tag_of};
use crate::run::Context;

/// What it works on.
impl Context<'_> {
    /// The models, by the name of their field.
    pub fn models(&self) -> &Models {
        &self.run.models
    }

    /// The models, to swap weights or set modes.
    pub fn models_mut(&mut self) -> &mut Models {
        &mut self.run.models
    }

    /// The model of a field.
    ///
    /// # Errors
    /// When no `#[model]` field has this name.
    pub fn model(&mut self, name: &str) -> Result<&mut ModelEntry> {
        Ok(self.run.models.get_mut(name)?)
    }

    /// The optimizers, in field order.
    pub fn optimizers(&self) -> &[Optim] {
        &self.run.updates.optimizers
    }

    /// The optimizers, to read and set what their groups are set to.
    pub fn optimizers_mut(&mut self) -> &mut [Optim] {
        &mut self.run.updates.optimizers
    }

    /// The optimizer of a field.
    ///
    /// # Errors
    /// When no `#[optimizer]` field has this name.
    pub fn optimizer(&mut self, name: &str) -> Result<&mut Optim> {
        match self.run.updates.optimizers.iter().position(|optim| optim.name() == name) {
            Some(index) => Ok(&mut self.run.updates.optimizers[index]),
            None => {
                let known: Vec<&str> = self.run.updates.optimizers.iter().map(Optim::name).collect();
                Err(Error::msg(format!("no optimizer is named `{name}`{}", meant(name, &known))))
            }
        }
    }

    /// The schedules of the experiment.
    pub fn schedules(&self) -> &Schedules {
        &self.run.updates.schedules
    }

    /// Sets every scheduled setting to its value at the current clock.
    ///
    /// # Errors
    /// When a schedule gives a value that is not finite.
    pub(crate) fn apply_schedules(&mut self) -> Result<()> {
        let progress = self.run.clocks.progress();
        Ok(self.run.updates.schedules.apply(&mut self.run.updates.optimizers, &progress)?)
    }

    /// The output of the step: its loss, values and tensors. Nothing is read from the device.
    ///
    /// # Errors
    /// Outside `after_forward` to `after_train_iter`, `after_val_iter` and `after_test_iter`: a batch has no output
    /// before its forward pass.
    pub fn output(&self) -> Result<&Output> {
        let phase = self.run.current.phase;
        self.run.step.output.as_ref().ok_or_else(|| {
            Error::msg(match self.exception() {
                Some(_) => format!("there is no output in `{phase}`: the step has failed; look at `cx.exception()` first"),
                None => format!(
                    "there is no output in `{phase}`; take it in `after_forward` to `after_train_iter`, or in `after_val_iter` or `after_test_iter`"
                ),
            })
        })
    }

    /// A generator of random numbers for this purpose, the same in every run with this seed at this iter and batch, and
    /// another one for each batch of each loader.
    pub fn generator(&self, purpose: &'static str) -> Stream {
        let batch = match self.run.current.evaluated {
            None => self.run.clocks.batch.get(),
            Some(batch) => tag_of(self.run.current.loader).wrapping_add(batch),
        };
        Stream::new(self.run.seed, purpose, self.run.clocks.iter.get(), batch)
    }

    /// The experiment's seed.
    pub fn seed(&self) -> u64 {
        self.run.seed
    }

    /// The run's folder; `None` when only an evaluation runs.
    pub fn folder(&self) -> Option<&RunFolder> {
        self.run.storage.folder.as_ref()
    }
}

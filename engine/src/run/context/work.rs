//! What hooks and steps work on: models, optimizers, schedules, the output of a step, random numbers.

use crate::base::error::{Error, Result};
use crate::base::{Output, Scalar};
use crate::folder::RunFolder;
use crate::model::{ModelEntry, Models};
use crate::optim::{Optim, Pass, Schedules};
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
        self.run.updates.optimizers()
    }

    /// The optimizers, to read and set what their groups are set to.
    pub fn optimizers_mut(&mut self) -> &mut [Optim] {
        self.run.updates.optimizers_mut()
    }

    /// The optimizer of a field.
    ///
    /// # Errors
    /// When no `#[optimizer]` field has this name.
    pub fn optimizer(&mut self, name: &str) -> Result<&mut Optim> {
        self.run.updates.optimizer(name)
    }

    /// The 2-norm of the gradient of the update under way, as one vector over all optimizers of its pass; it is not read
    /// from the device here. In `before_optimizer_step` it is that of the final gradient before clipping.
    ///
    /// # Errors
    /// Outside an update, and when a gradient is sparse.
    pub fn grad_norm(&self) -> Result<Scalar> {
        let place =
            self.run.current.pass.ok_or_else(|| {
                Error::msg(format!("there is no gradient in `{}`: no update is under way", self.phase()))
            })?;
        self.run.updates.grad_norm(place.pass)
    }

    /// Whether the update under way changes a model: whether an optimizer of its pass has parameters of it.
    pub fn updates_model(&self, name: &str) -> bool {
        self.run.current.pass.is_some_and(|place| self.run.updates.updates_model(place.pass, name))
    }

    /// The number of the update under way among all of its pass, from 1 on; in a trainer without `#[passes]` that of the
    /// iter. `None` outside an update.
    pub fn update_number(&self) -> Option<u64> {
        let place = self.run.current.pass?;
        let plan = self.run.updates.passes()[place.pass].plan();
        Some(plan.update_number(self.run.clocks.iter.get(), place.time))
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
        Ok(self.run.updates.apply_schedules(&progress)?)
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
                    "there is no output in `{phase}`; read it in `after_forward` to `after_train_iter`, or in `after_val_iter` or `after_test_iter`"
                ),
            })
        })
    }

    /// A generator of random numbers for this purpose, the same in every run with this seed at this iter and batch, and
    /// another one for each batch of each loader and for each update of each pass.
    pub fn generator(&self, purpose: &'static str) -> Stream {
        let batch = match self.run.current.evaluated {
            None => self.run.clocks.batch.get().wrapping_add(self.tag_of_update()),
            Some(batch) => tag_of(self.run.current.loader).wrapping_add(batch),
        };
        Stream::new(self.run.seed, purpose, self.run.clocks.iter.get(), batch)
    }

    /// What tells updates of one iter apart that may work on one batch; 0 for a trainer without `#[passes]`.
    fn tag_of_update(&self) -> u64 {
        let prefix = self.run.pass().and_then(Pass::prefix);
        let time = self.run.current.pass.map_or(0, |place| place.time);
        prefix.map_or(0, |name| tag_of(name).wrapping_add(time << 32))
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

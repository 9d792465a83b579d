//! What hooks and steps ask of the loop, and what has become of it.

use crate::base::{Flag, Iter, Result, Scalar};
use crate::run::requests::StopRequest;
use crate::run::{Context, Exception, Save, SavedCheckpoint, Saving, Stop};
use tch::Tensor;

/// Requests, and what the loop has decided. The loop decides at its safe points: after each iter, after
/// `before_train_epoch`, and around a validation. Until then a request changes nothing that can be seen here.
impl Context<'_> {
    /// Ends the training after this iter, or before the first one. The first reason is the one that is told, with the
    /// name of the hook or step that asked. A command that only evaluates has no training to end: there it does nothing.
    pub fn stop(&mut self, reason: impl Into<String>) {
        let by = self.run.current.caller(self.place);
        self.run.requests.stop.get_or_insert_with(|| StopRequest { by, reason: reason.into() });
    }

    /// Why the training ends before its plan, once that is decided: in all phases that follow the last iter's
    /// `after_train_iter`.
    pub fn stopping(&self) -> Option<&Stop> {
        self.run.decision.stop.as_ref()
    }

    /// Whether a limit has cut the training within an epoch.
    pub(crate) fn is_cut_within_epoch(&self) -> bool {
        self.run.decision.is_cut() && !self.run.clocks.is_between_epochs()
    }

    /// Whether no iter follows the one that is under way or was just finished. What the plan or `--max-iters` ends is
    /// known from `before_train_iter` on; a stop that somebody has asked for in this very iter is decided only after its
    /// `after_train_iter`. What has to be done in any case at the end belongs into `after_train_epoch` or `after_train`.
    pub fn is_last_iter(&self) -> bool {
        self.run.decision.last_iter || self.run.decision.stop.is_some() || self.run.clocks.is_finished()
    }

    /// The number of updates with which this run ends: that of the plan, or of `--max-iters`. `None` without a plan.
    pub fn last_planned_iter(&self) -> Option<u64> {
        self.run.decision.last_planned.or_else(|| self.run.clocks.max_iters())
    }

    /// Whether no epoch follows the one that is under way or was just finished, as far as the plan and decisions tell.
    /// `by_iter` the whole training is one epoch.
    pub fn is_last_epoch(&self) -> bool {
        self.run.decision.last_epoch || self.run.decision.stop.is_some() || self.run.clocks.is_finished()
    }

    /// Runs the validation after this iter (asked for in `before_train`: of the weights as they are). Weights that
    /// were validated already are not validated again; without a val loader nothing happens.
    pub fn validate(&mut self) {
        self.run.requests.validate = true;
    }

    /// Writes a checkpoint after this iter, after the validation that is due then. It holds the whole run.
    pub fn save(&mut self, save: Save) {
        self.run.requests.saves.push(save);
    }

    /// Leaves out the coming update: the gradients are dropped, the iter counts, and [`Context::skipped_updates`] too.
    /// Called up to and in `before_optimizer_step` it is the update under way, later the one after it.
    pub fn skip_update(&mut self, reason: impl Into<String>) {
        self.run.requests.skip_update = Some(reason.into());
    }

    /// Whether the last update was left out, from its `after_optimizer_step` on. It is known at once when a hook has
    /// asked for it; with `train: (non_finite: Skip)` only the device knows, and [`Flag::read`] waits for it.
    pub fn is_update_skipped(&self) -> Flag {
        self.run.updates.is_skipped()
    }

    /// How many updates were left out so far, on request or because of a gradient that was not finite. It is not read
    /// from the device here.
    ///
    /// # Errors
    /// Those of libtorch.
    pub fn skipped_updates(&self) -> Result<Scalar> {
        self.run.updates.skipped()
    }

    /// The iter of the newest checkpoint that is on the disk or on its way there, while it holds everything that has
    /// happened.
    pub fn saved_at(&self) -> Option<Iter> {
        self.run.storage.saved_at
    }

    /// The checkpoint that is on the disk now, in `after_save_checkpoint`; `None` in every other phase.
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// /// Says which checkpoints there are.
    /// #[hook(priority = "LOW")]
    /// pub struct Announce {}
    ///
    /// #[phases]
    /// impl Announce {
    ///     fn after_save_checkpoint(&mut self, cx: &mut Context<'_>) -> Result<()> {
    ///         let Some(saved) = cx.checkpoint() else { return Ok(()) };
    ///         let text = format!("{} is in {}", saved.name, saved.path.display());
    ///         cx.say(&text)
    ///     }
    /// }
    /// # fn main() {}
    /// ```
    pub fn checkpoint(&self) -> Option<&SavedCheckpoint> {
        self.run.storage.saved.as_ref()
    }

    /// Says, in `before_save_checkpoint`, how the checkpoint is to be written: by another thread or at once, what becomes of
    /// the run when that fails, and which older checkpoints stay. Of several hooks the last one counts. Without one it is
    /// written at once, an error ends the run, and all stay.
    pub fn saving(&mut self, saving: Saving) {
        self.run.storage.saving = saving;
    }

    /// The names and iters of checkpoints that could not be written since this was last asked.
    pub(crate) fn take_not_written(&mut self) -> Vec<(String, Iter)> {
        std::mem::take(&mut self.run.storage.not_written)
    }

    /// Says, in `before_save_checkpoint`, that evaluations use these weights instead of those that are trained: an
    /// average. The checkpoint then holds them in `MODEL.safetensors`, the file that is evaluated and published, and the
    /// trained ones in `MODEL.raw.safetensors`. Of several hooks the last one counts, as it does in an evaluation.
    ///
    /// The tensors are read when the checkpoint is made, right after the phase.
    ///
    /// # Errors
    /// When there is no such model, or names or shapes are not those of its variables.
    pub fn publish(&mut self, model: &str, mut weights: Vec<(String, Tensor)>) -> Result<()> {
        weights.sort_by(|a, b| a.0.cmp(&b.0));
        self.run.models.get(model)?.fits(&weights)?;
        let published = &mut self.run.storage.published;
        published.retain(|(known, _)| known != model);
        published.push((model.to_owned(), weights));
        Ok(())
    }

    /// A line about something that must not hide what is under way.
    pub(crate) fn tell(&mut self, text: &str) {
        self.run.tell(text);
    }

    /// The error or signal that is on its way out, in `on_exception` and the closing phases after it.
    pub fn exception(&self) -> Option<&Exception> {
        self.run.exception.as_ref()
    }
}

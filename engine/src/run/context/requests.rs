//! What hooks and steps ask of the loop, and what has become of it.

use crate::base::{Iter, Result};
use crate::run::{Context, Exception, Save, SavedCheckpoint, Stop};
use tch::Tensor;

/// Requests: the loop answers them at the next safe point.
impl Context<'_> {
    /// Ends the training after this iter, or before the first one. The first reason is the one that is told.
    pub fn stop(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        self.run.ending.stop.get_or_insert(Stop::Requested { reason });
    }

    /// Why the training is ending, once it is.
    pub fn stopping(&self) -> Option<&Stop> {
        self.run.ending.stop.as_ref()
    }

    /// Runs the validation after this iter (asked for in `before_train`: of the weights as they are). Weights that
    /// were validated already are not validated again; without a val loader nothing happens.
    pub fn validate(&mut self) {
        self.run.requests.validate = true;
    }

    /// Writes a checkpoint after this iter, after the validation that is due then. It holds the whole run.
    pub fn save(&mut self, save: Save) {
        if !self.run.requests.saves.contains(&save) {
            self.run.requests.saves.push(save);
        }
    }

    /// Leaves out the coming update: the gradients are dropped, the iter counts, and [`Clocks::skipped_updates`] too.
    /// Called up to and in `before_optimizer_step` it is the update of this iter, later that of the next one.
    pub fn skip_update(&mut self, reason: impl Into<String>) {
        self.run.requests.skip_update = Some(reason.into());
    }

    /// Whether the update of this iter was left out, from `after_optimizer_step` on.
    pub fn is_update_skipped(&self) -> bool {
        self.run.step.skipped
    }

    /// The iter of the newest checkpoint, while it holds everything that has happened.
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
        self.run.ending.exception.as_ref()
    }
}

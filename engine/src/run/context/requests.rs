//! What hooks and steps ask of the loop, and what has become of it.

use crate::base::Iter;
use crate::run::{Context, Exception, Save, Stop};

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

    /// A line about something that must not hide what is under way.
    pub(crate) fn tell(&mut self, text: &str) {
        self.run.tell(text);
    }

    /// The error or signal that is on its way out, in `on_exception` and the closing phases after it.
    pub fn exception(&self) -> Option<&Exception> {
        self.run.ending.exception.as_ref()
    }
}

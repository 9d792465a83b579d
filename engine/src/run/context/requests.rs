//! Requests of hooks and steps to the loop, and the loop's decisions.

use crate::base::{Flag, Iter, Result, Scalar};
use crate::run::requests::StopRequest;
use crate::run::{Context, EvalWeights, Exception, RollBack, Save, SavedCheckpoint, Saving, Stop};
use tch::Tensor;

/// Requests and decisions. The loop decides requests at its safe points: after each iter, after `before_train_epoch`,
/// and around a validation. Until then the methods here do not show a request.
impl Context<'_> {
    /// Ends the training after this iter, or before the first one. When it is called several times, the first reason
    /// is reported, with the name of the hook or step that called it. In a command that only evaluates it does
    /// nothing.
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.run.step.uses("stop");
        let by = self.run.current.caller(self.place);
        self.run.requests.stop.get_or_insert_with(|| StopRequest { by, reason: reason.into() });
    }

    /// Why the training ends before its plan. It is `Some` once this is decided: in all phases after
    /// `after_train_iter` of the last iter.
    pub fn stopping(&self) -> Option<&Stop> {
        self.run.decision.stop.as_ref()
    }

    /// Whether a limit has cut the training within an epoch.
    pub(crate) fn is_cut_within_epoch(&self) -> bool {
        self.run.decision.is_cut() && !self.run.clocks.is_between_epochs()
    }

    /// Whether the current or just finished iter is the last one. An end by the plan or by `--max-iters` is known from
    /// `before_train_iter` on; a stop that was requested in this iter is decided only after its `after_train_iter`.
    /// Work that must always be done at the end belongs into `after_train_epoch` or `after_train`.
    pub fn is_last_iter(&self) -> bool {
        self.run.step.uses("is_last_iter");
        self.run.decision.last_iter || self.run.decision.stop.is_some() || self.run.clocks.is_finished()
    }

    /// The number of iters after which this run ends, by the plan or by `--max-iters`. `None` without a plan.
    pub fn last_planned_iter(&self) -> Option<u64> {
        self.run.decision.last_planned.or_else(|| self.run.clocks.max_iters())
    }

    /// Whether the current or just finished epoch is the last one, by the plan and by decisions so far. With `by_iter`
    /// the whole training is one epoch.
    pub fn is_last_epoch(&self) -> bool {
        self.run.step.uses("is_last_epoch");
        self.run.decision.last_epoch || self.run.decision.stop.is_some() || self.run.clocks.is_finished()
    }

    /// Requests a validation after this iter; in `before_train`, a validation of the first weights. Weights that were
    /// already validated are not validated again. Without a val loader nothing happens.
    pub fn validate(&mut self) {
        self.run.step.uses("validate");
        self.run.requests.validate = true;
    }

    /// Requests a checkpoint of the whole run after this iter, and after the validation that is due then.
    pub fn save(&mut self, save: Save) {
        self.run.step.uses("save");
        self.run.requests.saves.push(save);
    }

    /// As [`Context::save`], for what other ranks do not ask for: they are told, and the checkpoint comes after one of the next
    /// iters.
    pub(crate) fn save_alone(&mut self, save: Save) {
        match self.world() {
            1 => self.run.requests.saves.push(save),
            _ => self.run.requests.saves_alone.push(save),
        }
    }

    /// Skips the next update: its gradients are dropped. The iter still counts, and [`Context::skipped_updates`]
    /// increases. In phases up to `before_optimizer_step` the next update is the current one, in later phases the one
    /// after it.
    pub fn skip_update(&mut self, reason: impl Into<String>) {
        self.run.step.uses("skip_update");
        self.run.requests.skip_update = Some(reason.into());
    }

    /// Requests that the state after this iter is copied into host memory, from where [`Context::roll_back`] takes it; in
    /// `before_train`, the state at the begin. The copy replaces the one before it, and needs as much memory as weights,
    /// optimizer and averages together.
    pub fn keep_in_memory(&mut self) {
        self.run.requests.keep = true;
    }

    /// Requests that the training goes back to the state before an iter, and skips the batches that led there. The safe
    /// point after this iter leaves the epoch (its `after_train_epoch` comes, and the epoch is not counted) and does nothing
    /// else: no validation, no checkpoint. Then the newest state before that place is restored, the one of
    /// [`Context::keep_in_memory`] or a checkpoint, rows after it are dropped, and the training repeats the iters between
    /// this state and the place. From there on other batches follow. It does not go back further than to the oldest regular
    /// checkpoint that is kept.
    ///
    /// For hooks this is like a resume: `#[state]` is restored and `after_load_checkpoint` comes, then
    /// `before_train_epoch`. A hook that has made something of its state in `before_train` makes it again in
    /// `after_load_checkpoint`.
    ///
    /// In `before_save_checkpoint` it prevents the checkpoint. The hook
    /// [`Rollback`](crate::hooks::Rollback) does all of this for a loss.
    pub fn roll_back(&mut self, roll_back: RollBack) {
        self.run.requests.roll_back.get_or_insert(roll_back);
    }

    /// Whether the last update was skipped; valid from its `after_optimizer_step` on. After a request by a hook it is
    /// known at once; with `train: (non_finite: Skip)` only the device knows, and [`Flag::read`] waits for it.
    pub fn is_update_skipped(&self) -> Flag {
        self.run.updates.is_skipped()
    }

    /// How many updates were skipped so far, on request or because of a gradient that was not finite. This does not
    /// read from the device.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn skipped_updates(&self) -> Result<Scalar> {
        self.run.updates.skipped()
    }

    /// Asks for a pass over the train data when the training is over, in which the running statistics of batch norm of these
    /// weights are computed anew, as `torch.optim.swa_utils.update_bn` does. The tensors are changed in place. To be asked in
    /// `after_train_epoch`: what is asked before an epoch is forgotten when it begins.
    pub(crate) fn refresh_statistics(&mut self, model: &str, weights: Vec<(String, Tensor)>) {
        self.run.requests.statistics.push((model.to_owned(), weights));
    }

    /// The iter of the newest checkpoint that is on the disk or being written, as long as that checkpoint contains
    /// everything up to now; else `None`.
    pub fn saved_at(&self) -> Option<Iter> {
        self.run.storage.saved_at
    }

    /// In `after_save_checkpoint`: the checkpoint that was written. `None` in every other phase.
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

    /// To be called in `before_save_checkpoint`: how the checkpoint is written (by another thread or at once), what happens
    /// when that fails, and which older checkpoints are kept. When several hooks call it, the last call counts. Without a
    /// call the checkpoint is written at once, an error ends the run, and all checkpoints are kept.
    pub fn saving(&mut self, saving: Saving) {
        self.run.storage.saving = saving;
    }

    /// The names and iters of checkpoints that could not be written since the last call.
    pub(crate) fn take_not_written(&mut self) -> Vec<(String, Iter)> {
        std::mem::take(&mut self.run.storage.not_written)
    }

    /// To be called in `before_save_checkpoint` when evaluations use other weights than those that are trained, such
    /// as an average. The checkpoint then has these weights in `MODEL.safetensors`, the file that is evaluated and
    /// published, and the trained weights in `MODEL.raw.safetensors`. When several hooks call it, the weights of the
    /// last one are used, as in an evaluation. With `eval_weights: Trained` it has no effect.
    ///
    /// The tensors are read when the checkpoint is created, right after the phase.
    ///
    /// # Errors
    /// When there is no such model, or when names or shapes differ from those of its variables.
    pub fn publish(&mut self, model: &str, mut weights: Vec<(String, Tensor)>) -> Result<()> {
        weights.sort_by(|a, b| a.0.cmp(&b.0));
        self.run.models.get(model)?.fits(&weights)?;
        if self.run.eval_weights == EvalWeights::Trained {
            return Ok(());
        }
        let published = &mut self.run.storage.published;
        published.retain(|(known, _)| known != model);
        published.push((model.to_owned(), weights));
        Ok(())
    }

    /// A line about something that must not hide what is under way.
    pub(crate) fn tell(&mut self, text: &str) {
        self.run.tell(text);
    }

    /// The error or signal that ends the run: `Some` in `on_exception` and in the closing phases after it.
    pub fn exception(&self) -> Option<&Exception> {
        self.run.exception.as_ref()
    }
}

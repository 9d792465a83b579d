//! Going back to an earlier state within a training: [`Context::roll_back`](crate::run::Context::roll_back).
//!
//! It is a resume within the process. The epoch is left, and at the safe point after it the state is restored: weights,
//! optimizers, loaders, hooks, generators, and the places of the sinks in their files. What is different from there on is in
//! [`Rollbacks`], which is no part of the state that is restored: the loop skips the batches and lowers the learning
//! rates when the clocks get there. So it does not matter which earlier state is restored: the iters between are repeated
//! exactly. A process that is killed in between finds the same again.

use crate::base::{Clock, Error, ErrorContext as _, Iter, Result};
use crate::checkpoint::{self, Snapshot};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use crate::phase::at;
use crate::run::{Exception, RollBack};

/// The state to go back to.
struct Base {
    snapshot: Snapshot,
    /// Where it is from, for the message.
    from: String,
    /// The iter after which the training takes other batches.
    at: Iter,
    /// What is to be told of checkpoints that could not be read.
    told: Vec<String>,
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Whether it is decided that the training goes back to an earlier state.
    pub(super) fn rolls_back(&self) -> bool {
        self.run.decision.roll_back.is_some()
    }

    /// Whether a hook has asked in `before_save_checkpoint` to go back, so that the state is not to be saved. The state
    /// of a failed training is saved all the same.
    ///
    /// # Errors
    /// When another rank is gone.
    pub(super) fn is_prevented(&mut self) -> Result<bool> {
        let failed = matches!(self.run.exception, Some(Exception::Failed(_)));
        let asked = self.run.requests.roll_back.take();
        Ok(match self.agree_on_going_back(asked)? {
            Some(roll_back) if !failed => {
                self.run.decision.roll_back.get_or_insert(roll_back);
                self.run.decision.drop_what_is_left();
                true
            }
            _ => false,
        })
    }

    /// Copies the state into memory, if that was decided.
    pub(super) fn keep_in_memory(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.run.decision.keep) {
            return Ok(());
        }
        // the state tells how far their files go
        self.run.seen.sinks.flush()?;
        let snapshot = self.snapshot()?;
        let kept = self.run.storage.kept.keep(&snapshot);
        kept.context("the state can't be kept in memory; `snapshot: None` of `Rollback` does without")
    }

    /// Goes back, if that was decided. To be called outside of an epoch.
    pub(super) fn roll_back(&mut self) -> Result<()> {
        let Some(request) = self.run.decision.roll_back.take() else { return Ok(()) };
        // a checkpoint that is being written is one to go back to
        self.finish_saves()?;
        let base = self.base_of(&request)?;
        let times = self.run.rollbacks.times(base.at);
        if times > request.at_most {
            return Err(Error::msg(format!(
                "{}; the run went back {} times and did not get past this place; set a lower `lr`, clip gradients, or look at the data; checkpoints hold good states only",
                request.reason, request.at_most
            )));
        }
        self.run.rollbacks.add(base.at, &request);
        self.run.storage.kept.forget_after(base.at);
        let rollbacks = self.run.rollbacks.clone();
        self.run.decision.drop_what_is_left();
        self.run.decision.forget_stop();
        let Base { snapshot, from, at, mut told } = base;
        let restored = snapshot.meta.iter;
        told.extend(self.take_back(snapshot).with_context(|| format!("the run can't go back to {from}"))?);
        self.run.rollbacks = rollbacks;
        // what this checkpoint does not hold is that the run went back
        self.run.storage.saved_at = None;
        told.extend(self.leave_behind_after(at)?);
        self.run.seen.sinks.reopen(self.run.moment())?;
        self.prepare_train()?;
        self.set_training(true);
        self.run.say(&told_of(&request, at, restored, &from, times))?;
        told.iter().try_for_each(|line| self.run.say(line))?;
        self.phase::<at::AfterLoadCheckpoint>()?;
        self.run.storage.resumed.take().map_or(Ok(()), |generators| generators.put_back())
    }

    /// The newest state that is early enough. The training goes back no further than to the oldest regular checkpoint that is
    /// kept: a process that has been resumed from there has no other state, and goes back to the same place.
    fn base_of(&self, request: &RollBack) -> Result<Base> {
        let storage = &self.run.storage;
        let wanted = Iter(request.iter.get().saturating_sub(request.back.saturating_add(1)));
        let oldest = storage.regular.first().copied().filter(|oldest| *oldest < request.iter);
        let at = oldest.map_or(wanted, |oldest| oldest.max(wanted));
        let on_disk = match &storage.folder {
            Some(folder) => checkpoint::list(&folder.checkpoints())?,
            None => Vec::new(),
        };
        let in_memory = storage.kept.iter().filter(|kept| *kept <= at);
        let is_newest = |iter: Iter| iter <= at && in_memory.is_none_or(|kept| kept < iter);
        let mut told = Vec::new();
        for path in on_disk.into_iter().filter(|path| is_newest(checkpoint::iter_at(path))) {
            match checkpoint::load(&path) {
                Ok(snapshot) => return Ok(Base { snapshot, from: path.display().to_string(), at, told }),
                Err(why) => told.push(format!("warning: a checkpoint can't be used: {why}")),
            }
        }
        // the one in memory may be later than wanted, where there is nothing else
        let at = storage.kept.iter().filter(|kept| *kept < request.iter).map(|kept| kept.max(at));
        match (at, storage.kept.get()?) {
            (Some(at), Some(snapshot)) => Ok(Base { snapshot, from: "the state in memory".to_owned(), at, told }),
            _ => Err(Error::msg(format!(
                "{}; there is no state to go back to: no checkpoint from before {}, and none in memory",
                request.reason, request.iter
            ))),
        }
    }

    /// Renames checkpoints of iters that are undone; gives back what is to be told.
    fn leave_behind_after(&self, at: Iter) -> Result<Vec<String>> {
        let folder = self.run.storage.folder.as_ref().filter(|_| self.run.process.is_main());
        let Some(folder) = folder else { return Ok(Vec::new()) };
        let checkpoints = folder.checkpoints();
        let mut told = Vec::new();
        for path in checkpoint::later_than(&checkpoints, at)? {
            let aside = checkpoint::leave_behind(&path)?;
            told.push(format!("left behind: what was {} is {}", path.display(), aside.display()));
        }
        if let Some(newest) = checkpoint::list(&checkpoints)?.first() {
            checkpoint::set_latest(&checkpoints, newest)?;
        }
        Ok(told)
    }

    /// Where the run went back to this place: skips the batches that led to the mistake, and sets learning rates. To be called
    /// between iters, within an epoch.
    pub(super) fn take_detour(&mut self) -> Result<()> {
        if self.run.rollbacks.is_empty() {
            return Ok(());
        }
        let progress = self.run.clocks.progress();
        self.run.updates.set_lr_scale(self.run.rollbacks.lr_scale(self.run.clocks.iter), &progress)?;
        let Some(to) = self.run.rollbacks.skips_to(&self.run.clocks) else { return Ok(()) };
        let from = self.run.clocks.batch;
        while self.run.clocks.batch < to && self.batches_left() != Some(0) {
            self.next_train_batch()?;
            self.run.clocks.batch = self.run.clocks.batch.next();
        }
        if T::CLOCK == Clock::Epoch {
            // the epoch has fewer iters now
            self.prepare_train()?;
        }
        let count = self.run.clocks.batch.get() - from.get();
        self.run.say(&format!("skipped {count} batches after {}", self.run.clocks.iter))
    }
}

/// The line that says what has happened.
fn told_of(request: &RollBack, at: Iter, restored: Iter, from: &str, times: u64) -> String {
    let mut text = format!("{}: the run goes back to {at}", request.reason);
    match at == restored {
        true => text.push_str(&format!(", from {from}")),
        false => text.push_str(&format!(", by repeating it from {restored} ({from})")),
    }
    text.push_str(", and skips the batches up to there");
    if request.lr_factor != 1.0 {
        text.push_str(&format!("; learning rates are multiplied by {}", request.lr_factor));
    }
    text.push_str(&format!(" (time {times} of at most {} at this place)", request.at_most));
    text
}

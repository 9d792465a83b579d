//! The only place where requests become decisions.
//!
//! Hooks, steps and signals make requests at any time ([`Requests`](crate::run::Requests)). The loop decides only when
//! no work is half finished: before the first iter of an epoch, after each iter, around a validation, and, for
//! skipping an update, just before the update. All other code acts only on the decision, so that a group of ranks has
//! to agree only here: what single ranks were asked becomes requests of all of them first (`ranks`).

use crate::base::{Iter, Result};
use crate::checkpoint::iter_name;
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::ranks::Agree;
use crate::loops::trainer::Trainer;
use crate::phase::at;
use crate::run::{Exception, Save, Stop, TimeLimit};

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Decides what hooks, steps, signals and the clock on the wall have asked for since the last time. True when a signal
    /// or the end of its time ends the run: it is saved, and nothing else is done.
    ///
    /// # Errors
    /// When another rank is gone.
    pub(crate) fn decide(&mut self, agree: Agree) -> Result<bool> {
        self.agree(agree)?;
        self.decide_on_agreed_requests();
        self.decide_on_saving();
        self.decide_on_time();
        self.decide_on_agreed_signal();
        Ok(self.run.decision.signal().is_some() || self.run.decision.is_time_up())
    }

    /// SIGUSR1 asks for a checkpoint. Before the first iter there is nothing to save, so it waits.
    fn decide_on_saving(&mut self) {
        let iter = self.run.clocks.iter;
        if iter == Iter(0) || self.rolls_back() || self.run.storage.folder.is_none() || !self.is_asked_to_save() {
            return;
        }
        if self.run.storage.saved_at == Some(iter) {
            self.run.tell(&format!("SIGUSR1: {iter} is saved already"));
            return;
        }
        self.run.tell(&format!("SIGUSR1: {iter} is saved, and the run goes on"));
        let save = Save { name: iter_name(iter), latest: true };
        if !self.run.decision.saves.contains(&save) {
            self.run.decision.saves.push(save);
        }
    }

    fn is_asked_to_save(&mut self) -> bool {
        match self.is_in_group() {
            true => std::mem::take(&mut self.ranks.agreed.save),
            false => self.run.signals.take_save(),
        }
    }

    /// The run's time is up.
    fn decide_on_time(&mut self) {
        let is_up = |limit: &&TimeLimit| match self.is_in_group() {
            true => self.ranks.agreed.time_up,
            false => limit.is_over(),
        };
        let limit = self.plan.train.time_limit.as_ref().filter(is_up);
        if let Some(limit) = limit
            && self.run.decision.stop.is_none()
            && !self.run.clocks.is_finished()
        {
            self.run.decision.stop = Some(Stop::at_time(limit));
        }
    }

    /// Decides what hooks and steps have asked for. A signal waits for the next safe point, where the run can be saved.
    ///
    /// # Errors
    /// When another rank is gone.
    pub(crate) fn decide_on_requests(&mut self) -> Result<()> {
        self.agree(Agree::Now)?;
        self.decide_on_agreed_requests();
        Ok(())
    }

    /// The same for requests that all ranks know of.
    pub(super) fn decide_on_agreed_requests(&mut self) {
        let limit = self.plan.train.stop_after.filter(|limit| self.run.clocks.iter.get() >= *limit);
        let stop = self.run.requests.stop.as_ref().map(|stop| stop.by);
        let asked_by = match self.ranks.agreed.stopped_by.take() {
            Some(name) => name,
            None => stop.map_or_else(String::new, |by| self.name_of(by)),
        };
        let run = &mut self.run;
        let ended = run.decision.ended.is_some();
        run.decision.take(&mut run.requests, limit.map(Stop::at_limit), |_| asked_by);
        if !ended && run.decision.ended.is_some() {
            // a checkpoint of this iter does not hold it yet
            run.storage.saved_at = None;
        }
    }

    /// Decides about signals alone, where everything else has to wait: within an evaluation. True when a signal ends the
    /// run. Hooks see it in `on_exception`, once.
    ///
    /// # Errors
    /// When another rank is gone.
    pub(crate) fn decide_on_signal(&mut self, agree: Agree) -> Result<bool> {
        self.agree_on_signals(agree)?;
        self.decide_on_agreed_signal();
        Ok(self.run.decision.signal().is_some())
    }

    fn decide_on_agreed_signal(&mut self) {
        let received = match self.is_in_group() {
            true => self.ranks.agreed.signal,
            false => self.run.signals.received(),
        };
        if self.run.decision.take_signal(received)
            && let Some(signal) = self.run.decision.signal()
            && self.run.exception.is_none()
        {
            self.run.exception = Some(Exception::Signal(signal));
            self.close::<at::OnException>();
        }
    }

    /// Decides whether the update under way is made: `None`, or why it is left out.
    ///
    /// # Errors
    /// When another rank is gone.
    pub(crate) fn decide_on_update(&mut self) -> Result<Option<String>> {
        let reason = self.agree_on_skip()?;
        if reason.is_some() {
            self.run.updates.skip();
        }
        Ok(reason)
    }

    /// Whether the training ends here: its plan is finished, or a stop was decided.
    pub fn is_over(&self) -> bool {
        self.run.decision.stop.is_some() || self.run.clocks.is_finished()
    }

    /// The updates that this run makes at most: those of the plan, or those of its limit.
    fn last_planned_iter(&self) -> u64 {
        let limits = [self.run.clocks.max_iters, self.plan.train.stop_after];
        limits.into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    /// Notes whether the plan ends with the coming iter.
    pub(crate) fn foresee_iter(&mut self) {
        let last = self.last_planned_iter();
        self.run.decision.last_planned = (last != u64::MAX).then_some(last);
        self.run.decision.last_iter = self.run.clocks.iter.get() + 1 >= last;
    }

    /// Notes whether the plan ends with the coming epoch.
    pub(crate) fn foresee_epoch(&mut self) {
        let iters = match self.run.clocks.is_between_epochs() {
            // the loader still stands at the end of the last epoch
            true => Some(self.run.clocks.iters_per_epoch),
            false => self.batches_left().map(|batches| batches.div_ceil(self.run.updates.batches_per_iter())),
        };
        let clocks = &self.run.clocks;
        let ends_there = iters.is_none_or(|iters| clocks.iter.get().saturating_add(iters) >= self.last_planned_iter());
        let last_of_plan = clocks.max_epochs.is_some_and(|epochs| clocks.epoch.get() + 1 >= epochs);
        self.run.decision.last_epoch = ends_there || last_of_plan;
    }
}

//! Training: epochs of iters. `by_iter` is the same loop with a single epoch for the whole training and a loader that
//! starts again at its end.

use crate::base::{Batch, Clock, Epoch, Error, Result};
use crate::hook::EngineHooks;
use crate::loops::plan::{ENDLESS_EPOCH, uneven};
use crate::loops::program::Program;
use crate::loops::ranks::Agree;
use crate::loops::trainer::{Role, Trainer};
use crate::model::ModelEntry;
use crate::native::{AutocastCacheOff, StreamGuard};
use crate::optim::update::batches_per_iter;
use crate::optim::{SampleClock, TrainingLength};
use crate::phase::at;
use crate::run::{Generators, Requests, RunState};
use tch::Tensor;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Sets the plan of the clocks. The last iter of an epoch counts as an iter, also when it has fewer batches.
    ///
    /// # Errors
    /// When the train loader has no batch, or when nothing ends the training.
    pub fn prepare_train(&mut self) -> Result<()> {
        let loader = self.choose_epoch_loader()?;
        if loader == Some(0) {
            return Err(Error::msg(
                "the train loader has no batch: its dataset is smaller than one batch and `drop_last` is set",
            ));
        }
        self.prepare_passes()?;
        self.prepare_scheduled()?;
        self.prepare_recordings()?;
        self.count_samples()?;
        let length = self.plan.train.length(T::CLOCK, T::PASSES, loader);
        if T::CLOCK == Clock::Epoch && length.iters_per_epoch.is_none() {
            return Err(Error::msg(ENDLESS_EPOCH));
        }
        if length.max_iters.is_none() {
            return Err(Error::msg(
                "the training has no end; set `max_epochs`, `max_iters` or `max_samples` in `train`",
            ));
        }
        let max_iters = self.planned_iters(&length);
        let clocks = &mut self.run.clocks;
        clocks.max_epochs = self.plan.train.max_epochs;
        clocks.iters_per_epoch = length.iters_per_epoch.unwrap_or(0);
        clocks.max_iters = max_iters;
        if T::CLOCK == Clock::Iter && !clocks.is_finished() {
            // a training that was over and got a longer plan
            clocks.epoch = Epoch(0);
        }
        Ok(())
    }

    /// Sets how updates count in samples, and how many of them a training has that is planned in samples.
    fn count_samples(&mut self) -> Result<()> {
        let per_iter = batches_per_iter(&self.plan.train.passes(T::PASSES)).ok();
        let samples = self.epoch_loader()?.batch_samples().zip(per_iter);
        let clocks = &mut self.run.clocks;
        clocks.samples = samples.map(|(batch, batches)| {
            let per_iter = batch.saturating_mul(batches.max(1));
            clocks.samples.map_or_else(|| SampleClock::new(per_iter), |clock| clock.from(clocks.iter.get(), per_iter))
        });
        if let Some(most) = self.plan.train.max_samples {
            clocks.check(Clock::Sample)?;
            self.plan.train.max_iters = clocks.samples.map(|clock| clock.iter_of(most));
        }
        self.plan.val.as_ref().map_or(Ok(()), |val| clocks.check(val.by))
    }

    /// Iters of the whole training: those that are done and those that are left. A resumed run may have done its first
    /// iters with another `accumulate` or `batch_size`, so epochs times the iters of today's epoch would be wrong.
    fn planned_iters(&mut self, length: &TrainingLength) -> Option<u64> {
        let (Some(epochs), Some(per_epoch)) = (length.max_epochs, length.iters_per_epoch) else {
            return length.max_iters;
        };
        let (done, epoch, batch) = (self.run.clocks.iter.get(), self.run.clocks.epoch.get(), self.run.clocks.batch);
        // batches may have been skipped before the first iter
        if T::CLOCK == Clock::Iter || (done == 0 && batch == Batch(0)) || epoch >= epochs {
            return length.max_iters;
        }
        let left_of_epoch = match (batch, self.batches_left()) {
            (Batch(0), _) | (_, None) => per_epoch,
            (_, Some(batches)) => batches.div_ceil(self.run.updates.batches_per_iter().max(1)),
        };
        let later = (epochs - epoch - 1).saturating_mul(per_epoch);
        let planned = done.saturating_add(left_of_epoch).saturating_add(later);
        Some(length.limit.map_or(planned, |limit| limit.min(planned)))
    }

    /// Tells the updates which passes there are.
    pub(super) fn prepare_passes(&mut self) -> Result<()> {
        let plans = self.plan.train.passes(T::PASSES);
        if T::CLOCK == Clock::Epoch
            && let Err((place, why)) = batches_per_iter(&plans)
        {
            return Err(Error::msg(uneven(plans[place].name, why)));
        }
        let RunState { models, updates, numerics, device, process, .. } = &mut self.run;
        let parameters = models.iter().flat_map(ModelEntry::parameters);
        let parameters: Vec<Tensor> = parameters.map(|(_, tensor)| tensor.shallow_clone()).collect();
        updates.set_passes(T::PASSES, plans, &parameters)?;
        updates.set_precision(numerics.precision, *device)?;
        updates.set_non_finite(self.plan.train.non_finite);
        updates.check_minimizers(process.world())
    }

    /// Trains from the position of the clocks to the end of the plan, or until something stops it.
    ///
    /// # Errors
    /// The first error of a step, a hook, a loader or the disk.
    pub fn train(&mut self) -> Result<()> {
        self.train_with(Program::epochs)
    }

    /// The epochs that are left, each with the safe point after it: the body of [`Program::train`].
    ///
    /// # Errors
    /// The first error of a step, a hook, a loader or the disk.
    pub(crate) fn epochs(&mut self) -> Result<()> {
        self.ranks.in_own_loop = true;
        while !self.is_over() {
            self.epoch()?;
            self.safe_point()?;
        }
        self.ranks.in_own_loop = false;
        Ok(())
    }

    /// Trains with your own loop: `body` runs between `before_train` and `after_train`, and calls the parts of a
    /// training in its own order. Before and after it there is a safe point, where due validations and checkpoints are
    /// done. Call it within [`Program::run`].
    ///
    /// In a resumed run, `body` begins at the position of the clocks. So a loop must read its position from the clocks
    /// and must not count by itself.
    ///
    /// ```no_run
    /// use engine::loops::End;
    /// use engine::prelude::*;
    /// use engine::trainer::{Build, Program};
    ///
    /// /// Validates after each iter of the first epoch; from then on as planned.
    /// fn watch_the_begin<T: Build>(program: &mut Program<T>) -> Result<End> {
    ///     program.run(|program| {
    ///         program.train_with(|program| {
    ///             while !program.is_over() {
    ///                 if program.run.clocks().epoch().get() > 0 {
    ///                     program.epoch()?;
    ///                 } else {
    ///                     program.epoch_with(|program| {
    ///                         while program.has_iter_left() {
    ///                             program.iter()?;
    ///                             program.context().validate();
    ///                             program.safe_point_in_epoch()?;
    ///                         }
    ///                         Ok(())
    ///                     })?;
    ///                 }
    ///                 program.safe_point()?;
    ///             }
    ///             Ok(())
    ///         })
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// Errors of `body`, and the first error of a hook, a validation or the disk around it.
    pub fn train_with(&mut self, body: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.prepare_train()?;
        // nothing can be recorded on the default stream
        let stream = self.recordings.is_some().then(|| StreamGuard::enter(self.run.device)).transpose()?;
        // for eager steps too, which have to give the same bits
        let casts = self.recordings.is_some().then(AutocastCacheOff::new);
        self.join_ranks()?;
        self.set_training(true);
        self.apply_scheduled()?;
        self.within::<at::BeforeTrain, at::AfterTrain>(|program| {
            // only now: what `before_train` has drawn, it had drawn before the checkpoint too
            program.run.storage.resumed.take().map_or(Ok(()), |generators| generators.put_back())?;
            program.sanity_validation()?;
            program.safe_point()?;
            body(program)?;
            program.profile_after_iter(true)?;
            // once more, for what was asked for at the last one
            program.safe_point()
        })?;
        // what hooks ask for in `after_train`; nothing is half done here either
        self.decide(Agree::Now)?;
        self.write_decided_checkpoints()?;
        self.finish_saves_for_good()?;
        self.recordings = None;
        drop((casts, stream));
        self.validate_at_cut()
    }

    /// Validates the last weights of a training that a limit has cut, to show them. No part of the training: it comes when
    /// everything is saved, what hooks make of it is in no checkpoint, and what they ask for is dropped. So the run that goes
    /// on from there is as one that was never cut.
    fn validate_at_cut(&mut self) -> Result<()> {
        let clocks = &self.run.clocks;
        let wanted = self.plan.val.as_ref().is_some_and(|val| val.at_end) && self.loaders.has(Role::Val);
        if !self.is_cut()
            || self.run.decision.is_time_up()
            || !wanted
            || clocks.last_val == Some(clocks.iter)
            || clocks.iter.get() == 0
        {
            return Ok(());
        }
        self.val()?;
        self.run.requests = Requests::default();
        self.run.decision.drop_what_is_left();
        Ok(())
    }

    /// Whether a limit has ended this run before its plan.
    fn is_cut(&self) -> bool {
        self.run.decision.is_cut() && !self.run.clocks.is_finished()
    }

    /// One pass of the train loader, or the rest of it after a resume; with `by_iter` the whole training. The safe
    /// point of its last iter is not included: it follows `after_train_epoch`, when the epoch is counted.
    ///
    /// # Errors
    /// The first error of a step, a hook, a loader or the disk.
    pub fn epoch(&mut self) -> Result<()> {
        self.epoch_with(|program| {
            while program.has_iter_left() {
                program.iter()?;
                program.safe_point_in_epoch()?;
            }
            Ok(())
        })
    }

    /// An epoch with your own loop: `body` runs between `before_train_epoch` and `after_train_epoch`, and the loader
    /// is at the position of the clocks. The epoch is counted when no batch is left. See [`Program::train_with`].
    ///
    /// # Errors
    /// Errors of `body`, and the first error of a hook or the loader around it; also when it is called within an
    /// epoch.
    pub fn epoch_with(&mut self, body: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if self.run.current.in_epoch {
            return Err(Error::msg("an epoch is running; begin the next one after it has ended"));
        }
        // in mid-epoch, `before_train_epoch` runs once more, and must not move what comes after it
        let generators = match self.run.clocks.batch {
            Batch(0) => Generators::default(),
            _ => Generators::of(self.run.device)?,
        };
        self.foresee_epoch();
        self.run.requests.statistics.clear();
        self.run.current.in_epoch = true;
        self.run.current.epoch_began = self.run.clocks.iter.get();
        let result = self.within::<at::BeforeTrainEpoch, at::AfterTrainEpoch>(|program| {
            generators.put_back()?;
            // in mid-epoch a checkpoint has put it in its place; with a fixed number of batches it goes on where it stands
            program.epoch_loader()?.go_on()?;
            program.decide_on_requests()?;
            program.take_detour()?;
            body(program)?;
            if !program.rolls_back() {
                program.count_epoch();
            }
            Ok(())
        });
        self.run.current.in_epoch = false;
        result
    }

    /// Whether the epoch has another iter.
    pub fn has_iter_left(&mut self) -> bool {
        !self.is_over() && !self.rolls_back() && self.batches_left() != Some(0)
    }

    /// Counts the epoch when its last batch is done; `by_iter`: when all iters are.
    fn count_epoch(&mut self) {
        let complete = match T::CLOCK {
            Clock::Iter | Clock::Sample => self.run.clocks.is_finished(),
            Clock::Epoch => self.batches_left() == Some(0),
        };
        if complete {
            let clocks = &mut self.run.clocks;
            clocks.epoch = match T::CLOCK {
                Clock::Iter | Clock::Sample => Epoch(1),
                Clock::Epoch => clocks.epoch.next(),
            };
            clocks.batch = Batch(0);
        }
    }

    /// To be called between iters: decides requests, validates, and begins checkpoints. After a signal, or when the time of
    /// the run is up, there is no validation, and the state of the last finished iter is saved. When the training goes back
    /// to an earlier state, this is done instead, outside of an epoch: within one, no iter is left then.
    ///
    /// # Errors
    /// The first error of a hook, of the validation or of the disk.
    pub fn safe_point(&mut self) -> Result<()> {
        self.look_after_saves()?;
        let ends = self.decide(Agree::Now)?;
        let ends = self.validate_and_save(ends)?;
        if self.rolls_back() && !self.run.current.in_epoch {
            self.roll_back()?;
            if ends {
                self.save_last_iter()?;
            }
        }
        Ok(())
    }

    /// The part of a safe point that follows the decision; whether the run ends here.
    fn validate_and_save(&mut self, ends: bool) -> Result<bool> {
        if self.rolls_back() {
            return Ok(ends);
        }
        self.refresh_statistics(ends)?;
        let val = !ends && self.is_val_due();
        self.check_finite(ends || val)?;
        if ends {
            self.save_last_iter()?;
            return Ok(true);
        }
        if val {
            self.val()?;
            let ends = self.decide(Agree::Now)?;
            if self.rolls_back() {
                return Ok(ends);
            }
            if ends {
                self.save_last_iter()?;
                return Ok(true);
            }
        }
        if !self.run.decision.saves.is_empty() {
            self.write_decided_checkpoints()?;
            // hooks may have asked for something in the phases of the checkpoint
            self.decide_on_requests()?;
        }
        if !self.is_over() {
            self.keep_in_memory()?;
        }
        Ok(false)
    }

    /// The safe point after an iter. When the epoch or the training ends with this iter, it does nothing: validation
    /// and checkpoints are done at the safe point after `after_train_epoch`, when the epoch is counted.
    ///
    /// # Errors
    /// The first error of a hook, of the validation or of the disk.
    pub fn safe_point_in_epoch(&mut self) -> Result<()> {
        if !self.has_iter_left() {
            return Ok(());
        }
        self.look_after_saves()?;
        let ends = self.decide(Agree::Ahead)?;
        if self.rolls_back() || (!ends && self.is_over()) {
            // the epoch ends here, and with it comes a safe point of its own
            return Ok(());
        }
        self.validate_and_save(ends)?;
        if self.has_iter_left() { self.take_detour() } else { Ok(()) }
    }

    /// Ends the training whose gradient was not finite, if it was asked to: where the device is waited for anyway, or is
    /// to be.
    fn check_finite(&mut self, waits: bool) -> Result<()> {
        let reads = self.run.seen.record.device_reads();
        let row = std::mem::replace(&mut self.run.seen.reads_seen, reads) != reads;
        if row || waits || !self.run.decision.saves.is_empty() || self.is_over() {
            self.run.updates.check_finite()?;
        }
        Ok(())
    }

    /// Whether weights that were not validated yet are to be: on request, by the plan, or because they are the last.
    fn is_val_due(&mut self) -> bool {
        let asked = std::mem::take(&mut self.run.decision.validate);
        let Some(plan) = &self.plan.val else { return false };
        let clocks = &self.run.clocks;
        let last = plan.at_end && self.is_over() && clocks.iter.get() > 0 && !self.is_cut();
        self.loaders.has(Role::Val) && clocks.last_val != Some(clocks.iter) && (asked || last || plan.is_due(clocks))
    }

    /// Batches that this epoch still has; `None`: the loader starts over as often as it takes.
    pub(super) fn batches_left(&mut self) -> Option<u64> {
        match T::CLOCK {
            Clock::Iter | Clock::Sample => None,
            Clock::Epoch => match self.plan.train.batches_per_epoch {
                Some(batches) => Some(batches.saturating_sub(self.run.clocks.batch.get())),
                // a loader without end is refused where the training is prepared
                None => Some(self.epoch_loader().ok().and_then(|loader| loader.batches_left()).unwrap_or(0)),
            },
        }
    }

    /// The mode of the steps and of every model.
    pub(crate) fn set_training(&mut self, training: bool) {
        self.run.step.training = training;
        self.run.models.iter_mut().for_each(|model| model.set_training(training));
    }
}

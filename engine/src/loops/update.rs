//! One iter: the passes that are due, each with its updates. An update is its batches forward and backward, then the
//! step of its optimizers.
//!
//! The loss is not read here. A loss that is NaN or infinite influences gradients and weights like any other; the
//! logger warns of it in the next row. With `train: (non_finite: Skip)` the device skips such updates, and nothing
//! waits for the device.

use crate::base::spans::{self, SpanKind};
use crate::base::{Error, Output, Result};
use crate::data::Batch as _;
use crate::hook::EngineHooks;
use crate::loops::loss_points::LossPoints;
use crate::loops::program::Program;
use crate::loops::share::Weighed;
use crate::loops::trainer::Trainer;
use crate::optim::update::check_loss;
use crate::optim::{PassBatches, PassPlan};
use crate::phase::at;
use crate::record::RowPhase;
use crate::run::PassPlace;
use tch::Tensor;

/// The batches of an iter.
struct AtHand<B> {
    /// Those that were read last, while a later update may take them again; `None` where other ranks have all samples.
    held: Vec<Option<Weighed<B>>>,
    /// How many the epoch has left; `None`: without end.
    left: Option<u64>,
}

impl<B> AtHand<B> {
    /// How many batches the next update of a pass has, and whether it takes them again. Known before its first forward
    /// pass, so that the tail of an epoch is averaged over its own batches; none when the epoch has none left.
    fn next_update(&self, plan: &PassPlan) -> (u64, bool) {
        match plan.batches {
            PassBatches::Same if !self.held.is_empty() => (self.held.len() as u64, true),
            _ => (self.left.map_or(plan.accumulate, |left| left.min(plan.accumulate)), false),
        }
    }
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// One iter: the passes that are due, each with its updates. A plain trainer makes one update, of `accumulate` batches
    /// or of those that the epoch has left.
    ///
    /// # Errors
    /// The first error of a step, a hook, an optimizer or the loader; when the epoch has no batch left, or the plan no iter.
    pub fn iter(&mut self) -> Result<()> {
        let left = self.batches_left();
        if left == Some(0) || self.run.clocks.is_finished() {
            return Err(Error::msg(format!(
                "no iter is left after iter {}; a training loop has to ask `has_iter_left()` before each iter",
                self.run.clocks.iter.get()
            )));
        }
        if !self.run.current.in_epoch {
            return Err(Error::msg("an iter runs only within an epoch: call `iter` in the body of `epoch_with`"));
        }
        self.profile_before_iter()?;
        self.foresee_iter();
        self.apply_scheduled()?;
        self.within::<at::BeforeTrainIter, at::AfterTrainIter>(|program| {
            let mut at_hand = AtHand { held: Vec::new(), left };
            for pass in 0..program.run.updates.passes().len() {
                program.pass(pass, &mut at_hand)?;
            }
            program.run.clocks.iter = program.run.clocks.iter.next();
            Ok(())
        })?;
        self.run.step.output = None;
        self.run.step.endpoints.clear();
        self.profile_after_iter(false)
    }

    /// The updates of a pass, when it is due.
    fn pass(&mut self, pass: usize, at_hand: &mut AtHand<T::Batch>) -> Result<()> {
        let plan = self.run.updates.passes()[pass].plan();
        if !plan.is_due(self.run.clocks.iter.get()) {
            return Ok(());
        }
        for time in 0..plan.times {
            let (batches, again) = at_hand.next_update(self.run.updates.passes()[pass].plan());
            if batches == 0 {
                break;
            }
            self.run.current.pass = Some(PassPlace { pass, time });
            let result = self.update(pass, batches, again, at_hand);
            if result.is_err() {
                self.dump_failed_update();
            }
            self.run.current.pass = None;
            self.loss_points = None;
            result?;
        }
        Ok(())
    }

    /// One update from this many batches; its gradient is their mean, each by its weight. `again`: from those at hand,
    /// else from fresh ones. These are read before the first forward pass, so that all weights are known by then, and go
    /// to the device one by one.
    fn update(&mut self, pass: usize, batches: u64, again: bool, at_hand: &mut AtHand<T::Batch>) -> Result<()> {
        self.share_changed_buffers()?;
        self.run.updates.begin(pass)?;
        self.loss_points = self.run.updates.minimizes(pass).then(LossPoints::default);
        if let Some(recordings) = &mut self.recordings {
            recordings.begin(batches);
        }
        self.note_before_update(again)?;
        if again {
            self.ranks.begin_update(&mut self.run, pass, T::Batch::STATES_WEIGHT, weights(&at_hand.held))?;
            let batches = at_hand.held.len();
            for (place, batch) in at_hand.held.iter_mut().enumerate() {
                self.begin_batch(pass, place + 1 == batches)?;
                self.batch(pass, batch.as_mut(), Count::Again)?;
            }
            return self.step_optimizers(pass, &mut at_hand.held);
        }
        at_hand.held.clear();
        let is_followed = self.run.updates.passes()[pass].is_followed() || self.loss_points.is_some();
        self.waiting.clear();
        self.ranks.samples.clear();
        for _ in 0..batches {
            let batch = {
                let _span = spans::span(SpanKind::Data, "wait for a batch");
                self.next_train_batch()?
            };
            self.waiting.push(batch);
        }
        self.ranks.begin_update(&mut self.run, pass, T::Batch::STATES_WEIGHT, weights(&self.waiting))?;
        self.waiting.reverse();
        while let Some(batch) = self.waiting.pop() {
            let mut batch = {
                let _span = spans::span(SpanKind::Data, "bring a batch to the device");
                batch.map(|batch| batch.onto(&self.run)).transpose()?
            };
            at_hand.left = at_hand.left.map(|left| left.saturating_sub(1));
            if self.waiting.is_empty() {
                // the batch of the next update, beside the computing of this one
                self.bring_batches_ahead()?;
            }
            self.begin_batch(pass, self.waiting.is_empty())?;
            self.batch(pass, batch.as_mut(), Count::Fresh)?;
            if is_followed {
                at_hand.held.push(batch);
            }
        }
        self.step_optimizers(pass, &mut at_hand.held)
    }

    /// `last`: whether no batch of the update follows.
    fn begin_batch(&mut self, pass: usize, last: bool) -> Result<()> {
        self.ranks.in_last_batch = last;
        self.run.updates.before_batch(pass, last)
    }

    /// One batch, forward and backward. Without a sample of it, this rank only takes part in the exchange of gradients.
    fn batch(&mut self, pass: usize, batch: Option<&mut Weighed<T::Batch>>, count: Count) -> Result<()> {
        let Some(batch) = batch else {
            if let Count::Fresh = count {
                self.run.clocks.batch = self.run.clocks.batch.next();
            }
            self.tell_of_update(pass)?;
            return self.run.updates.after_batch(pass);
        };
        self.run.step.put_batch(batch.size, batch.weight);
        self.note_batch(&batch.batch);
        self.run.step.output = None;
        self.run.step.endpoints.drop_kept();
        self.within::<at::BeforeTrainBatch, at::AfterTrainBatch>(|program| {
            program.run.step.goes_backward = true;
            let result = program.forward_and_backward(pass, &mut batch.batch);
            program.run.step.goes_backward = false;
            if let (Ok(()), Count::Fresh) = (&result, count) {
                program.run.clocks.batch = program.run.clocks.batch.next();
            }
            result
        })
    }

    fn forward_and_backward(&mut self, pass: usize, batch: &mut T::Batch) -> Result<()> {
        match (&self.processor, &self.recordings) {
            (Some(_), _) => self.compute_by_processor(pass, batch)?,
            (None, Some(_)) => self.compute_by_graph(pass, batch)?,
            (None, None) => self.compute(pass, batch)?,
        }
        self.phase::<at::AfterBackward>()?;
        if let Some(output) = &mut self.run.step.output {
            output.detach();
        }
        Ok(())
    }

    /// The step, and backward from its loss.
    pub(super) fn compute(&mut self, pass: usize, batch: &T::Batch) -> Result<()> {
        self.run.step.has_gone_backward = false;
        self.run.step.is_stage_open = false;
        let what = self.run.updates.passes()[pass].prefix().unwrap_or("train_step");
        let others_off = self.run.updates.forward(pass)?;
        if let Some(points) = &mut self.loss_points {
            points.before_step(self.run.device)?;
        }
        let output = self.step(what, |trainer, cx| trainer.train_step(batch, cx))?;
        drop(others_off);
        if self.run.step.is_stage_open {
            return Err(Error::msg(format!(
                "`{what}` has called `cx.staged` and not ended it, so the backbone has no gradient of its tasks: give back what `backward()` of the stage returns"
            )));
        }
        let loss = checked_loss(what, &output, self.run.step.has_gone_backward)?.map(Tensor::shallow_clone);
        let is_further = self.loss_points.as_ref().is_some_and(LossPoints::is_further);
        match &mut self.replaying {
            Some(notes) => notes.after_forward(&output)?,
            None if is_further => {}
            None => {
                self.record_output(&output);
                self.run.step.output = Some(output);
                self.phase::<at::AfterForward>()?;
            }
        }
        let span = spans::span(SpanKind::Step, "backward");
        self.tell_of_update(pass)?;
        let mut part = None;
        if let Some(loss) = &loss {
            let share = self.run.share_of_batch()?;
            self.run.updates.backward(pass, loss, share)?;
            part = Some((loss, share));
        }
        drop(span);
        if let Some(points) = &mut self.loss_points {
            points.after_backward(what, part.filter(|_| !self.run.step.has_gone_backward))?;
        }
        if let Some(notes) = &mut self.replaying {
            notes.after_backward()?;
        }
        self.run.updates.after_batch(pass)
    }

    /// The steps of the optimizers, unless a hook or a step has asked to leave the update out.
    fn step_optimizers(&mut self, pass: usize, batches: &mut [Option<Weighed<T::Batch>>]) -> Result<()> {
        self.hear_of_update(pass)?;
        self.run.updates.finish(pass)?;
        self.within::<at::BeforeOptimizerStep, at::AfterOptimizerStep>(|program| {
            let iter = program.run.clocks.iter.get();
            program.write_dump_if_asked()?;
            if let Some(reason) = program.decide_on_update()? {
                let of = program.run.updates.passes()[pass].prefix();
                let of = of.map_or(String::new(), |pass| format!(" of `{pass}`"));
                return program.run.say(&format!("update {}{of} skipped: {reason}", iter + 1));
            }
            let span = spans::span(SpanKind::Step, "update");
            let updated = match program.recorded_update(pass)? {
                Some(updated) => updated,
                None if program.loss_points.is_some() => program.minimize(pass, iter, batches)?,
                None => program.run.updates.step(pass, iter)?,
            };
            drop(span);
            if let Some(norm) = updated.grad_norm {
                program.run.log("grad_norm", norm);
            }
            if let Some(scale) = updated.loss_scale {
                program.run.log_last("loss_scale", scale);
            }
            if program.run.updates.may_skip() {
                let skipped = program.run.updates.skipped()?;
                program.run.seen.log_last(RowPhase::Train, None, "skipped_updates", skipped);
            }
            Ok(())
        })
    }

    /// The loss and the named values, unread.
    fn record_output(&mut self, output: &Output) {
        if let Ok(loss) = output.loss() {
            self.run.log("loss", loss.into());
        }
        for (name, value) in output.values() {
            self.run.log(name, value.clone());
        }
    }
}

/// What batches count in means over several.
fn weights<B>(batches: &[Option<Weighed<B>>]) -> impl Iterator<Item = f64> + Clone {
    batches.iter().flatten().map(|batch| batch.weight)
}

/// Whether a batch counts on the clock: one that is taken again was counted before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    Fresh,
    Again,
}

/// The loss, and what can be told of it without reading it from the device; `None` for a step that has gone backward
/// itself.
fn checked_loss<'o>(step: &str, output: &'o Output, has_gone_backward: bool) -> Result<Option<&'o Tensor>> {
    let loss = match output.loss() {
        Ok(loss) => loss,
        Err(_) if has_gone_backward => return Ok(None),
        Err(_) => {
            return Err(Error::msg(format!(
                "`{step}` gave no loss and has not called `cx.backward`, so there is no gradient: do one of the two"
            )));
        }
    };
    check_loss(format_args!("the loss of `{step}`"), loss)?;
    Ok(Some(loss))
}

//! The input and output of the current step.

use crate::base::{Output, Scalar};
use crate::run::endpoints::Endpoints;
use crate::run::shares::Shares;
use std::cell::RefCell;

/// The input and output of the current step.
#[derive(Debug, Default)]
pub struct StepState {
    /// Whether models and steps work as in training.
    pub(crate) training: bool,
    /// Samples in the current batch; 0 before the first.
    pub(crate) batch_size: usize,
    /// How much the current batch counts in means over several.
    pub(crate) batch_weight: f64,
    /// What the step has returned, from its forward pass to the end of its iter.
    pub(crate) output: Option<Output>,
    /// What the batches of the update in work count in its gradient.
    pub(crate) shares: Shares,
    /// Whether a step and its backward are under way, which have a share in the gradient of their update.
    pub(crate) goes_backward: bool,
    /// Intermediate tensors that were asked for in this iter.
    pub(crate) endpoints: Endpoints,
    /// The first sample of the batch that the step is given, where it is given a part of it.
    pub(crate) first_sample: usize,
    /// The weight of the whole batch, where the step is given a part of it.
    pub(crate) whole_weight: f64,
    /// Whether the step has run backward itself.
    pub(crate) has_gone_backward: bool,
    /// Whether the step has begun a staged backward and not ended it.
    pub(crate) is_stage_open: bool,
    /// What a step does that is about to be recorded as a CUDA graph; `None` when it is not.
    pub(crate) watch: Option<StepWatch>,
}

/// What a step does besides computing, while it is watched.
#[derive(Debug, Default)]
pub(crate) struct StepWatch {
    /// The first thing that a graph would not do again.
    found: RefCell<Option<String>>,
    /// The numbers that it logs: whether a row shows the mean, the name, and the number.
    pub(crate) logged: Vec<(bool, String, Scalar)>,
    /// Whether numbers are only noted here, and not logged: the step is recorded, and nothing is computed yet.
    is_recording: bool,
}

impl StepState {
    /// The batch of a step: how many samples, and how much they count in means.
    pub(crate) fn put_batch(&mut self, size: usize, weight: f64) {
        self.put_part(0, size, weight);
        self.whole_weight = weight;
    }

    /// What the step is given of its batch: the first sample, and how many; how much they count in means. In the gradient of
    /// the update they count by their part of the batch's weight.
    pub(crate) fn put_part(&mut self, first: usize, size: usize, weight: f64) {
        (self.first_sample, self.batch_size, self.batch_weight) = (first, size, weight);
    }

    /// The step does something that a graph would not do again.
    #[inline]
    pub(crate) fn notice(&self, what: &str) {
        if let Some(watch) = &self.watch {
            watch.notice(what);
        }
    }

    /// The step calls a method of [`Context`](crate::run::Context) that a graph would not call again.
    #[inline]
    pub(crate) fn uses(&self, method: &str) {
        if let Some(watch) = &self.watch {
            watch.notice(&format!("it calls `cx.{method}()`"));
        }
    }
}

impl StepWatch {
    /// For a step that is recorded: nothing is computed yet, so its numbers are noted and not logged.
    pub(crate) fn of_recording() -> Self {
        StepWatch { is_recording: true, ..StepWatch::default() }
    }

    #[cold]
    fn notice(&self, what: &str) {
        self.found.borrow_mut().get_or_insert_with(|| what.to_owned());
    }

    /// A number is logged. Whether that is all, and it goes into no row now.
    pub(crate) fn log(&mut self, mean: bool, name: &str, value: &Scalar) -> bool {
        if matches!(value, Scalar::Number(_)) {
            self.notice(&format!("it logs `{name}` as a number of the host"));
        }
        if self.is_recording {
            self.logged.push((mean, name.to_owned(), value.clone()));
        }
        self.is_recording
    }

    /// Whether nothing of what the step records is shown.
    pub(crate) fn is_recording(&self) -> bool {
        self.is_recording
    }

    /// The first thing that a graph would not do again.
    pub(crate) fn found(&self) -> Option<String> {
        self.found.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Clock;
    use crate::run::{Context, RunState};
    use tch::{Device, Tensor};

    /// What the watch finds in a step that does this.
    fn found(step: impl FnOnce(&mut Context<'_>)) -> Option<String> {
        let mut run = RunState::new(Clock::Iter, Device::Cpu, 1);
        run.step.watch = Some(StepWatch::default());
        step(&mut Context::new(&mut run));
        run.step.watch.take().unwrap().found()
    }

    #[test]
    fn a_watched_step_may_log_tensors_and_nothing_that_changes_on_the_host() {
        let tensor = || Tensor::from(0.5f32);
        assert_eq!(found(|cx| cx.log("loss", tensor())), None);
        assert_eq!(
            found(|cx| assert!((cx.is_training(), cx.device(), cx.batch_size()) == (false, Device::Cpu, 0))),
            None
        );
        assert_eq!(found(|cx| cx.log("beta", 0.5)).unwrap(), "it logs `beta` as a number of the host");
        assert_eq!(
            found(|cx| {
                let _ = cx.generator("noise");
            })
            .unwrap(),
            "it calls `cx.generator()`"
        );
        // the first of several
        assert_eq!(
            found(|cx| assert_eq!((cx.iter().get(), cx.epoch().get()), (0, 0))).unwrap(),
            "it calls `cx.iter()`"
        );
        assert_eq!(found(|cx| cx.stop("enough")).unwrap(), "it calls `cx.stop()`");
        assert_eq!(found(|cx| cx.say("here").unwrap()).unwrap(), "it prints a line");
    }

    #[test]
    fn what_a_recorded_step_logs_is_noted_and_goes_into_no_row() {
        let mut run = RunState::new(Clock::Iter, Device::Cpu, 1);
        run.step.watch = Some(StepWatch::of_recording());
        Context::new(&mut run).log("confidence", Tensor::from(0.5f32));
        Context::new(&mut run).log_last("queue", Tensor::from(2.0f32));
        let logged = run.step.watch.take().unwrap().logged;
        let names: Vec<(bool, &str)> = logged.iter().map(|(mean, name, _)| (*mean, name.as_str())).collect();
        assert_eq!(names, [(true, "confidence"), (false, "queue")]);
        assert!(!run.record().has_pending(crate::record::RowPhase::Train));
    }
}

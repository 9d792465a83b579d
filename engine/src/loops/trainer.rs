//! What the loops drive: the run side of a trainer. `#[trainer]` fills it.

use crate::base::{Clock, Error, ErrorContext as _, Output, Prediction, Result, panics};
use crate::data::{Batch, BatchSource, CommonOrder, Cursor};
use crate::hook::{Batches, EachState, PredictStep, Slots};
use crate::metric::Metric;
use crate::optim::PassInfo;
use crate::run::Context;

/// What a loader is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// `#[loader(train)]`.
    Train,
    /// `#[loader(val)]`.
    Val,
    /// `#[loader(test)]`.
    Test,
    /// `#[loader(predict)]`.
    Predict,
}

impl Role {
    /// The word of the attribute.
    pub fn name(self) -> &'static str {
        match self {
            Role::Train => "train",
            Role::Val => "val",
            Role::Test => "test",
            Role::Predict => "predict",
        }
    }
}

/// Called with each metric and the name of its field.
pub type EachMetric<'a> = dyn FnMut(&'static str, &mut dyn Metric) -> Result<()> + 'a;

/// A loader as the steps of `T` take it: a [`BatchSource`] of `T::Batch`.
pub trait Feed<T: Batches> {
    /// [`BatchSource::start`].
    ///
    /// # Errors
    /// When the workers can't be started.
    fn start(&mut self, cursor: Cursor) -> Result<()>;

    /// [`BatchSource::next_batch`].
    ///
    /// # Errors
    /// What went wrong with a sample, with its index.
    fn next_batch(&mut self) -> Result<Option<T::Batch>>;

    /// [`BatchSource::cursor`].
    fn cursor(&self) -> Cursor;

    /// [`BatchSource::batches`].
    fn batches(&self) -> Option<u64>;

    /// [`BatchSource::batches_left`].
    fn batches_left(&self) -> Option<u64>;

    /// [`BatchSource::common_order`].
    fn common_order(&self) -> Option<CommonOrder>;
}

/// A struct under `#[trainer]`, as the loops see it.
pub trait Trainer: Batches + Slots + Sized {
    /// `by_epoch` or `by_iter`.
    const CLOCK: Clock;

    /// The passes of one iter, in order.
    const PASSES: &'static [PassInfo] = PassInfo::PLAIN;

    /// The loader fields of a role, in field order.
    fn loaders(role: Role) -> &'static [&'static str];

    /// The train loader.
    fn train_loader(&mut self) -> &mut dyn Feed<Self>;

    /// A val or test loader, by its place in [`Trainer::loaders`].
    fn eval_loader(&mut self, role: Role, index: usize) -> Option<&mut dyn Feed<Self>>;

    /// [`crate::hook::Steps::train_step`] of the pass that is under way.
    ///
    /// # Errors
    /// Those of the step.
    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output>;

    /// [`crate::hook::ValStep::val_step`], when there is a val loader.
    ///
    /// # Errors
    /// Those of the step; always, when there is no val loader.
    fn val_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let _ = (batch, cx);
        Err(Error::msg("this trainer has no `#[loader(val)]`"))
    }

    /// [`crate::hook::TestStep::test_step`], when there is a test loader.
    ///
    /// # Errors
    /// Those of the step; always, when there is no test loader.
    fn test_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let _ = (batch, cx);
        Err(Error::msg("this trainer has no `#[loader(test)]`"))
    }

    /// Goes to the start of the predict loader and tells its number of batches.
    ///
    /// # Errors
    /// When there is no predict loader, or it can't start.
    fn predict_start(&mut self) -> Result<u64> {
        Err(Error::msg("this trainer has no `#[loader(predict)]`"))
    }

    /// The prediction of the next batch; `None` at the end. See [`predict_next`].
    ///
    /// # Errors
    /// Those of the loader and of the step.
    fn predict_next(&mut self, cx: &mut Context<'_>) -> Result<Option<Prediction>> {
        let _ = cx;
        Ok(None)
    }

    /// The `#[metric]` fields.
    ///
    /// # Errors
    /// The first that `each` returns.
    fn metrics(&mut self, each: &mut EachMetric<'_>) -> Result<()>;

    /// Everything that checkpoints hold of the trainer: `hooks.ema`, `metrics.accuracy`, and `trainer` for its own.
    ///
    /// # Errors
    /// The first that `each` returns.
    fn states(&mut self, each: &mut EachState<'_>) -> Result<()>;
}

/// Puts the predict loader at its start and tells its number of batches.
///
/// # Errors
/// When it can't start, or never ends.
pub fn predict_start<B>(source: &mut dyn BatchSource<B>) -> Result<u64> {
    source.start(Cursor::default())?;
    source.batches().ok_or_else(|| Error::msg("the predict loader never ends; take another sampler than `Infinite`"))
}

/// One step of prediction: the next batch of the trainer's loader, on the device, through `predict_step`.
///
/// # Errors
/// Those of the loader and of the step.
pub fn predict_next<T: PredictStep>(
    trainer: &mut T,
    source: impl FnOnce(&mut T) -> &mut dyn BatchSource<T::Prompt>,
    cx: &mut Context<'_>,
) -> Result<Option<Prediction>>
where
    T::Prompt: Batch,
{
    let Some(batch) = source(trainer).next_batch()? else { return Ok(None) };
    let batch = batch.onto(cx.device())?;
    cx.set_batch(batch.size(), batch.weight());
    let prediction = panics::catch("`predict_step`", || trainer.predict_step(&batch, cx));
    prediction.map(Some).with_context(|| cx.step_failed("predict_step"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunState;
    use tch::{Device, Kind, Tensor};

    /// Fails at its second prompt, which its loader can't give either when it is so told.
    struct Failing {
        given: u64,
        broken: bool,
        panics: bool,
    }

    impl PredictStep for Failing {
        type Prompt = Tensor;
        fn predict_step(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Prediction> {
            match self.given {
                1 => Ok(Prediction::new()),
                _ if self.panics => panic!("the step fell over"),
                _ => Err(Error::msg("the step gave up")),
            }
        }
    }

    impl BatchSource<Tensor> for Failing {
        fn start(&mut self, _: Cursor) -> Result<()> {
            Ok(())
        }
        fn next_batch(&mut self) -> Result<Option<Tensor>> {
            self.given += 1;
            match self.broken && self.given == 2 {
                true => Err(Error::msg("the sample is broken")),
                false => Ok(Some(Tensor::zeros([1], (Kind::Float, Device::Cpu)))),
            }
        }
        fn cursor(&self) -> Cursor {
            Cursor::default()
        }
        fn batches(&self) -> Option<u64> {
            Some(2)
        }
        fn batches_left(&self) -> Option<u64> {
            Some(2 - self.given.min(2))
        }
        fn common_order(&self) -> Option<CommonOrder> {
            None
        }
    }

    fn failed(broken: bool, panics: bool) -> String {
        let mut trainer = Failing { given: 0, broken, panics };
        let mut run = RunState::new(Clock::Epoch, Device::Cpu, 1);
        run.current.loader = "prompts";
        let mut next = |batch| {
            run.current.evaluated = Some(batch);
            predict_next(&mut trainer, |trainer| trainer, &mut Context::new(&mut run))
        };
        assert!(next(0).unwrap().is_some());
        format!("{:#}", next(1).unwrap_err())
    }

    #[test]
    fn a_prediction_that_fails_is_told_with_its_batch_and_a_loader_for_itself() {
        let at = "`predict_step` failed at iter 0, batch 1 of `prompts` (epoch 0): ";
        assert_eq!(failed(false, false), format!("{at}the step gave up"));
        let panicked = failed(false, true);
        assert!(panicked.starts_with(&format!("{at}`predict_step` panicked at ")), "{panicked}");
        assert_eq!(failed(true, false), "the sample is broken");
    }
}

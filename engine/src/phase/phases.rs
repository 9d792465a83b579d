//! The phases, in the order in which a run goes through them.

use std::fmt;

macro_rules! phases {
    ($( $(#[$doc:meta])* $variant:ident, $name:literal, $group:ident; )*) => {
        /// A place in a run where hooks take part. The method of a hook has the phase's name.
        ///
        /// ```
        /// use engine::phase::{Group, Phase};
        ///
        /// assert_eq!(Phase::AfterVal.name(), "after_val");
        /// assert_eq!(Phase::AfterVal.group(), Group::Val);
        /// assert_eq!(Phase::AfterVal.closes(), Some(Phase::BeforeVal));
        /// assert!(Phase::BeforeVal < Phase::AfterVal); // in the order of a run
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Phase { $( $(#[$doc])* $variant, )* }

        impl Phase {
            /// Every phase, in order.
            pub const ALL: &'static [Phase] = &[ $( Phase::$variant, )* ];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The name of the method that takes part in it.
            pub const fn name(self) -> &'static str {
                match self { $( Phase::$variant => $name, )* }
            }

            /// The part of a run it belongs to.
            pub const fn group(self) -> Group {
                match self { $( Phase::$variant => Group::$group, )* }
            }
        }

        /// Every phase as a type, so that generic code is compiled for one phase.
        pub mod at {
            use super::{At, Phase};
            $(
                $(#[$doc])*
                #[derive(Clone, Copy, Debug)]
                pub struct $variant;
                impl At for $variant {
                    const PHASE: Phase = Phase::$variant;
                }
            )*
        }
    };
}

phases! {
    /// Once, before anything else; the run's folder exists.
    BeforeRun, "before_run", Run;
    /// A checkpoint was read, before the loop that continues from it.
    AfterLoadCheckpoint, "after_load_checkpoint", Checkpoint;
    /// Once, before the first epoch.
    BeforeTrain, "before_train", Train;
    /// Before the first batch of a pass of the train loader; `by_iter`: once.
    BeforeTrainEpoch, "before_train_epoch", Epoch;
    /// Before the first batch of an update.
    BeforeTrainIter, "before_train_iter", Iter;
    /// A batch is on the device.
    BeforeTrainBatch, "before_train_batch", Iter;
    /// `train_step` has returned; the output is there.
    AfterForward, "after_forward", Iter;
    /// Gradients of this batch are added.
    AfterBackward, "after_backward", Iter;
    /// The batch is done; the output no longer holds its graph.
    AfterTrainBatch, "after_train_batch", Iter;
    /// Gradients are final: averaged, not yet clipped.
    BeforeOptimizerStep, "before_optimizer_step", Iter;
    /// The update is done (or was skipped).
    AfterOptimizerStep, "after_optimizer_step", Iter;
    /// The iter is counted.
    AfterTrainIter, "after_train_iter", Iter;
    /// The pass is over; it is counted unless the training stopped within it.
    AfterTrainEpoch, "after_train_epoch", Epoch;
    /// Before the first val loader.
    BeforeVal, "before_val", Val;
    /// Before the first batch of one val loader.
    BeforeValEpoch, "before_val_epoch", Val;
    /// Before a val batch.
    BeforeValIter, "before_val_iter", Val;
    /// `val_step` has returned; the output is there.
    AfterValIter, "after_val_iter", Val;
    /// The metrics of one val loader are final.
    AfterValEpoch, "after_val_epoch", Val;
    /// The metrics of all val loaders are final.
    AfterVal, "after_val", Val;
    /// Before a checkpoint's content is gathered.
    BeforeSaveCheckpoint, "before_save_checkpoint", Checkpoint;
    /// The checkpoint is on disk under its final name.
    AfterSaveCheckpoint, "after_save_checkpoint", Checkpoint;
    /// Once, after the last epoch, also when the training stopped early.
    AfterTrain, "after_train", Train;
    /// As `before_val`, for `test`.
    BeforeTest, "before_test", Test;
    /// As `before_val_epoch`, for `test`.
    BeforeTestEpoch, "before_test_epoch", Test;
    /// As `before_val_iter`, for `test`.
    BeforeTestIter, "before_test_iter", Test;
    /// As `after_val_iter`, for `test`.
    AfterTestIter, "after_test_iter", Test;
    /// As `after_val_epoch`, for `test`.
    AfterTestEpoch, "after_test_epoch", Test;
    /// As `after_val`, for `test`.
    AfterTest, "after_test", Test;
    /// Before the first batch of the predict loader.
    BeforePredict, "before_predict", Predict;
    /// Before a batch of the predict loader.
    BeforePredictIter, "before_predict_iter", Predict;
    /// `predict_step` has returned.
    AfterPredictIter, "after_predict_iter", Predict;
    /// The predictions are written.
    AfterPredict, "after_predict", Predict;
    /// An error or a stop signal is on its way out; a hook can look, not hide it.
    OnException, "on_exception", Run;
    /// Always, and last.
    AfterRun, "after_run", Run;
}

/// A phase as a type.
pub trait At {
    /// The phase as a value.
    const PHASE: Phase;
}

/// The part of a run a phase belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Around everything.
    Run,
    /// Around the training.
    Train,
    /// Around a pass of the train loader.
    Epoch,
    /// Around an update and its batches.
    Iter,
    /// Validation.
    Val,
    /// Test.
    Test,
    /// Prediction.
    Predict,
    /// Saving and loading.
    Checkpoint,
}

impl Phase {
    /// The phase that this one is the end of: `before_val` for `after_val`. It runs whenever that one has run.
    pub const fn closes(self) -> Option<Phase> {
        Some(match self {
            Phase::AfterRun => Phase::BeforeRun,
            Phase::AfterTrain => Phase::BeforeTrain,
            Phase::AfterTrainEpoch => Phase::BeforeTrainEpoch,
            Phase::AfterTrainIter => Phase::BeforeTrainIter,
            Phase::AfterTrainBatch => Phase::BeforeTrainBatch,
            Phase::AfterOptimizerStep => Phase::BeforeOptimizerStep,
            Phase::AfterVal => Phase::BeforeVal,
            Phase::AfterValEpoch => Phase::BeforeValEpoch,
            Phase::AfterValIter => Phase::BeforeValIter,
            Phase::AfterTest => Phase::BeforeTest,
            Phase::AfterTestEpoch => Phase::BeforeTestEpoch,
            Phase::AfterTestIter => Phase::BeforeTestIter,
            Phase::AfterPredict => Phase::BeforePredict,
            Phase::AfterPredictIter => Phase::BeforePredictIter,
            Phase::AfterSaveCheckpoint => Phase::BeforeSaveCheckpoint,
            _ => return None,
        })
    }

    /// Whether every hook is called although one before it has failed: hooks put things back in these phases.
    pub const fn reaches_all(self) -> bool {
        self.closes().is_some() || matches!(self, Phase::OnException)
    }

    /// Its place in [`Phase::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_before_has_one_after_of_the_same_name() {
        for phase in Phase::ALL {
            let closing = Phase::ALL.iter().filter(|closing| closing.closes() == Some(*phase)).collect::<Vec<_>>();
            match phase.name().strip_prefix("before_") {
                Some(name) => {
                    assert_eq!(closing.len(), 1, "{phase}");
                    assert_eq!(closing[0].name(), format!("after_{name}"));
                }
                None => assert!(closing.is_empty(), "{phase}"),
            }
        }
    }
}

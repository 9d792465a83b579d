//! The phases, in the order of a run.

use std::fmt;

macro_rules! phases {
    ($( $(#[$doc:meta])* $variant:ident, $name:ident, $group:ident; )*) => {
        /// A place in a run where hooks are called. The method of a hook has the name of the phase.
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

            /// The name of the method that is called in it.
            pub const fn name(self) -> &'static str {
                match self { $( Phase::$variant => stringify!($name), )* }
            }

            /// The part of a run to which it belongs.
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

each_phase!(phases);

/// A phase as a type.
pub trait At {
    /// The phase as a value.
    const PHASE: Phase;
}

/// The parts of a run to which phases belong.
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
    /// The opening phase of a closing phase: `before_val` for `after_val`. The closing phase runs whenever the opening
    /// one has run.
    ///
    /// `after_save_checkpoint` closes no phase, because a checkpoint can be written while the training continues.
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
            _ => return None,
        })
    }

    /// Whether every hook is called even when an earlier hook has failed, because hooks undo things in these phases.
    pub const fn reaches_all(self) -> bool {
        self.closes().is_some() || matches!(self, Phase::OnException)
    }

    /// Its index in [`Phase::ALL`].
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
                // a checkpoint may be written while the training goes on, so its end is an event and closes nothing
                Some("save_checkpoint") => assert!(closing.is_empty(), "{phase}"),
                Some(name) => {
                    assert_eq!(closing.len(), 1, "{phase}");
                    assert_eq!(closing[0].name(), format!("after_{name}"));
                }
                None => assert!(closing.is_empty(), "{phase}"),
            }
        }
    }
}

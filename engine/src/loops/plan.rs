//! The length of a training and when it validates: numbers from the file, and pure functions of the clock.

use crate::base::Clock;
use crate::loops::window::ProfileWindow;
use crate::optim::update::batches_per_iter;
use crate::optim::{Clip, NonFinite, PassInfo, PassPlan, PassSettings, TrainingLength};
use crate::run::{Cadence, Clocks, TimeLimit};
use serde::{Deserialize, Serialize};

/// The plan of a training, without the requests of hooks.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The length of the training.
    pub train: TrainPlan,
    /// When it validates; `None`: never.
    pub val: Option<ValPlan>,
    /// Batches of each loader in an evaluation; `None`: all. What is measured is then that of the first batches.
    pub evaluate_at_most: Option<u64>,
}

/// The length of a training, and the settings of an update.
#[derive(Clone, Debug, Default)]
pub struct TrainPlan {
    /// Epochs (`by_epoch`).
    pub max_epochs: Option<u64>,
    /// Updates (with `by_iter`; with `by_epoch` an additional limit).
    pub max_iters: Option<u64>,
    /// Samples, instead of updates (with `by_iter`). `max_iters` follows from it when the loaders are open.
    pub max_samples: Option<u64>,
    /// Batches of one update; 0 means 1. A pass may have its own number.
    pub accumulate: u64,
    /// Batches of one epoch, if it is not the whole loader.
    pub batches_per_epoch: Option<u64>,
    /// The batches that every train loader gives again and again; `None`: all, each pass in an order of its own.
    pub overfit: Option<u64>,
    /// The train loader that determines the epoch, when there are several.
    pub epoch_loader: EpochLoader,
    /// Clipping of the final gradient. A pass may have its own.
    pub clip: Option<Clip>,
    /// Changed settings of the trainer's passes, in their order; passes without an entry are not changed.
    pub passes: Vec<PassSettings>,
    /// What happens to an update whose gradient is not finite.
    pub non_finite: NonFinite,
    /// How steps are taken.
    pub step: StepMode,
    /// The iters that are profiled.
    pub profile: Option<ProfileWindow>,
    /// Stops after this many updates without changing the plan, so that schedules do not change.
    pub stop_after: Option<u64>,
    /// When this run has to end by the clock.
    pub time_limit: Option<TimeLimit>,
    /// Continues a training even when a hook or a step had ended it.
    pub past_end: bool,
}

/// How the steps of a training are taken: `train: (step: ..)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepMode {
    /// Each operator is launched by itself.
    #[default]
    Eager,
    /// On CUDA, the kernels of a step are recorded once for each shape of batches, and launched together from then on. It
    /// computes the same bits. Steps that can't be recorded run eagerly, and a line says why; so do all steps on other
    /// devices.
    CudaGraph {
        /// Eager steps of each shape before it is recorded, at least 3. They count as all others.
        #[serde(default = "StepMode::default_warmup")]
        warmup: u32,
    },
}

impl StepMode {
    /// The least number of eager steps: libraries choose their algorithms and take their memory in the first ones.
    pub(crate) const LEAST_WARMUP: u32 = 3;

    fn default_warmup() -> u32 {
        StepMode::LEAST_WARMUP
    }
}

/// The train loader that determines the epoch, when there are several. The epoch ends with a pass of that loader. The
/// others continue from pass to pass, each from its own position.
///
/// ```
/// use engine::loops::EpochLoader;
///
/// // batches of one pass; the third loader never ends
/// let (names, batches) = (["det", "seg", "text"], [Some(100), Some(40), None]);
/// assert_eq!(EpochLoader::Longest.place(&names, &batches), Some(0));
/// assert_eq!(EpochLoader::Shortest.place(&names, &batches), Some(1));
/// assert_eq!(EpochLoader::Named("text".into()).place(&names, &batches), Some(2));
/// assert_eq!(EpochLoader::Named("audio".into()).place(&names, &batches), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EpochLoader {
    /// The one with the most batches in a pass; the others begin again as often as needed. Lightning calls it
    /// `max_size_cycle`.
    #[default]
    Longest,
    /// The one with the fewest batches in a pass; what the others have left comes in the next epochs. Lightning calls it
    /// `min_size`.
    Shortest,
    /// The one of this name.
    Named(String),
}

impl EpochLoader {
    /// The place of the loader among loaders of these names, with so many batches in a pass (`None`: without end). A
    /// loader that never ends is taken only by its name, or when none ends; of equal ones the first. `None` when no
    /// loader has the name.
    pub fn place(&self, names: &[&str], batches: &[Option<u64>]) -> Option<usize> {
        let finite = || batches.iter().enumerate().filter_map(|(place, batches)| Some((place, (*batches)?)));
        match self {
            EpochLoader::Named(name) => names.iter().position(|known| known == name),
            // `max_by_key` takes the last of equal ones
            EpochLoader::Longest => {
                Some(finite().rev().max_by_key(|(_, batches)| *batches).map_or(0, |(place, _)| place))
            }
            EpochLoader::Shortest => Some(finite().min_by_key(|(_, batches)| *batches).map_or(0, |(place, _)| place)),
        }
    }
}

/// Why a training by epoch can't take an endless loader, and what to do.
pub(crate) const ENDLESS_EPOCH: &str = "the train loader never ends, so an epoch has no end; set `batches_per_epoch` in `train`, or use a sampler other than `Infinite`, or for a stream set its `samples`";

/// Why a training by epoch can't have such passes, and what to do.
pub(crate) fn uneven(pass: &str, why: &str) -> String {
    format!(
        "the epochs of this trainer would have different numbers of iters, because of the pass `{pass}`: {why}; let a pass that runs in every iter read the batches (`batches: Fresh`), and let the others use them again (`batches: Same`)"
    )
}

impl TrainPlan {
    /// What holds of each pass of a trainer.
    pub(crate) fn passes(&self, infos: &[PassInfo]) -> Vec<PassPlan> {
        let nothing = PassSettings::default();
        let plan = |(place, info)| {
            let settings = self.passes.get(place).unwrap_or(&nothing);
            settings.plan(info, place, self.accumulate, self.clip)
        };
        infos.iter().enumerate().map(plan).collect()
    }

    /// How long the training is going to be, as far as it is known. `loader`: the batches of one epoch of the train
    /// loader. The length of an epoch counts its tail as an iter of its own.
    pub(crate) fn length(&self, clock: Clock, infos: &[PassInfo], loader: Option<u64>) -> TrainingLength {
        let Clock::Epoch = clock else {
            let iters = self.max_iters;
            return TrainingLength {
                max_epochs: Some(1),
                max_iters: iters,
                iters_per_epoch: iters,
                limit: iters,
                samples: None,
            };
        };
        let batches = self.batches_per_epoch.or(loader);
        let per_iter = batches_per_iter(&self.passes(infos)).ok();
        let iters_per_epoch = batches.zip(per_iter).map(|(batches, per_iter)| batches.div_ceil(per_iter.max(1)));
        let max_iters = match (self.max_epochs, iters_per_epoch) {
            (None, _) => self.max_iters,
            (Some(_), None) => None,
            (Some(epochs), Some(iters)) => {
                [Some(epochs.saturating_mul(iters)), self.max_iters].into_iter().flatten().min()
            }
        };
        TrainingLength { max_epochs: self.max_epochs, max_iters, iters_per_epoch, limit: self.max_iters, samples: None }
    }
}

/// When the training validates.
#[derive(Clone, Debug)]
pub struct ValPlan {
    /// Counts of its clock between two validations.
    pub interval: u64,
    /// There is no validation before this count.
    pub begin: u64,
    /// `(milestone, interval)`: the interval from each milestone on; sorted by milestone.
    pub dynamic_intervals: Vec<(u64, u64)>,
    /// The clock of `interval`, `begin` and the milestones.
    pub by: Clock,
    /// Whether to validate when the training ends, if its last weights have not been validated.
    pub at_end: bool,
    /// Batches of each val loader that are tried before the training begins; 0: none.
    pub sanity: u64,
}

impl ValPlan {
    /// Whether a validation is due at the current position: at a multiple of the current interval, from `begin` on.
    pub fn is_due(&self, clocks: &Clocks) -> bool {
        let interval = self.interval_at(clocks.count(self.by));
        Cadence { interval, begin: self.begin, by: self.by }.is_due(clocks)
    }

    /// Whether a training that ends with this count of the plan's clock validates at all without a request.
    pub fn is_ever_due(&self, last: u64) -> bool {
        let from = std::iter::once((0, self.interval)).chain(self.dynamic_intervals.iter().copied());
        let mut ends = self.dynamic_intervals.iter().map(|(milestone, _)| milestone.saturating_sub(1));
        self.at_end
            || from.into_iter().any(|(from, interval)| {
                let until = ends.next().unwrap_or(u64::MAX).min(last);
                let first = from.max(self.begin).max(1).checked_next_multiple_of(interval.max(1));
                first.is_some_and(|first| first <= until)
            })
    }

    /// The interval in force at a count.
    fn interval_at(&self, count: u64) -> u64 {
        let later = self.dynamic_intervals.iter().rev().find(|(milestone, _)| *milestone <= count);
        later.map_or(self.interval, |(_, interval)| *interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Epoch;

    #[test]
    fn the_interval_changes_at_its_milestones() {
        let plan = ValPlan {
            interval: 4,
            begin: 3,
            dynamic_intervals: vec![(10, 2), (13, 1)],
            by: Clock::Epoch,
            at_end: true,
            sanity: 0,
        };
        let due = |epoch| {
            let mut clocks = Clocks::new(Clock::Epoch);
            clocks.epoch = Epoch(epoch);
            plan.is_due(&clocks)
        };
        let epochs: Vec<u64> = (0..16).filter(|&epoch| due(epoch)).collect();
        assert_eq!(epochs, [4, 8, 10, 12, 13, 14, 15]);
    }

    #[test]
    fn whether_a_validation_ever_comes_is_what_counting_says() {
        for (interval, begin, dynamic_intervals) in
            [(4, 0, vec![]), (4, 7, vec![(10, 7)]), (50, 0, vec![(3, 9), (5, 6)]), (2, 9, vec![(4, 100)])]
        {
            let plan = ValPlan { interval, begin, dynamic_intervals, by: Clock::Iter, at_end: false, sanity: 0 };
            for last in 0..=20 {
                let counted = (1..=last).any(|count| {
                    let interval = plan.interval_at(count);
                    Cadence { interval, begin, by: Clock::Iter }.is_at(count)
                });
                assert_eq!(plan.is_ever_due(last), counted, "{plan:?} until {last}");
            }
            assert!(ValPlan { at_end: true, ..plan }.is_ever_due(0));
        }
    }
}

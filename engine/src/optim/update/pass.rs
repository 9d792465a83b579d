//! Passes: the parts of an iter, each with its own forward pass, loss and optimizers.

use crate::native::GradientSwitch;
use crate::optim::clip::Clip;
use serde::{Deserialize, Serialize};

/// One pass, as the code of a trainer declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassInfo {
    /// The name of its method.
    pub name: &'static str,
    /// Its section in experiment files, `passes.critic`; `None` for the single pass of a trainer without `#[passes]`,
    /// which has no settings of its own and no prefix for logged names.
    pub section: Option<&'static str>,
    /// The `#[optimizer]` fields that it steps; empty: all.
    pub optimizers: &'static [&'static str],
    /// Updates in a row.
    pub times: u64,
    /// The pass runs in every iter whose number is a multiple of this.
    pub every: u64,
    /// The batches of its updates; `None`: [`PassBatches::Fresh`] for the first pass, [`PassBatches::Same`] for
    /// others.
    pub batches: Option<PassBatches>,
}

impl PassInfo {
    /// The single pass of a trainer without `#[passes]`, with all optimizers.
    pub const PLAIN: &'static [PassInfo] =
        &[PassInfo { name: "train", section: None, optimizers: &[], times: 1, every: 1, batches: None }];
}

/// The batches that the updates of a pass use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PassBatches {
    /// Each update reads new batches.
    Fresh,
    /// Each update uses the batches that were last read in this iter, by any pass; when there are none, it reads new
    /// ones.
    Same,
}

/// The settings of a pass in a run: those of the code, replaced by those of the experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct PassPlan {
    /// The name of its method.
    pub name: &'static str,
    /// Updates in a row, at least 1.
    pub times: u64,
    /// The pass runs in every iter whose number, counted from 1, is a multiple of this; at least 1.
    pub every: u64,
    /// The batches of its updates.
    pub batches: PassBatches,
    /// Batches of one update, when it reads them; at least 1.
    pub accumulate: u64,
    /// Clipping of its gradient.
    pub clip: Option<Clip>,
}

impl PassPlan {
    /// The settings in the code of the pass at this index, with the accumulation and clipping of the whole training.
    pub fn new(info: &PassInfo, place: usize, accumulate: u64, clip: Option<Clip>) -> Self {
        let by_place = if place == 0 { PassBatches::Fresh } else { PassBatches::Same };
        PassPlan {
            name: info.name,
            times: info.times.max(1),
            every: info.every.max(1),
            batches: info.batches.unwrap_or(by_place),
            accumulate: accumulate.max(1),
            clip,
        }
    }

    /// Whether it runs in the iter after this many finished ones.
    pub fn is_due(&self, finished: u64) -> bool {
        (finished + 1).is_multiple_of(self.every)
    }

    /// The number of an update among all updates of this pass, counted from 1. `finished` is the number of finished
    /// iters, and `time` the index of the update in its iter. (The last iter of an epoch counts as if it made all its
    /// updates.)
    pub fn update_number(&self, finished: u64, time: u64) -> u64 {
        finished / self.every * self.times + time + 1
    }
}

/// The number of batches that each iter reads from the train loader, when all iters read the same number.
///
/// # Errors
/// The index of a pass that reads a different number in some iters, and why: epochs would have different numbers of
/// iters.
pub fn batches_per_iter(passes: &[PassPlan]) -> Result<u64, (usize, &'static str)> {
    let fresh = |pass: &PassPlan| pass.batches == PassBatches::Fresh;
    if let Some(place) = passes.iter().position(|pass| fresh(pass) && pass.every > 1) {
        return Err((place, "it reads batches only in some iters"));
    }
    let reads = passes.iter().filter(|pass| fresh(pass)).map(|pass| pass.times.saturating_mul(pass.accumulate));
    let read = reads.fold(0, u64::saturating_add);
    match passes.iter().position(|pass| pass.every == 1) {
        // whoever comes first reads, and the others take what it has read
        Some(first) if !fresh(&passes[first]) => {
            let by_turns = passes[..=first].iter().map(|pass| pass.accumulate);
            match by_turns.clone().min() == by_turns.clone().max() {
                true => Ok(read.saturating_add(passes[first].accumulate)),
                false => Err((first, "the passes that may come first in an iter read different numbers of batches")),
            }
        }
        Some(0) => Ok(read),
        Some(_) => Err((0, "it reads an extra batch in those iters in which it runs first")),
        None => Err((0, "no pass runs in every iter")),
    }
}

/// A pass of a run.
#[derive(Debug)]
pub struct Pass {
    pub(super) plan: PassPlan,
    /// What it puts before the names that are logged in it; `None`: nothing.
    pub(super) prefix: Option<&'static str>,
    /// Its optimizers, by their place.
    pub(super) optimizers: Vec<usize>,
    /// The parameters of others, which take no gradients in it.
    pub(super) others: GradientSwitch,
    /// Whether a later update of the same iter may take its batches again.
    pub(super) is_followed: bool,
}

impl Pass {
    /// The name of its method; `train` for the single pass of a trainer without `#[passes]`.
    pub fn name(&self) -> &'static str {
        self.plan.name
    }

    /// Its settings.
    pub fn plan(&self) -> &PassPlan {
        &self.plan
    }

    /// The prefix of names that are logged in it; `None` for the single pass of a trainer without `#[passes]`.
    pub fn prefix(&self) -> Option<&'static str> {
        self.prefix
    }

    /// The indices of its optimizers among those of the run.
    pub fn optimizers(&self) -> &[usize] {
        &self.optimizers
    }

    /// Whether a later update of the same iter may take its batches again.
    pub(crate) fn is_followed(&self) -> bool {
        self.is_followed
    }
}

/// For each pass, whether a later update of the same iter may take its batches again.
pub(super) fn followed(plans: &[PassPlan]) -> Vec<bool> {
    let same = |pass: &PassPlan| pass.batches == PassBatches::Same;
    let again = |place: usize| same(&plans[place]) && plans[place].times > 1;
    (0..plans.len()).map(|place| again(place) || plans[place + 1..].iter().any(same)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use PassBatches::{Fresh, Same};

    fn plan(times: u64, every: u64, batches: PassBatches) -> PassPlan {
        PassPlan { name: "p", times, every, batches, accumulate: 1, clip: None }
    }

    /// The batches of each of the first iters, counted as the loop reads them.
    fn counted(passes: &[PassPlan], iters: u64) -> Vec<u64> {
        let of_iter = |finished| {
            let mut read = 0;
            for pass in passes.iter().filter(|pass| pass.is_due(finished)) {
                for _ in 0..pass.times {
                    if pass.batches == Fresh || read == 0 {
                        read += pass.accumulate;
                    }
                }
            }
            read
        };
        (0..iters).map(of_iter).collect()
    }

    #[test]
    fn the_first_pass_reads_and_others_take_the_same_batches() {
        let info = PassInfo { times: 5, ..PassInfo::PLAIN[0] };
        let of_place = |place| PassPlan::new(&info, place, 1, None).batches;
        assert_eq!((of_place(0), of_place(1)), (Fresh, Same));
    }

    #[test]
    fn a_pass_takes_its_turn_in_each_iter_whose_number_is_a_multiple() {
        let turns: Vec<u64> = (0..12).filter(|finished| plan(1, 5, Same).is_due(*finished)).collect();
        assert_eq!(turns, [4, 9], "the fifth and the tenth");
    }

    #[test]
    fn updates_are_numbered_over_all_turns() {
        assert_eq!([0, 1, 7].map(|iter| plan(1, 1, Fresh).update_number(iter, 0)), [1, 2, 8]);
        let critic = plan(3, 2, Same);
        let numbers: Vec<u64> = (0..6)
            .filter(|iter| critic.is_due(*iter))
            .flat_map(|iter| (0..3).map(move |time| (iter, time)))
            .map(|(iter, time)| critic.update_number(iter, time))
            .collect();
        assert_eq!(numbers, (1..=9).collect::<Vec<u64>>());
    }

    #[test]
    fn what_is_told_of_an_iter_is_what_the_loop_reads() {
        let accumulating = PassPlan { accumulate: 3, ..plan(2, 1, Fresh) };
        for passes in [
            vec![plan(1, 1, Fresh)],
            vec![accumulating.clone(), plan(1, 1, Same)],
            vec![plan(5, 1, Fresh), plan(1, 1, Same)],
            vec![plan(5, 1, Fresh), plan(2, 1, Fresh)],
            vec![plan(1, 1, Fresh), plan(1, 4, Same)],
            vec![plan(2, 1, Same), plan(1, 1, Fresh)],
            vec![plan(1, 3, Same), plan(2, 1, Same)],
        ] {
            let told = batches_per_iter(&passes).unwrap();
            assert_eq!(counted(&passes, 12), vec![told; 12], "{passes:?}");
        }
    }

    #[test]
    fn passes_whose_iters_differ_are_told_apart() {
        for (passes, place) in [
            (vec![plan(1, 1, Fresh), plan(1, 2, Fresh)], 1),
            (vec![plan(1, 2, Same), plan(1, 1, Fresh)], 0),
            (vec![PassPlan { accumulate: 2, ..plan(1, 2, Same) }, plan(1, 1, Same)], 1),
            (vec![plan(1, 2, Same), plan(1, 2, Same)], 0),
        ] {
            let counts = counted(&passes, 12);
            assert!(counts.iter().any(|count| *count != counts[0]), "{passes:?}");
            assert_eq!(batches_per_iter(&passes).unwrap_err().0, place, "{passes:?}");
        }
    }

    #[test]
    fn batches_are_kept_only_where_a_later_update_may_take_them() {
        assert_eq!(followed(&[plan(5, 1, Fresh)]), [false]);
        assert_eq!(followed(&[plan(5, 1, Same)]), [true]);
        assert_eq!(followed(&[plan(5, 1, Fresh), plan(1, 1, Same)]), [true, false]);
        assert_eq!(followed(&[plan(1, 1, Fresh), plan(1, 1, Fresh)]), [false, false]);
    }
}

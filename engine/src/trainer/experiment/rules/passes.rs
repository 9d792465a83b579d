//! Passes: each has numbers that make sense, one of them takes its turn in each iter, and the epochs of a training by
//! epoch have one length.

use crate::base::Clock;
use crate::loops::{TrainPlan, uneven};
use crate::optim::Clip;
use crate::optim::update::batches_per_iter;
use crate::trainer::experiment::sections::Sections;
use crate::trainer::{Build, Reader};

pub(super) fn check<T: Build>(reader: &mut Reader<'_>, found: &Sections<T>) {
    let sections: Vec<&'static str> = T::PASSES.iter().filter_map(|info| info.section).collect();
    if sections.is_empty() && reader.root().get("passes").is_some() {
        let text = "the trainer has no `#[passes]`; its `accumulate` and `clip` are settings of `train`";
        reader.error("passes", text);
    }
    let (Some(train), Some(passes)) = (&found.train, &found.passes) else { return };
    for (section, settings) in sections.iter().zip(passes) {
        if let Some(Err(error)) = settings.clip.as_ref().map(Clip::check) {
            reader.error(&format!("{section}.clip"), error.to_string());
        }
    }
    let plans = TrainPlan { passes: passes.clone(), ..train.plan() }.passes(T::PASSES);
    if plans.iter().all(|plan| plan.every > 1) {
        let text = "some iters would run no pass; give one of the passes `every: 1`";
        let at = sections.first().copied().unwrap_or("train");
        reader.error(&format!("{at}.every"), text);
        return;
    }
    if T::CLOCK == Clock::Epoch
        && let Err((place, why)) = batches_per_iter(&plans)
    {
        let at = sections.get(place).copied().unwrap_or("train");
        reader.error(at, uneven(plans[place].name, why));
    }
}

//! Passes: each has numbers that make sense, one of them takes its turn in each iter, and the epochs of a training by
//! epoch have one length.

use crate::base::Clock;
use crate::loops::{TrainPlan, Trainer, uneven};
use crate::optim::update::batches_per_iter;
use crate::optim::{Clip, PassSettings};
use crate::trainer::Reader;
use crate::trainer::experiment::settings::TrainSettings;

pub(super) fn check<T: Trainer>(reader: &mut Reader<'_>, train: &TrainSettings, passes: &[PassSettings]) {
    let sections: Vec<&'static str> = T::PASSES.iter().filter_map(|info| info.section).collect();
    for (section, settings) in sections.iter().zip(passes) {
        if let Some(Err(error)) = settings.clip.as_ref().map(Clip::check) {
            reader.error(&format!("{section}.clip"), error.to_string());
        }
    }
    let plans = TrainPlan { passes: passes.to_vec(), ..train.plan() }.passes(T::PASSES);
    if plans.iter().all(|plan| plan.every > 1) {
        let text =
            "no pass takes its turn in each iter, so some iters would do nothing; let one of them have `every: 1`";
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

//! The settings of a pass in an experiment.

use crate::optim::clip::Clip;
use crate::optim::update::pass::{PassBatches, PassInfo, PassPlan};
use engine_macros::component;

/// `passes: (critic: (…))`: what a file changes of a pass. What it leaves out is as the trainer's code says.
#[component(name = "pass")]
#[derive(Default, PartialEq)]
pub struct PassSettings {
    /// Updates in a row, at most 65,536.
    #[config(default, range = 1..=65536)]
    pub times: Option<u64>,
    /// Iters from one turn of the pass to the next: with 5 it takes its turn in the iters 5, 10, 15, ….
    #[config(default, range = 1..)]
    pub every: Option<u64>,
    /// `Fresh`: each update reads batches of its own. `Same`: it works on those that were read last in the iter. By
    /// default the first pass reads, and the others take the same.
    #[config(default)]
    pub batches: Option<PassBatches>,
    /// Batches of one update, at most 65,536; by default those of `train`.
    #[config(default, range = 1..=65536)]
    pub accumulate: Option<u64>,
    /// Clipping of the pass's gradient; by default that of `train`.
    #[config(default)]
    pub clip: Option<Clip>,
}

impl PassSettings {
    /// The settings, with values of the code for those that are left out.
    #[must_use]
    pub fn resolved(&self, info: &PassInfo, place: usize) -> PassSettings {
        let plan = self.plan(info, place, 1, None);
        PassSettings {
            times: Some(plan.times),
            every: Some(plan.every),
            batches: Some(plan.batches),
            accumulate: self.accumulate,
            clip: self.clip,
        }
    }

    /// The settings of the pass at this index; `accumulate` and `clip` are those of the whole training.
    pub fn plan(&self, info: &PassInfo, place: usize, accumulate: u64, clip: Option<Clip>) -> PassPlan {
        let code = PassPlan::new(info, place, accumulate, clip);
        PassPlan {
            name: code.name,
            times: self.times.unwrap_or(code.times).max(1),
            every: self.every.unwrap_or(code.every).max(1),
            batches: self.batches.unwrap_or(code.batches),
            accumulate: self.accumulate.unwrap_or(code.accumulate).max(1),
            clip: self.clip.or(code.clip),
        }
    }
}

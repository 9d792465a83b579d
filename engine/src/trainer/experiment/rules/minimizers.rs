//! Optimizers that compute the loss at several points: what they do not go with.

use crate::optim::update::{ALONE, NO_CLIP, NO_SCALING, ONE_RANK};
use crate::trainer::experiment::facts::Facts;
use crate::trainer::experiment::sections::Sections;
use crate::trainer::{Build, Reader};

pub(super) fn check<T: Build>(reader: &mut Reader<'_>, facts: &Facts, found: &Sections<T>) {
    for path in &facts.minimizers {
        // the only one is set without its name
        let name = path.split_once('.').map(|(_, name)| name);
        let has = |pass: &&[&str]| pass.is_empty() || name.is_none_or(|name| pass.contains(&name));
        let passes: Vec<(usize, &[&str])> =
            T::PASSES.iter().map(|info| info.optimizers).enumerate().filter(|(_, pass)| has(pass)).collect();
        if name.is_some() && passes.iter().any(|(_, pass)| pass.len() != 1) {
            reader.error(path, told(path, ALONE));
        }
        if found.dist.as_ref().is_some_and(|dist| dist.ranks.is_some_and(|ranks| ranks > 1)) {
            reader.error("dist.ranks", told(path, ONE_RANK));
        }
        let Some(train) = &found.train else { continue };
        if train.precision.scales_loss() {
            reader.error("train.precision", told(path, NO_SCALING));
        }
        if train.clip.is_some() {
            reader.error("train.clip", told(path, NO_CLIP));
        }
        for (place, _) in passes {
            let clip = found.passes.as_ref().and_then(|passes| passes.get(place)).and_then(|pass| pass.clip);
            if let (Some(section), Some(_)) = (T::PASSES[place].section, clip) {
                reader.error(&format!("{section}.clip"), told(path, NO_CLIP));
            }
        }
    }
}

fn told(path: &str, why: &str) -> String {
    format!("`{path}` computes the loss several times in an update: {why}")
}

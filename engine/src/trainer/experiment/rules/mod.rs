//! Rules across the fields of an experiment: what no type of one section can tell.
//!
//! They are asked when the experiment is read, so that one reading shows these mistakes with all others, each at the
//! value that is wrong. What is not known yet is not complained of: a section that could not be read has left its own
//! mistake, and what only data or a model tell is told when a run begins.

mod metrics;
mod minimizers;
mod passes;
mod schedules;
mod settings;

pub(super) use metrics::watchable;

use crate::base::Clock;
use crate::config::{Diagnostic, TypedValue};
use crate::loops::Loaders;
use crate::metric::Better;
use crate::trainer::experiment::facts::Facts;
use crate::trainer::experiment::misplaced::is_off;
use crate::trainer::experiment::purpose::Purpose;
use crate::trainer::experiment::sections::Sections;
use crate::trainer::{Build, Reader};

/// Asks all rules; what they find is in the reader.
pub(super) fn check<T: Build>(reader: &mut Reader<'_>, found: &Sections<T>, purpose: Purpose) {
    let mut facts = std::mem::take(&mut reader.facts);
    let schedules = schedules::entries(reader, &mut facts);
    let scheduler_off = reader.root().get("hooks").and_then(|hooks| hooks.get("scheduler")).is_some_and(is_off);
    if scheduler_off && !schedules.is_empty() {
        reader.error(
            "hooks.scheduler",
            "without this hook the list `schedule` has no effect: remove this `Off`, or remove the list",
        );
    }
    let loaders = Loaders::new(T::INFO, std::mem::take(&mut facts.absent_loaders));
    settings::check(reader, found, &loaders, purpose);
    passes::check::<T>(reader, found);
    settings::check_loaders::<T>(reader, &facts.endless);
    settings::check_epoch::<T>(reader, &facts.endless, found.epoch_loader.as_ref(), found.train.as_ref());
    minimizers::check::<T>(reader, &facts, found);
    for (path, text) in &facts.recipes {
        reader.error(path.trim_end_matches('.'), text);
    }
    if T::CLOCK == Clock::Iter {
        no_epochs(reader, &facts);
    }
    settings::check_custom_hooks::<T>(reader);
    let never = settings::ends_before_its_first_validation(found, &loaders);
    metrics::check(reader, &facts, &loaders, never);
    schedules::check::<T>(reader, &facts, schedules, found);
}

/// Which direction of a metric is better, by what the reader has seen of the experiment.
pub(super) fn better_of<T: Build>(reader: &mut Reader<'_>, name: &str) -> Result<Better, Box<Diagnostic>> {
    let mut facts = std::mem::take(&mut reader.facts);
    let loaders = Loaders::new(T::INFO, std::mem::take(&mut facts.absent_loaders));
    metrics::better_of(&facts, &loaders, name)
}

/// A trainer that counts iters has no epochs to count on.
fn no_epochs(reader: &mut Reader<'_>, facts: &Facts) {
    let epoch = |value: &&TypedValue| value.of == "Clock" && value.text == "Epoch";
    for value in facts.typed.iter().filter(epoch) {
        let found = value.path.find(reader.root());
        let text = "the trainer is `by_iter`, it has no epochs to count; use `Iter`";
        let text = if found.given { text.to_owned() } else { format!("{text} (by default it is `Epoch`)") };
        reader.mistake(Diagnostic::new(found.span, text).at(found.path));
    }
}

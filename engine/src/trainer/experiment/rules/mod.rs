//! Rules across the fields of an experiment: what no type of one section can tell.
//!
//! They are asked when the experiment is read, so that one reading shows these mistakes with all others, each at the
//! value that is wrong. What is not known yet is not complained of: a section that could not be read has left its own
//! mistake, and what only data or a model tell is told when a run begins.

mod metrics;
mod passes;
mod schedules;
mod settings;

pub(super) use metrics::watchable;

use crate::base::{Clock, panics};
use crate::config::{Diagnostic, Leaf, leaves};
use crate::loops::Trainer;
use crate::metric::Measure;
use crate::optim::{Optimizer, PassSettings, Settings};
use crate::trainer::Reader;
use crate::trainer::experiment::settings::{DeviceChoice, TrainSettings, ValSettings};
use serde::Serialize;

/// What an experiment is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To run it on this machine, now or soon: the device that it names has to be here.
    Run,
    /// To look at it, as `show` and `diff` do.
    Look,
}

/// What the sections that every trainer has say, as far as they could be read.
pub(super) struct Common<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) device: Option<DeviceChoice>,
    pub(super) threads: Option<usize>,
    pub(super) train: Option<&'a TrainSettings>,
    pub(super) val: Option<&'a ValSettings>,
    pub(super) passes: Option<&'a [PassSettings]>,
    /// Whether no hook follows the schedules.
    pub(super) scheduler_off: bool,
}

/// What was seen in the sections while they were read.
#[derive(Default)]
pub(super) struct Facts {
    /// Values with a type of their own, defaults included.
    leaves: Vec<Leaf>,
    measured: Vec<Measured>,
    /// Whether there is a metric whose values are not known.
    unknown_metric: bool,
    /// The parameter groups that there can be: optimizer, group and settings.
    groups: Vec<(String, String, Settings)>,
    /// Whether there is an optimizer whose groups are not known.
    unknown_optimizer: bool,
    /// What recipes find wrong with themselves, with the path of the field.
    recipes: Vec<(String, String)>,
    /// The loaders that never end.
    endless: Vec<&'static str>,
    /// The path of the list of schedules, when the trainer has one.
    schedules: Option<&'static str>,
}

/// A value that a metric gives, and the metric's place in the list of the file, when it has one.
struct Measured {
    measure: Measure,
    entry: Option<usize>,
}

impl Facts {
    /// Looks through a value that was read, or is the default of what the file leaves out.
    pub(super) fn seen<T: Serialize>(&mut self, path: &str, value: T) -> T {
        // what panics does so again when it is printed, and is told there
        self.leaves.extend(panics::message_of(|| leaves(path, &value)).unwrap_or_default());
        value
    }

    /// A metric, and which entry of the list it is; no metric when it could not be read.
    pub(super) fn metric(&mut self, entry: Option<usize>, measures: Option<impl FnOnce() -> Vec<Measure>>) {
        // a metric that panics does so again when it is built, and is told there
        match measures.map(panics::message_of) {
            Some(Ok(measures)) => {
                self.measured.extend(measures.into_iter().map(|measure| Measured { measure, entry }));
            }
            _ => self.unknown_metric = true,
        }
    }

    /// An optimizer; none when it could not be read.
    pub(super) fn optimizer(&mut self, path: &str, recipe: Option<&dyn Optimizer>) {
        let looked = recipe.map(|recipe| panics::message_of(|| self.look_at(path, recipe)));
        self.unknown_optimizer |= !matches!(looked, Some(Ok(())));
    }

    /// A loader.
    pub(super) fn loader(&mut self, path: &'static str, is_endless: impl FnOnce() -> bool) {
        self.endless.extend(panics::message_of(is_endless).unwrap_or(false).then_some(path));
    }

    /// The list of schedules.
    pub(super) fn schedules(&mut self, path: &'static str) {
        self.schedules = Some(path);
    }

    fn look_at(&mut self, path: &str, recipe: &dyn Optimizer) {
        if let Err(error) = recipe.check() {
            self.recipes.push((format!("{path}.{}", error.field().unwrap_or_default()), error.to_string()));
        }
        let (rules, settings) = (recipe.groups(), recipe.settings());
        for (index, error) in rules.check() {
            let field = error.field().unwrap_or_default();
            self.recipes.push((format!("{path}.groups.{index}.{field}"), error.to_string()));
        }
        // the only one is set without its name
        let optimizer = path.split_once('.').map_or("", |(_, optimizer)| optimizer);
        self.groups.extend(rules.names().into_iter().map(|name| (optimizer.to_owned(), name, settings.clone())));
    }
}

/// Asks all rules; what they find is in the reader.
pub(super) fn check<T: Trainer>(reader: &mut Reader<'_>, common: &Common<'_>, purpose: Purpose) {
    let mut facts = std::mem::take(&mut reader.facts);
    let schedules = schedules::entries(reader, &mut facts);
    if common.scheduler_off && !schedules.is_empty() {
        reader.error("hooks.scheduler", "no schedule would be followed: remove this, or the list `schedule`");
    }
    settings::check::<T>(reader, common, purpose);
    if let (Some(train), Some(passes)) = (common.train, common.passes) {
        passes::check::<T>(reader, train, passes);
    }
    settings::check_loaders::<T>(reader, &facts.endless, common.train);
    for (path, text) in &facts.recipes {
        reader.error(path.trim_end_matches('.'), text);
    }
    if T::CLOCK == Clock::Iter {
        no_epochs(reader, &facts);
    }
    settings::check_custom_hooks(reader);
    metrics::check::<T>(reader, &facts);
    schedules::check::<T>(reader, &facts, schedules, common);
}

/// A trainer that counts iters has no epochs to count on.
fn no_epochs(reader: &mut Reader<'_>, facts: &Facts) {
    let epoch = |leaf: &&Leaf| leaf.of == "Clock" && leaf.text == "Epoch";
    for leaf in facts.leaves.iter().filter(epoch) {
        let found = leaf.way.find(reader.root());
        let text = "the trainer is `by_iter`, it has no epochs to count; use `Iter`";
        let text = if found.given { text.to_owned() } else { format!("{text} (by default it is `Epoch`)") };
        reader.mistake(Diagnostic::new(found.span, text).at(found.path));
    }
}

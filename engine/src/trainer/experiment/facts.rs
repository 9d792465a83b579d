//! What the sections of an experiment say, kept for the rules across them.

use crate::base::panics;
use crate::config::{TypedValue, find_typed};
use crate::metric::Measure;
use crate::optim::{Optimizer, Settings};
use serde::Serialize;

/// What was seen in the sections while they were read.
#[derive(Default)]
pub(super) struct Facts {
    /// Values with a type of their own, defaults included.
    pub(super) typed: Vec<TypedValue>,
    pub(super) measured: Vec<Measured>,
    /// Whether there is a metric whose values are not known.
    pub(super) unknown_metric: bool,
    /// The parameter groups that there can be: optimizer, group and settings.
    pub(super) groups: Vec<(String, String, Settings)>,
    /// Whether there is an optimizer whose groups are not known.
    pub(super) unknown_optimizer: bool,
    /// The paths of optimizers that compute the loss at several points.
    pub(super) minimizers: Vec<String>,
    /// What recipes find wrong with themselves, with the path of the field.
    pub(super) recipes: Vec<(String, String)>,
    /// The optional loaders that the file leaves out, by their names.
    pub(super) absent_loaders: Vec<&'static str>,
    /// The loaders that never end.
    pub(super) endless: Vec<&'static str>,
    /// The path of the list of schedules, when the trainer has one.
    pub(super) schedules: Option<&'static str>,
}

/// A value that a metric gives, and the metric's place in the list of the file, when it has one.
pub(super) struct Measured {
    pub(super) measure: Measure,
    pub(super) entry: Option<usize>,
}

impl Facts {
    /// Looks through a value that was read, or is the default of what the file leaves out.
    pub(super) fn seen<T: Serialize>(&mut self, path: &str, value: T) -> T {
        // what panics does so again when it is printed, and is told there
        self.typed.extend(panics::message_of(|| find_typed(path, &value)).unwrap_or_default());
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
        if recipe.minimizer().is_some() {
            self.minimizers.push(path.to_owned());
        }
        let (rules, settings) = (recipe.groups(), recipe.settings());
        for (index, error) in rules.check(&settings) {
            let field = error.field().unwrap_or_default();
            self.recipes.push((format!("{path}.groups.{index}.{field}"), error.to_string()));
        }
        // the only one is set without its name
        let optimizer = path.split_once('.').map_or("", |(_, optimizer)| optimizer);
        self.groups.extend(rules.names().into_iter().map(|name| (optimizer.to_owned(), name, settings.clone())));
    }
}

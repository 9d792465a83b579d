//! The schema of an experiment: what it can hold, section by section, known from what its reading asks for.

use crate::base::panics;
use crate::config::registry::Component;
use crate::config::{Node, Shape, defaults_of, to_node};
use crate::hook::{Hook, HookField};
use crate::metric::Measure;
use crate::trainer::fields::MetricField;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What an experiment of a trainer can hold: its sections, in the order in which they are read.
#[derive(Debug, Default)]
pub struct Schema {
    /// The sections.
    pub sections: Vec<Section>,
    /// Metrics that hooks can watch, by the trainer's own fields with their defaults: `val/accuracy`.
    pub watchable: Vec<String>,
    /// What the metrics of its fields give.
    pub(super) measures: Vec<Measure>,
    /// What is said of the next one.
    pub(super) about: &'static str,
    /// What is demanded of it.
    pub(super) demand: Option<&'static str>,
}

/// One section.
#[derive(Debug)]
pub struct Section {
    /// Its keys, `loaders.train`. Several sections with the path `metrics` are entries of that list.
    pub path: &'static str,
    /// What it accepts.
    pub shape: Shape,
    /// Its value when a file doesn't name it, if it need not.
    pub default: Option<Node>,
    /// Whether a run goes without it when it is not named: a hook in an `Option`.
    pub absent: bool,
    /// What it is for.
    pub docs: &'static str,
    /// What is demanded of its value, as written in the source: a range, or `exists`.
    pub demand: Option<&'static str>,
}

impl Schema {
    /// Adds a section, with what is said of it.
    pub(super) fn add(&mut self, section: Section) {
        let (said, demand) = (std::mem::take(&mut self.about), self.demand.take());
        self.sections.push(Section { docs: said, demand, ..section });
    }

    /// The settings of the models whose type is fixed in the trainer: such a model is chosen by no name, so
    /// `#[component]` alone does not know what it is.
    pub fn models(&self) -> impl Iterator<Item = &'static Component> {
        self.sections.iter().filter(|section| section.is_model()).filter_map(|section| match &section.shape {
            Shape::Struct(name, fields) => Component::of_struct(name, fields.iter().map(|(key, _)| *key)),
            _ => None,
        })
    }

    /// Notes what the metric of a field gives.
    pub(super) fn measures<F: MetricField>(&mut self) {
        let measures = || defaults_of::<F::Config>().map(|config| F::from_config(&config).metric().measures());
        // a metric that panics does so again when it is built, and is told there
        self.measures.extend(panics::message_of(measures).ok().flatten().unwrap_or_default());
    }
}

impl Section {
    /// Whether it holds the settings of a model.
    pub fn is_model(&self) -> bool {
        self.path.split('.').next() == Some("model")
    }

    /// One that must be there.
    pub(super) fn required<T: DeserializeOwned>(path: &'static str) -> Self {
        Section { path, shape: Shape::of::<T>(), default: None, absent: false, docs: "", demand: None }
    }

    /// One that may be left out.
    pub(super) fn optional<T: DeserializeOwned + Serialize>(path: &'static str, default: &T) -> Self {
        Section { default: to_node(default).ok(), ..Self::required::<T>(path) }
    }

    /// A `#[metric]` field: an entry of the list.
    pub(super) fn metric<F: MetricField>() -> Self {
        let config: Option<F::Config> = defaults_of();
        let default = config.and_then(|config| to_node(&config).ok());
        let section = Self::required::<F::Config>("metrics");
        Section { shape: under(section.shape, F::NAME), default, ..section }
    }

    /// A `#[hook]` field.
    pub(super) fn hook<F: HookField>(path: &'static str) -> Self {
        let config: Option<<F::Hook as Hook>::Config> = defaults_of();
        let default = config.and_then(|config| to_node(&config).ok());
        let section = Self::required::<<F::Hook as Hook>::Config>(path);
        Section { shape: under(section.shape, F::Hook::NAME), default, absent: F::OPTIONAL, ..section }
    }
}

/// Puts a component's own name to its fields.
fn under(shape: Shape, name: &'static str) -> Shape {
    match shape {
        Shape::Struct(_, fields) => Shape::Struct(name, fields),
        other => other,
    }
}

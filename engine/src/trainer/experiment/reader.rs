//! Reads an experiment section by section, so that one reading shows the mistakes of all of them.

use crate::base::checked::Plain;
use crate::base::panics;
use crate::config::{
    Diagnostic, Diagnostics, Document, Kind, Node, StructReader, ValuePath, defaults_of, from_node, from_node_at,
};
use crate::hook::{Hook, HookField, HookSetting, ReadHooks};
use crate::metric::{Measure, MetricConfig};
use crate::model::Model;
use crate::optim::Schedules;
use crate::trainer::experiment::facts::Facts;
use crate::trainer::experiment::misplaced::{elsewhere, is_left_out, is_off, means_off, named_group, one_for_several};
use crate::trainer::experiment::schema::{Schema, Section};
use crate::trainer::fields::{LoaderField, MetricField, OptimizerField};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An experiment that is being read. Sections are named by their path, `optimizer` or `loaders.train`.
pub struct Reader<'a> {
    document: &'a Document,
    diagnostics: &'a Diagnostics,
    root: StructReader<'a>,
    /// The structs whose fields are read one by one: `loaders`, `hooks`; none where the file has none.
    groups: Vec<(&'static str, Option<StructReader<'a>>)>,
    /// The keys that were asked of them.
    keys: Vec<(&'static str, &'static str)>,
    /// The entries of `metrics` that a field has taken.
    taken: Vec<bool>,
    /// What the sections say, for the rules across them.
    pub(super) facts: Facts,
    /// When only what is asked for is of interest: nothing is read then.
    schema: Option<Schema>,
}

/// Tells what is wrong with a value.
type Check<'a, T> = &'a dyn Fn(&T) -> Result<(), String>;

/// Whether a group of sections must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Required,
    Optional,
}

impl<'a> Reader<'a> {
    /// A reader whose mistakes go to `diagnostics`.
    pub(crate) fn new(document: &'a Document, diagnostics: &'a Diagnostics) -> Self {
        let taken = vec![false; document.root.get("metrics").map_or(0, |node| items(node).len())];
        Reader {
            document,
            diagnostics,
            root: document.reader(diagnostics),
            groups: Vec::new(),
            keys: Vec::new(),
            taken,
            facts: Facts::default(),
            schema: None,
        }
    }

    /// A reader that reads nothing and notes what it is asked for.
    pub(crate) fn of_schema(document: &'a Document, diagnostics: &'a Diagnostics) -> Self {
        Reader { schema: Some(Schema::default()), ..Self::new(document, diagnostics) }
    }

    /// Whether nothing is read, and only what is asked for is of interest.
    pub(crate) fn is_of_schema(&self) -> bool {
        self.schema.is_some()
    }

    /// What was asked for.
    pub(crate) fn into_schema(self) -> Schema {
        self.schema.unwrap_or_default()
    }

    /// What the trainer's author says of the field that is read next.
    pub(crate) fn about(&mut self, docs: &'static str) {
        if let Some(schema) = &mut self.schema {
            schema.about = docs;
        }
    }

    /// What is demanded of the value that is read next.
    pub(crate) fn demanded(&mut self, demand: Option<&'static str>) {
        if let Some(schema) = &mut self.schema {
            schema.demand = demand;
        }
    }

    /// Notes a section; true when noting is all that is wanted.
    fn note(&mut self, section: impl FnOnce() -> Section) -> bool {
        match &mut self.schema {
            Some(schema) => {
                schema.add(section());
                true
            }
            None => false,
        }
    }

    /// A section that must be there.
    pub fn required<T: DeserializeOwned + Serialize>(&mut self, path: &'static str) -> Option<T> {
        if self.note(|| Section::required::<T>(path)) {
            return None;
        }
        let (group, key) = self.group(path, Group::Required);
        let value = group?.required(key)?;
        Some(self.facts.seen(path, value))
    }

    /// A section that may be left out.
    pub fn optional<T: DeserializeOwned + Serialize>(
        &mut self,
        path: &'static str,
        default: impl FnOnce() -> T,
    ) -> Option<T> {
        if self.schema.is_some() {
            self.note(|| Section::optional(path, &default()));
            return None;
        }
        let (group, key) = self.group(path, Group::Optional);
        let value = match group.and_then(|reader| reader.node(key).map(|_| reader)) {
            Some(reader) => reader.named(key)?,
            None => default(),
        };
        Some(self.facts.seen(path, value))
    }

    /// A `#[model]` field; it may be left out when all its settings have defaults.
    pub fn model<M: Model>(&mut self, path: &'static str) -> Option<M::Config> {
        if self.note(|| Section::required::<Plain<M::Config>>(path)) {
            return None;
        }
        let config: Plain<M::Config> = match (self.node(path), defaults_of()) {
            (None, Some(config)) => self.facts.seen(path, config),
            _ => self.required(path)?,
        };
        Some(config.0)
    }

    /// An `#[optimizer]` field.
    pub fn optimizer<O: OptimizerField>(&mut self, path: &'static str) -> Option<O::Config> {
        let config = self.required(path);
        self.facts.optimizer(path, config.as_ref().map(O::recipe));
        config
    }

    /// The `#[scheduler]` field.
    pub fn schedules(&mut self, path: &'static str) -> Option<Schedules> {
        self.facts.schedules(path);
        self.optional(path, Schedules::default)
    }

    /// A `#[loader]` field; `Some(None)` where the file leaves an optional one out.
    pub fn loader<L: LoaderField>(&mut self, path: &'static str) -> Option<Option<L::Config>> {
        if L::OPTIONAL {
            if self.note(|| Section { absent: true, ..Section::required::<L::Config>(path) }) {
                return None;
            }
            if self.node(path).is_none_or(is_left_out) {
                self.facts.absent_loaders.extend(path.strip_prefix("loaders."));
                return Some(None);
            }
        }
        let config = self.required(path)?;
        self.facts.loader(path, || L::is_endless(&config));
        Some(Some(config))
    }

    /// A `#[config]` field of the trainer; `check` tells what is wrong with a value that the file gives. A default is
    /// the author's, as in hooks and components: a path need not be there until somebody opens it.
    pub fn config<T: DeserializeOwned + Serialize>(
        &mut self,
        path: &'static str,
        default: Option<&dyn Fn() -> T>,
        check: Option<Check<'_, T>>,
    ) -> Option<T> {
        let value = match default {
            Some(default) => self.optional(path, default)?,
            None => self.required(path)?,
        };
        let given = self.node(path).is_some();
        if let Some(Err(message)) = check.filter(|_| given).map(|check| check(&value)) {
            self.error(path, message);
            return None;
        }
        Some(value)
    }

    /// A `#[metric]` field: an entry of its type in the list that no other field has taken, else its defaults. An entry
    /// that measures something else than the field does by default, such as `Accuracy(top_k: 5)`, is a metric of its own,
    /// so that nothing that the trainer measures is lost; unless the field can't be without it.
    pub fn metric<F: MetricField>(&mut self, field: &str) -> Option<F::Config> {
        if let Some(schema) = &mut self.schema {
            schema.add(Section::metric::<F>());
            schema.measures::<F>();
            return None;
        }
        let (config, index) = self.metric_config::<F>(field);
        self.facts.metric(index, config.as_ref().map(|config| || F::from_config(config).metric().measures()));
        config
    }

    /// The settings of a `#[metric]` field, and which entry of the list they are.
    fn metric_config<F: MetricField>(&mut self, field: &str) -> (Option<F::Config>, Option<usize>) {
        let list = self.node("metrics").map_or(&[][..], items);
        let free = |index: usize, node: &Node| node.name() == Some(F::NAME) && !self.taken[index];
        let entries: Vec<(usize, &Node)> = list.iter().enumerate().filter(|(index, node)| free(*index, node)).collect();
        let defaults: Option<F::Config> = defaults_of();
        let names = |config: &F::Config| {
            let measures = panics::message_of(|| F::from_config(config).metric().measures()).unwrap_or_default();
            measures.into_iter().map(|measure| measure.name).collect::<Vec<String>>()
        };
        let wanted = defaults.as_ref().map(names).unwrap_or_default();
        // of two fields of one type the second needs another name than its default
        let doubled = self.facts.measured.iter().any(|known| wanted.contains(&known.measure.name));
        let sets = |node: &Node| match self.again::<F::Config>(&unnamed(node)) {
            _ if wanted.is_empty() || doubled => true,
            // what is wrong with it is told when it is read
            None => true,
            Some(config) => names(&config).iter().any(|name| wanted.contains(name)),
        };
        if let Some((index, node)) = entries.into_iter().find(|(_, node)| sets(node)) {
            self.taken[index] = true;
            return (self.read(&format!("metrics.{index}"), &unnamed(node)), Some(index));
        }
        if defaults.is_none() {
            let name = F::NAME;
            let message =
                format!("the field `{field}` needs an entry `{name}(..)` here: it has settings without a default");
            self.error("metrics", message);
        }
        (defaults.map(|defaults| self.facts.seen("metrics", defaults)), None)
    }

    /// A `#[hook]` field: `Off`, settings, or nothing.
    pub fn hook<F: HookField>(&mut self, path: &'static str) -> Option<HookSetting<F>> {
        if self.note(|| Section::hook::<F>(path)) {
            return None;
        }
        let name = F::Hook::NAME;
        match self.node(path) {
            Some(node) if is_off(node) => {
                let defaults = defaults_of::<<F::Hook as Hook>::Config>();
                if defaults.is_some() || F::OPTIONAL {
                    return Some(HookSetting::Off(defaults));
                }
                let message = format!("`{name}` can't be `Off`: it has settings without a default");
                let help = format!("declare the trainer's field as `Option<{name}>`");
                self.mistake(Diagnostic::new(node.span, message).help(help).at(path));
                None
            }
            Some(node) if means_off(node) => {
                let message = format!("expected the settings of `{name}` or `Off`, found {}", node.what());
                self.mistake(Diagnostic::new(node.span, message).label("write `Off`").at(path));
                None
            }
            Some(_) => self.required(path).map(HookSetting::On),
            None if F::OPTIONAL => Some(HookSetting::Absent),
            None => {
                let defaults = defaults_of();
                if defaults.is_none() {
                    let message = format!("missing field `{path}`: the hook `{name}` has settings without a default");
                    self.mistake(Diagnostic::new(self.document.root.head(), message));
                }
                defaults.map(|defaults| HookSetting::On(self.facts.seen(path, defaults)))
            }
        }
    }

    /// The metrics of the list that no field has taken.
    pub(crate) fn other_metrics(&mut self) -> Option<Vec<Box<dyn MetricConfig>>> {
        if self.note(|| Section::optional("metrics", &Vec::<Box<dyn MetricConfig>>::new())) {
            return None;
        }
        let taken = std::mem::take(&mut self.taken);
        let metrics: Option<Vec<Box<dyn MetricConfig>>> = self.list("metrics", |index| !taken[index]);
        let indices = (0..taken.len()).filter(|index| !taken[*index]);
        match &metrics {
            None => self.facts.metric(None, None::<fn() -> Vec<Measure>>),
            Some(metrics) => metrics.iter().zip(indices).for_each(|(config, index)| {
                self.facts.metric(Some(index), Some(|| config.build_metric().measures()));
            }),
        }
        metrics
    }

    /// A list of components that the file chooses, each read on its own.
    pub(crate) fn chosen<C: DeserializeOwned + Serialize>(&mut self, path: &'static str) -> Option<Vec<C>> {
        if self.note(|| Section::optional(path, &Vec::<C>::new())) {
            return None;
        }
        self.list(path, |_| true)
    }

    /// The node of a section, which counts as asked for.
    pub(crate) fn node(&mut self, path: &'static str) -> Option<&'a Node> {
        let (group, key) = self.group(path, Group::Optional);
        group?.node(key)
    }

    /// Adds a mistake at a section, or at the experiment's name when it isn't there.
    pub(crate) fn error(&mut self, path: &str, message: impl Into<String>) {
        let found = ValuePath::to(path).find(&self.document.root);
        self.mistake(Diagnostic::new(found.span, message).at(path));
    }

    /// The whole of the file.
    pub(crate) fn root(&self) -> &'a Node {
        &self.document.root
    }

    /// Adds a mistake.
    pub(crate) fn mistake(&self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports what is missing, and what nobody has asked for.
    pub(crate) fn finish(self) {
        for (name, group) in self.groups {
            let keys = self.keys.iter().filter(|(group, _)| *group == name).map(|(_, key)| *key).collect();
            let node = self.document.root.get(name);
            match node.and_then(|node| one_for_several(name, node, keys).or_else(|| named_group(name, node))) {
                Some(mistake) => self.diagnostics.push(mistake),
                None => group.into_iter().for_each(StructReader::finish),
            }
        }
        self.root.finish_with(&elsewhere);
    }

    /// The struct that holds a section, and the section's key in it.
    fn group(&mut self, path: &'static str, group: Group) -> (Option<&mut StructReader<'a>>, &'static str) {
        let Some((name, key)) = path.split_once('.') else { return (Some(&mut self.root), path) };
        if !self.keys.contains(&(name, key)) {
            self.keys.push((name, key));
        }
        let index = match self.groups.iter().position(|(known, _)| *known == name) {
            // it could be absent so far
            Some(index) if group == Group::Required && self.groups[index].1.is_none() => {
                self.groups[index].1 = self.root.required_struct(name);
                index
            }
            Some(index) => index,
            None => {
                let reader = match group {
                    Group::Required => self.root.required_struct(name),
                    Group::Optional => self.root.optional_struct(name),
                };
                self.groups.push((name, reader));
                self.groups.len() - 1
            }
        };
        (self.groups[index].1.as_mut(), key)
    }

    /// The wanted entries of a list, each read on its own.
    fn list<T: DeserializeOwned + Serialize>(
        &mut self,
        path: &'static str,
        wanted: impl Fn(usize) -> bool,
    ) -> Option<Vec<T>> {
        match self.node(path) {
            None => Some(Vec::new()),
            Some(node) if !matches!(node.kind, Kind::Seq(_)) => self.read(path, node),
            Some(node) => {
                let entries = items(node).iter().enumerate().filter(|(index, _)| wanted(*index));
                // all of them first, so that one mistake hides no other
                let read: Vec<Option<T>> =
                    entries.map(|(index, node)| self.read(&format!("{path}.{index}"), node)).collect();
                read.into_iter().collect()
            }
        }
    }

    fn read<T: DeserializeOwned + Serialize>(&mut self, path: &str, node: &Node) -> Option<T> {
        let value = from_node_at(node, path, &self.document.sources, self.diagnostics)?;
        Some(self.facts.seen(path, value))
    }

    /// Reads a value once more, for a rule that looks at a part of a section; its mistakes were told already.
    pub(super) fn again<T: DeserializeOwned>(&self, node: &Node) -> Option<T> {
        from_node(node, &self.document.sources, &Diagnostics::new())
    }
}

impl ReadHooks for Reader<'_> {
    fn read_hook<F: HookField>(&mut self, path: &'static str) -> Option<HookSetting<F>> {
        self.hook(path)
    }
}

/// The settings of a metric whose name is known. A generic one is registered under another name than its settings have.
fn unnamed(node: &Node) -> Node {
    Node { name: None, ..node.clone() }
}

fn items(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::Seq(items) => items,
        _ => &[],
    }
}

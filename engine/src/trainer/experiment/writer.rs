//! Prints a resolved experiment, defaults included: reading it again gives the same.

use crate::base::Result;
use crate::config::{self, Kind, Node, SerializeError};
use crate::hook::{HookField, HookSetting, WriteHooks};
use crate::trainer::fields::LoaderField;
use serde::Serialize;

/// Collects the sections of an experiment.
#[derive(Debug)]
pub struct Writer {
    root: Node,
    metrics: Vec<Node>,
    failed: Option<String>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Writer { root: Node::named("Experiment", Kind::Struct(Vec::new())), metrics: Vec::new(), failed: None }
    }

    /// Puts a value under a path of keys, `loaders.train`.
    pub fn put<T: Serialize + ?Sized>(&mut self, path: &str, value: &T) {
        self.put_written(path, config::to_node(value));
    }

    /// Puts a component under the name that a file gives it: `AdamW(lr: 0.1)`, also where its type is fixed in code.
    pub fn component<T: Serialize + ?Sized>(&mut self, path: &str, value: &T) {
        self.put_written(path, config::to_named_node(value));
    }

    /// Puts the settings of a loader, its dataset under its name.
    pub fn loader<F: LoaderField>(&mut self, path: &str, config: &F::Config) {
        self.put(path, config);
        self.component(&format!("{path}.dataset"), F::dataset(config));
    }

    /// Adds an entry to the list of metrics, under the metric's name.
    pub fn metric<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        let path = format!("metrics.{}", self.metrics.len());
        let entry = self.written(&path, config::to_node(value)).map(|node| named(name, node));
        self.metrics.extend(entry);
    }

    /// Puts the settings of a hook's field; nothing when it is absent.
    pub fn hook<F: HookField>(&mut self, path: &str, setting: &HookSetting<F>) {
        match setting {
            HookSetting::Absent => {}
            HookSetting::Off(_) => self.put_node(path, Node::named("Off", Kind::Unit)),
            HookSetting::On(config) => self.put(path, config),
        }
    }

    /// The experiment as a tree.
    ///
    /// # Errors
    /// When a setting's type can't be serialized.
    pub(crate) fn finish(mut self) -> Result<Node> {
        let metrics = std::mem::take(&mut self.metrics);
        if !metrics.is_empty() {
            self.put_node("metrics", Node::new(Kind::Seq(metrics)));
        }
        match self.failed {
            Some(why) => Err(crate::base::Error::msg(why)),
            None => Ok(self.root),
        }
    }

    fn put_written(&mut self, path: &str, written: Result<Node, SerializeError>) {
        if let Some(node) = self.written(path, written) {
            self.put_node(path, node);
        }
    }

    fn written(&mut self, path: &str, written: Result<Node, SerializeError>) -> Option<Node> {
        written.map_err(|error| self.failed = Some(cannot_print(path, &error))).ok()
    }

    fn put_node(&mut self, path: &str, node: Node) {
        if let Err(mistake) = self.root.put(path, node) {
            self.failed = Some(cannot_print(path, &mistake.message));
        }
    }
}

impl WriteHooks for Writer {
    fn write_hook<F: HookField>(&mut self, path: &'static str, setting: &HookSetting<F>) {
        self.hook(path, setting);
    }
}

fn cannot_print(path: &str, why: &dyn std::fmt::Display) -> String {
    format!("`{path}` can't be printed: {why}")
}

/// A component under its name: `(top_k: 1)` → `Accuracy(top_k: 1)`.
fn named(name: &str, node: Node) -> Node {
    match node.name() {
        Some(_) => node,
        None => Node::named(name, node.kind),
    }
}

//! Experiments that are written in Rust: for sweeps, for tests, for programs that make them up.
//!
//! What is built here goes the way of a file: it is printed and read again, so it is checked as strictly, means the
//! same, and its mistakes point into its text.

use crate::config::registry::Component;
use crate::config::{self, ConfigErrors, Diagnostic, Kind, Node, Sources, Span};
use crate::trainer::{Build, Experiment, Purpose, outline};
use serde::Serialize;
use std::marker::PhantomData;
use std::path::Path;

/// An experiment in the making: see [`Experiment::builder`].
#[derive(Debug)]
#[must_use = "`build` makes the experiment"]
pub struct ExperimentBuilder<T> {
    root: Node,
    problems: Vec<ConfigErrors>,
    trainer: PhantomData<fn() -> T>,
}

impl<T: Build> ExperimentBuilder<T> {
    pub(super) fn new(name: &str) -> Self {
        let root = Node::named("Experiment", Kind::Struct(Vec::new()));
        ExperimentBuilder { root, problems: Vec::new(), trainer: PhantomData }.set("name", name)
    }

    pub(super) fn over(path: &Path) -> Self {
        let (root, problems) = match config::load(path) {
            Ok(document) => (document.root, Vec::new()),
            Err(errors) => (Node::new(Kind::Struct(Vec::new())), vec![errors]),
        };
        ExperimentBuilder { root, problems, trainer: PhantomData }
    }

    /// Sets the value at a path of keys, `optimizer.lr` or `loaders.train`, in place of what was there.
    ///
    /// Anything that serializes is a value: a number, the settings of a component (`AdamW::new(1e-3)`), those of a
    /// section ([`TrainSettings`](crate::trainer::TrainSettings), [`LoaderConfig`](crate::data::LoaderConfig)).
    pub fn set(mut self, path: &str, value: impl Serialize) -> Self {
        match config::to_named_node(&value) {
            Ok(node) => self.put(path, without_name_of_settings(node)),
            Err(error) => self.problem(format!("the value for `{path}` can't be written: {error}")),
        }
        self
    }

    /// As [`set`](Self::set), with a value as a file writes it: for what Rust can't name, such as the hooks of
    /// `custom_hooks`.
    pub fn ron(mut self, path: &str, value: &str) -> Self {
        match config::parse_text(path, value) {
            Ok(document) => self.put(path, document.root),
            Err(errors) => self.problems.push(errors),
        }
        self
    }

    /// The experiment, checked as a file is.
    ///
    /// # Errors
    /// All mistakes at once; their positions are those in the text that the experiment prints as.
    pub fn build(mut self) -> Result<Experiment<T>, ConfigErrors> {
        if !self.problems.is_empty() {
            return Err(self.problems.remove(0));
        }
        outline::sort(&mut self.root);
        Experiment::parse("experiment written in Rust", &config::print(&self.root))
    }

    fn put(&mut self, path: &str, node: Node) {
        let mut at = &mut self.root;
        for key in path.split('.') {
            at = match child(at, key) {
                Ok(child) => child,
                Err(what) => {
                    return self.problem(format!("`{path}` leads nowhere: there is no `{key}` in {what}"));
                }
            };
        }
        *at = node;
    }

    fn problem(&mut self, text: String) {
        self.problems.push(ConfigErrors::new(Sources::new(), vec![Diagnostic::new(Span::NONE, text)]));
    }
}

/// The value of a key, made where it is missing; an element of a list by its number.
fn child<'n>(node: &'n mut Node, key: &str) -> Result<&'n mut Node, String> {
    let what = node.what();
    match &mut node.kind {
        Kind::Struct(fields) => {
            let index = fields.iter().position(|field| field.key == key).unwrap_or_else(|| {
                fields.push(config::Field::new(key, Node::new(Kind::Struct(Vec::new()))));
                fields.len() - 1
            });
            Ok(&mut fields[index].value)
        }
        Kind::Seq(items) | Kind::Tuple(items) => {
            key.parse().ok().and_then(|index: usize| items.get_mut(index)).ok_or(what)
        }
        _ => Err(what),
    }
}

/// A file says `train: (max_epochs: 3)`; only components that it chooses have a name there.
fn without_name_of_settings(node: Node) -> Node {
    let is_settings = node.name().is_some_and(|name| Component::find("settings", name).is_some());
    match (&node.kind, is_settings) {
        (Kind::Struct(_), true) => Node { name: None, ..node },
        _ => node,
    }
}

/// The test of one file, for [`check_experiments!`](crate::check_experiments): panics with every mistake.
#[expect(clippy::panic, reason = "it is the body of a test, which fails by panicking")]
pub fn check_experiment<T: Build>(package: &str, file: &str) {
    // tests run where the experiment need not: its device is not asked for
    let read = |document: config::Document| Experiment::<T>::from_document(&document, Purpose::Look);
    let experiment = match config::load(&Path::new(package).join(file)).and_then(read) {
        Ok(experiment) => experiment,
        Err(errors) => panic!("`{file}` is no experiment of `{}`:\n\n{errors}\n", T::NAME),
    };
    // every run saves what it was, to be run again
    let printed = experiment.print();
    let again = printed
        .as_ref()
        .map(|text| config::parse_text("as it is saved", text).and_then(read).map(|again| again.print()));
    match (&printed, again) {
        (Ok(text), Ok(Ok(Ok(again)))) if again == *text => {}
        (Ok(_), Ok(Err(errors))) => panic!("`{file}` can't be read again as a run saves it:\n\n{errors}\n"),
        (Ok(text), _) => panic!("`{file}` becomes another one when a run saves it:\n\n{text}\n"),
        (Err(error), _) => panic!("`{file}` can't be saved: {error:#}"),
    }
}

/// The test of all files that a pattern matches now and did not when the package was compiled.
pub fn check_experiments_besides<T: Build>(package: &str, pattern: &str, known: &[&str]) {
    let folder = Path::new(package);
    // it was a pattern when the package was compiled
    let matches = glob::glob(&folder.join(pattern).to_string_lossy()).into_iter().flatten().flatten();
    for path in matches.filter(|path| path.is_file()) {
        let file = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        if !known.contains(&file.as_str()) {
            check_experiment::<T>(package, &file);
        }
    }
}

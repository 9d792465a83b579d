//! Experiments that are written in Rust: for sweeps, tests, and programs that generate them.
//!
//! An experiment that is built here is read like a file. So it is checked as strictly and has the same meaning, and
//! messages point into texts: the text of its base file, and a text for each value that was set.

use crate::config::registry::Component;
use crate::config::{self, ConfigErrors, Diagnostic, Document, Kind, Node, Span};
use crate::trainer::{Build, Experiment, Purpose};
use serde::Serialize;
use std::marker::PhantomData;
use std::path::Path;

/// What messages call the values that were set.
const SOURCE: &str = "experiment written in Rust";

/// Builds an experiment: see [`Experiment::builder`].
#[derive(Debug)]
#[must_use = "`build` makes the experiment"]
pub struct ExperimentBuilder<T> {
    document: Document,
    problems: Vec<Diagnostic>,
    trainer: PhantomData<fn() -> T>,
}

impl<T: Build> Experiment<T> {
    /// Begins an experiment in Rust, for sweeps, tests and programs that generate experiments.
    ///
    /// ```no_run
    /// # use engine::prelude::*;
    /// # use engine::trainer::{Build, Experiment, TrainSettings};
    /// # fn sweep<Digits: Build>() -> Result<()> {
    /// for (index, lr) in [1e-3, 3e-3].into_iter().enumerate() {
    ///     let experiment = Experiment::<Digits>::builder(&format!("lr-{index}"))
    ///         .set("optimizer", AdamW::new(lr))
    ///         .set("train", TrainSettings { max_epochs: Some(5), ..TrainSettings::default() })
    ///         .ron("loaders.train", "(dataset: Digits(split: Train), batch_size: 64, shuffle: true)")
    ///         .ron("custom_hooks", "[EarlyStopping(monitor: \"val/accuracy\")]")
    ///         .build()?;
    ///     println!("{}", experiment.print()?);
    ///     engine::trainer::run_train(experiment, engine::folder::Mode::New)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(name: &str) -> ExperimentBuilder<T> {
        ExperimentBuilder::new(name)
    }

    /// Like [`builder`](Self::builder), with a file as base.
    pub fn builder_over(path: &Path) -> ExperimentBuilder<T> {
        ExperimentBuilder::over(path)
    }
}

impl<T: Build> ExperimentBuilder<T> {
    fn new(name: &str) -> Self {
        let root = Node::named("Experiment", Kind::Struct(Vec::new()));
        let document = Document { root, ..Document::empty() };
        ExperimentBuilder { document, problems: Vec::new(), trainer: PhantomData }.set("name", name)
    }

    fn over(path: &Path) -> Self {
        let (document, problems) = match config::load_layers(&[path], &config::Over::default()) {
            Ok(document) => (document, Vec::new()),
            Err(ConfigErrors { sources, diagnostics }) => (Document { sources, ..Document::empty() }, diagnostics),
        };
        ExperimentBuilder { document, problems, trainer: PhantomData }
    }

    /// Sets the value at a path of keys, `optimizer.lr` or `loaders.train`, and replaces the earlier value. Paths are
    /// those of `--set`: `custom_hooks.0.decay`, `custom_hooks.Ema.decay`.
    ///
    /// Anything that serializes is a value: a number, the settings of a component (`AdamW::new(1e-3)`), those of a
    /// section ([`TrainSettings`](crate::trainer::TrainSettings), [`LoaderConfig`](crate::data::LoaderConfig)). A
    /// `PathBuf` in it is relative to the current folder, also when there is a base file.
    pub fn set(mut self, path: &str, value: impl Serialize) -> Self {
        match config::to_named_node(&value) {
            Ok(node) => self.ron(path, config::print(&without_name_of_settings(node)).trim_end()),
            Err(error) => {
                let text = format!("the value for `{path}` can't be written: {error}");
                self.problems.push(Diagnostic::new(Span::NONE, text));
                self
            }
        }
    }

    /// Like [`set`](Self::set), with a value as a file writes it: for values that can't be written in Rust, such as
    /// the hooks of `custom_hooks`.
    pub fn ron(mut self, path: &str, value: &str) -> Self {
        if let Err(problems) = self.document.put(SOURCE, path, value) {
            self.problems.extend(problems);
        }
        self
    }

    /// Builds the experiment, with the same checks as for a file.
    ///
    /// # Errors
    /// All mistakes at once. Mistakes in a file point into the file; mistakes in values that were set point into their
    /// path and value.
    pub fn build(self) -> Result<Experiment<T>, ConfigErrors> {
        match self.problems.is_empty() {
            true => Experiment::from_document(&self.document.resolved(), Purpose::Run),
            false => Err(ConfigErrors::new(self.document.sources, self.problems)),
        }
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

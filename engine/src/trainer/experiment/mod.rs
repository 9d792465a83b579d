//! `Experiment(…)`: the whole of what a file says, typed for one trainer.
//!
//! Read section by section (`reader`), asked for what no section alone can tell (`rules`), printed (`writer`), written in
//! Rust (`builder`), listed without a file (`schema`).

mod builder;
pub(crate) mod check;
mod facts;
mod misplaced;
mod purpose;
mod reader;
mod rules;
mod schema;
mod settings;
mod writer;

pub use builder::ExperimentBuilder;
pub use purpose::Purpose;
pub use reader::Reader;
pub use schema::{Schema, Section, docs_of};
pub use settings::{DeviceChoice, HookSettings, Precision, TrainSettings, ValSettings};
pub use writer::Writer;

use crate::base::Result;
use crate::config::{self, ConfigErrors, Diagnostic, Diagnostics, Document, Node};
use crate::hook::HookConfig;
use crate::loops::Role;
use crate::metric::MetricConfig;
use crate::record::SinkConfig;
use crate::trainer::Build;
use crate::trainer::fields::HookSetting;
use facts::Common;
use std::path::{Path, PathBuf};

/// An experiment, read and checked.
pub struct Experiment<T: Build> {
    /// The run's name: its folder below `work_dir`.
    pub name: String,
    /// Everything random comes from it.
    pub seed: u64,
    /// Where models and batches lie.
    pub device: DeviceChoice,
    /// libtorch's threads for one operator; `None`: as many as there are cores. The same bits need the same number.
    pub threads: Option<usize>,
    /// The folder of all runs.
    pub work_dir: PathBuf,
    /// Stops after this many updates, as the command line asks; the plan stays what the file says.
    pub stop_after: Option<u64>,
    /// How far and how.
    pub train: TrainSettings,
    /// When to validate.
    pub val: ValSettings,
    /// The settings of the trainer's fields.
    pub sections: T::Sections,
    /// The settings of the hooks that every program has.
    pub hooks: HookSettings,
    /// Metrics that only the file names.
    pub metrics: Vec<Box<dyn MetricConfig>>,
    /// Hooks that only the file names.
    pub custom_hooks: Vec<Box<dyn HookConfig>>,
    /// What is recorded into besides the console, `log.txt` and `metrics.jsonl`.
    pub sinks: Vec<Box<dyn SinkConfig>>,
}

impl<T: Build> Experiment<T> {
    /// Reads an experiment file with everything that it builds on.
    ///
    /// # Errors
    /// All mistakes at once, with their positions.
    pub fn load(path: &Path, sets: &[String]) -> Result<Self, ConfigErrors> {
        Self::from_document(&config::load_with(path, sets)?, Purpose::Run)
    }

    /// Reads an experiment from a text; `name` stands in messages.
    ///
    /// # Errors
    /// All mistakes at once, with their positions.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigErrors> {
        Self::from_document(&crate::config::parse_text(name, text)?, Purpose::Run)
    }

    /// Reads an experiment whose files were read already.
    ///
    /// # Errors
    /// All mistakes at once, with their positions.
    pub fn from_document(document: &Document, purpose: Purpose) -> Result<Self, ConfigErrors> {
        let diagnostics = Diagnostics::new();
        let mut reader = Reader::new(document, &diagnostics);
        let Document { sources, root } = document;
        if root.name().is_some_and(|name| name != "Experiment") {
            reader.mistake(Diagnostic::new(root.head(), format!("expected `Experiment(..)`, found {}", root.what())));
        }
        let experiment = Self::read(&mut reader, purpose);
        reader.finish();
        diagnostics.into_result(sources)?;
        experiment.ok_or_else(|| {
            // every section that could not be read has left its mistake: this is for one that has not
            let diagnostic = Diagnostic::new(root.head(), "the experiment could not be read");
            ConfigErrors::new(sources.clone(), vec![diagnostic])
        })
    }

    /// Every section is read before the first `?`, so that all mistakes are found.
    fn read(reader: &mut Reader<'_>, purpose: Purpose) -> Option<Self> {
        let name = reader.required::<String>("name");
        let seed = reader.optional("seed", || 0);
        let device = reader.optional("device", DeviceChoice::default);
        let threads = reader.optional("threads", || None);
        let work_dir = reader.optional("work_dir", || PathBuf::from("runs"));
        let train = reader.required::<TrainSettings>("train");
        let val = reader.optional("val", ValSettings::default);
        let sections = T::read(reader);
        let timer = reader.hook("hooks.timer");
        let scheduler = reader.hook("hooks.scheduler");
        let logger = reader.hook("hooks.logger");
        let checkpoint = reader.hook("hooks.checkpoint");
        let metrics = reader.other_metrics();
        let custom_hooks = reader.custom_hooks();
        let sinks = reader.sinks();
        let common = Common {
            name: name.as_deref(),
            device,
            threads: threads.flatten(),
            train: train.as_ref(),
            val: val.as_ref(),
            scheduler_off: matches!(scheduler, Some(HookSetting::Off(_))),
        };
        rules::check::<T>(reader, &common, purpose);
        Some(Experiment {
            name: name?,
            seed: seed?,
            device: device?,
            threads: threads?,
            work_dir: from_anywhere(work_dir?),
            stop_after: None,
            train: train?,
            val: val?,
            sections: sections?,
            hooks: HookSettings { timer: timer?, scheduler: scheduler?, logger: logger?, checkpoint: checkpoint? },
            metrics: metrics?,
            custom_hooks: custom_hooks?,
            sinks: sinks?,
        })
    }

    /// What an experiment of this trainer can hold.
    pub fn schema() -> Schema {
        let (document, diagnostics) = (Document::empty(), Diagnostics::new());
        let mut reader = Reader::of_schema(&document, &diagnostics);
        // every section is asked for, and none is there
        let _ = Self::read(&mut reader, Purpose::Inspect);
        let mut schema = reader.into_schema().sorted();
        schema.sections.retain(|section| section.path != "val" || has_val::<T>());
        schema.watchable = rules::watchable::<T>(&schema.measures);
        schema
    }

    /// The experiment as a file that gives the same again.
    ///
    /// # Errors
    /// When a setting's type can't be serialized.
    pub fn print(&self) -> Result<String> {
        Ok(config::print(&self.to_node()?))
    }

    /// The experiment as a tree, defaults included.
    ///
    /// # Errors
    /// When a setting's type can't be serialized.
    pub fn to_node(&self) -> Result<Node> {
        let mut writer = Writer::new();
        writer.put("name", &self.name);
        writer.put("seed", &self.seed);
        writer.put("device", &self.device);
        writer.put("threads", &self.threads);
        writer.put("work_dir", &self.work_dir);
        T::write(&self.sections, &mut writer);
        writer.put("train", &self.train);
        if has_val::<T>() {
            writer.put("val", &self.val);
        }
        for metric in &self.metrics {
            writer.metric("", metric);
        }
        writer.hook("hooks.timer", &self.hooks.timer);
        writer.hook("hooks.scheduler", &self.hooks.scheduler);
        writer.hook("hooks.logger", &self.hooks.logger);
        writer.hook("hooks.checkpoint", &self.hooks.checkpoint);
        writer.put("custom_hooks", &self.custom_hooks);
        writer.put("sinks", &self.sinks);
        writer.finish()
    }
}

/// Whether the trainer validates: without a loader for it there is no `val` in its experiments.
fn has_val<T: Build>() -> bool {
    !T::loaders(Role::Val).is_empty()
}

/// Absolute, so that the `experiment.ron` that a run saves means the same folder from wherever it is read.
fn from_anywhere(path: PathBuf) -> PathBuf {
    // without a current folder the path stays as it is, and the run's folder tells what is wrong
    std::path::absolute(&path).unwrap_or(path)
}

//! What a run records into: the console, its folder, and the sinks that its experiment chooses.

use crate::base::Result;
use crate::config::{Kind, Node};
use crate::folder::{FinishedRun, RunFolder};
use crate::record::{Cell, RowPhase, RunInfo, SinkConfig, Sinks};
use crate::sinks::{Console, ConsoleOptions, JsonLines, LogFile, Verbosity};
use crate::trainer::{Build, Experiment};
use std::path::Path;

/// What of an experiment concerns its sinks; the rest of it becomes the program.
pub(super) struct Recording {
    name: String,
    text: String,
    settings: Vec<(String, Cell)>,
    chosen: Vec<Box<dyn SinkConfig>>,
    /// What the log tells of the process, and with it the console when it is asked to.
    environment: Vec<String>,
}

impl Recording {
    /// # Errors
    /// When a setting can't be printed.
    pub(super) fn of<T: Build>(experiment: &mut Experiment<T>, environment: Vec<String>) -> Result<Recording> {
        let mut settings = Vec::new();
        flatten("", &experiment.to_node()?, &mut settings);
        // they say where a run lies, not what it is
        settings.retain(|(path, _)| path != "name" && path != "work_dir" && !path.starts_with("sinks"));
        Ok(Recording {
            name: experiment.name.text().to_owned(),
            text: experiment.print()?,
            settings,
            chosen: std::mem::take(&mut experiment.sinks),
            environment,
        })
    }

    /// The experiment as it is printed.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds what the log tells of the process, and with it the console when it is asked to.
    pub(super) fn add_facts(&mut self, facts: Vec<String>) {
        self.environment.extend(facts);
    }

    /// Adds the sinks of a training in its folder. They are closed: no file is touched.
    pub(super) fn add_sinks(&self, folder: &RunFolder, sinks: &mut Sinks) {
        sinks.push_closed("metrics.jsonl", JsonLines::new(folder.metrics()), true);
        self.chosen.iter().for_each(|config| sinks.push_chosen(config.as_ref()));
    }

    /// Adds the log and the console, both open; of several processes only one has a console.
    ///
    /// # Errors
    /// When the log can't be written.
    pub(super) fn begin(&self, log: &Path, console: Option<ConsoleOptions>, sinks: &mut Sinks) -> Result<()> {
        sinks.push("log.txt", LogFile::open(log)?);
        match console {
            // the console comes last: a row that a person has seen is in the files
            Some(console) => self.greet(console, sinks),
            None => self.environment.iter().try_for_each(|fact| sinks.line(fact)),
        }
    }

    /// Adds the sinks of a command that evaluates a checkpoint of a run: the console, and those of the run. They may not be
    /// writable here; the results are shown all the same.
    ///
    /// # Errors
    /// When a sink can't be opened that is required.
    pub(super) fn add_to(
        &self,
        run: &FinishedRun,
        phase: RowPhase,
        measures: Vec<String>,
        console: ConsoleOptions,
        sinks: &mut Sinks,
    ) -> Result<()> {
        let info = RunInfo { phase, ..self.info(run.path(), measures) };
        let log = LogFile::open(&run.log()).map(|log| sinks.push_closed("log.txt", log, false));
        sinks.open(&info)?;
        self.greet(console, sinks)?;
        match log {
            Ok(()) => {
                sinks.push_closed("metrics.jsonl", JsonLines::new(run.metrics()), false);
                self.chosen.iter().for_each(|config| sinks.push_chosen(config.as_ref()));
                sinks.open(&info)
            }
            Err(error) => sinks.line(&format!("warning: the results are shown, and not recorded: {error:#}")),
        }
    }

    /// Adds the log of a rank that has no console, if it can be written.
    ///
    /// # Errors
    /// When a line of it can't be written.
    pub(super) fn log_alone(&self, log: &Path, sinks: &mut Sinks) -> Result<()> {
        match LogFile::open(log) {
            Ok(log) => {
                sinks.push("log.txt", log);
                self.environment.iter().try_for_each(|fact| sinks.line(fact))
            }
            // an evaluation writes where it may, and its results come from rank 0
            Err(_) => Ok(()),
        }
    }

    /// Adds the console alone.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn show(&self, console: ConsoleOptions, sinks: &mut Sinks) -> Result<()> {
        self.greet(console, sinks)
    }

    /// What the sinks are told when they are opened.
    pub(super) fn info(&self, folder: &Path, measures: Vec<String>) -> RunInfo {
        RunInfo {
            experiment: self.text.clone(),
            settings: self.settings.clone(),
            measures,
            ..RunInfo::new(&self.name, folder)
        }
    }

    /// Adds the console, and tells the log, and a console that wants to know, what runs where.
    fn greet(&self, console: ConsoleOptions, sinks: &mut Sinks) -> Result<()> {
        let tell = |sinks: &mut Sinks| self.environment.iter().try_for_each(|fact| sinks.line(fact));
        if console.verbosity == Verbosity::Verbose {
            sinks.push("console", Console::new(console));
            return tell(sinks);
        }
        tell(sinks)?;
        sinks.push("console", Console::new(console));
        Ok(())
    }
}

/// Every setting under its path; the name of a component is the value of its own path.
fn flatten(path: &str, node: &Node, settings: &mut Vec<(String, Cell)>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let value = match (&node.kind, node.name()) {
        (Kind::Bool(flag), _) => Some(Cell::Bool(*flag)),
        (Kind::Int(number), _) => Some(Cell::Number(*number as f64)),
        (Kind::Float(number), _) => Some(Cell::Number(*number)),
        (Kind::Str(text), _) => Some(Cell::Text(text.clone())),
        (Kind::Struct(_) | Kind::Seq(_) | Kind::Tuple(_) | Kind::Unit, name) => name.map(Cell::from),
        _ => Some(Cell::Text(crate::config::print_line(node))),
    };
    // the whole of the experiment has a name, and no path
    settings.extend(value.filter(|_| !path.is_empty()).map(|value| (path.to_owned(), value)));
    match &node.kind {
        Kind::Struct(_) => node.fields().iter().for_each(|field| flatten(&below(&field.key), &field.value, settings)),
        Kind::Seq(items) | Kind::Tuple(items) => {
            items.iter().enumerate().for_each(|(index, item)| flatten(&below(&index.to_string()), item, settings));
        }
        _ => {}
    }
}

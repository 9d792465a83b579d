//! The trait of all sinks, which receive rows, values and lines, and how an experiment names a sink.

use super::{Cell, Event, Moment, Row, RowPhase, ValueKind};
use crate::base::error::Result;
use crate::base::state::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::path::PathBuf;

/// The progress of the current loop, for sinks that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which loop: `train`, `val`, `test` or `predict`.
    pub what: &'static str,
    /// Iters or batches that are done.
    pub done: u64,
    /// The total number, if it is known.
    pub total: Option<u64>,
}

/// A receiver of what a run records: a file, a terminal, a tracker.
///
/// Only [`Sink::event`] must be implemented. All other methods have a default that does nothing.
///
/// **Resuming.** At each checkpoint [`Sink::flush`] is called and the sink's state is saved. A resumed run restores
/// the state before it opens the sink, and continues with the values after the checkpoint. Values that a killed
/// process has recorded after the checkpoint are recorded again, so the sink must replace or drop them: for example,
/// it truncates a file at the position in its state.
///
/// A struct under `#[component(sink)]` can be named in the experiment: `sinks: [MySink(path: "…")]`.
/// [`docs/sinks.md`](crate::record) shows one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sink",
    label = "this type does not implement `Sink`",
    note = "implement `engine::record::Sink` for `{Self}`: `event` takes one recorded value"
)]
pub trait Sink: State + Send {
    /// The folder that only this sink uses. Two sinks with the same folder are refused before either of them is
    /// opened.
    fn folder(&self, run: &RunInfo) -> Option<PathBuf> {
        let _ = run;
        None
    }

    /// Called once, before anything is recorded. In a resumed run the state is already restored. When a training goes back to
    /// an earlier state, the state is restored and this is called again, with `resumed` set.
    ///
    /// # Errors
    /// When the sink can't be used.
    fn open(&mut self, run: &RunInfo) -> Result<()> {
        let _ = run;
        Ok(())
    }

    /// Called once after `open`. Returns a message for the user, for example that records are missing. It is printed
    /// as a warning, and the run continues.
    fn notice(&mut self) -> Option<String> {
        None
    }

    /// Whether it accepts values of this kind. A value that no sink accepts is not read from the device.
    fn takes(&self, kind: ValueKind) -> bool {
        let _ = kind;
        true
    }

    /// Receives one value.
    ///
    /// # Errors
    /// When it could not be written.
    fn event(&mut self, event: &Event) -> Result<()>;

    /// Receives the numbers of one finished row. The default calls [`Sink::event`] for each number.
    ///
    /// # Errors
    /// When it could not be written.
    fn row(&mut self, row: &Row) -> Result<()> {
        match self.takes(ValueKind::Number) {
            true => row.events().try_for_each(|event| self.event(&event)),
            false => Ok(()),
        }
    }

    /// Receives one message for people.
    ///
    /// # Errors
    /// When it could not be written.
    fn line(&mut self, text: &str) -> Result<()> {
        let _ = text;
        Ok(())
    }

    /// Called in every iter, so it must be very fast.
    fn progress(&mut self, progress: Progress) {
        let _ = progress;
    }

    /// Writes everything received so far to the disk, so that it survives a crash of the process and of the machine.
    /// Called before a checkpoint.
    ///
    /// # Errors
    /// When it could not be written.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Called when the run has ended. Only a last flush follows.
    ///
    /// # Errors
    /// When it could not be written.
    fn end(&mut self, how: Outcome) -> Result<()> {
        let _ = how;
        Ok(())
    }
}

/// Information about the run, for opening a sink.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunInfo {
    /// The run's name.
    pub name: String,
    /// The run's folder; it exists.
    pub folder: PathBuf,
    /// `Train`, or what the command evaluates.
    pub phase: RowPhase,
    /// Where a resumed training continues: the moment of its checkpoint.
    pub resumed: Option<Moment>,
    /// The resolved experiment: the text of `experiment.ron`.
    pub experiment: String,
    /// Every setting of the experiment under its path, `optimizer.lr`; a component's name is under the path of the
    /// component itself, `optimizer`.
    pub settings: Vec<(String, Cell)>,
    /// The metrics that evaluations measure: `val/accuracy`.
    pub measures: Vec<String>,
}

impl RunInfo {
    /// A new training without settings, for tests of sinks.
    pub fn new(name: impl Into<String>, folder: impl Into<PathBuf>) -> RunInfo {
        RunInfo {
            name: name.into(),
            folder: folder.into(),
            phase: RowPhase::Train,
            resumed: None,
            experiment: String::new(),
            settings: Vec::new(),
            measures: Vec::new(),
        }
    }
}

/// How a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The plan is finished.
    Finished,
    /// A hook or a step requested the stop.
    Stopped,
    /// The process received a signal to end, or reached its limit of iters; a resume continues from here.
    Interrupted,
    /// Something failed.
    Failed,
}

/// A struct under `#[component(sink)]`: its settings, and how it is built from them.
pub trait SinkComponent: AnySink + Sized {
    /// The name in experiment files.
    const NAME: &'static str;
    /// The `#[config]` fields, and `required`.
    type Config: SinkConfig + Clone + Debug + Serialize + DeserializeOwned + 'static;

    /// The sink with these settings; `#[state]` and `#[transient]` fields have their `Default`.
    fn build(config: &Self::Config) -> Self;
}

/// Blanket helper, so that a missing [`Sink`] impl is reported once, as such.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sink",
    label = "this type does not implement `Sink`",
    note = "implement `engine::record::Sink` for `{Self}`: `event` takes one recorded value"
)]
pub trait AnySink {
    /// The sink in a box.
    fn boxed(self) -> Box<dyn Sink>;
}

#[diagnostic::do_not_recommend]
impl<S: Sink + 'static> AnySink for S {
    fn boxed(self) -> Box<dyn Sink> {
        Box::new(self)
    }
}

/// The settings of a sink, chosen by name in the experiment file.
#[typetag::serde]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the settings of a sink",
    label = "this type does not implement `SinkConfig`"
)]
pub trait SinkConfig: Debug + Send + Sync {
    /// The sink with these settings, not yet open.
    fn build_sink(&self) -> Box<dyn Sink>;

    /// Whether the run ends when the sink fails; otherwise the run continues without it.
    fn required(&self) -> bool;
}

/// [`SinkConfig::build_sink`] of a sink.
pub fn build_sink<S: SinkComponent>(config: &S::Config) -> Box<dyn Sink> {
    S::build(config).boxed()
}

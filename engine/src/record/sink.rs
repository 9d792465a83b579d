//! What takes rows, values and lines: the trait of all sinks, and how an experiment names one.

use super::{Cell, Event, Moment, Row, RowPhase, ValueKind};
use crate::base::error::Result;
use crate::base::state::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::path::PathBuf;

/// How far the current loop is, for those that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which loop: `train`, `val`, `test` or `predict`.
    pub what: &'static str,
    /// Iters or batches that are done.
    pub done: u64,
    /// How many there will be, where it is known.
    pub total: Option<u64>,
}

/// A receiver of what a run records: a file, a terminal, a tracker.
///
/// Only [`Sink::event`] must be written. Everything else has a default that ignores what it is told.
///
/// **Resuming.** At each checkpoint [`Sink::flush`] is called and the sink's state is saved. A resumed run gives the state
/// back before it opens the sink, and goes on with the values that follow the checkpoint. What the sink has taken after
/// the checkpoint, in a process that was killed, comes again, and has to be replaced or dropped: a file is cut at the
/// position that the state tells.
///
/// A struct under `#[component(sink)]` can be named in the experiment: `sinks: [MySink(path: "…")]`.
/// [`docs/sinks.md`](crate::record) shows one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sink",
    label = "this type does not implement `Sink`",
    note = "implement `engine::record::Sink` for `{Self}`: `event` takes one recorded value"
)]
pub trait Sink: State + Send {
    /// The folder that the sink has for itself. Two sinks with one folder are refused before either of them is opened.
    fn folder(&self, run: &RunInfo) -> Option<PathBuf> {
        let _ = run;
        None
    }

    /// Called once, before anything is recorded. A resumed run has given the state back by then.
    ///
    /// # Errors
    /// When the sink can't be used.
    fn open(&mut self, run: &RunInfo) -> Result<()> {
        let _ = run;
        Ok(())
    }

    /// What a person has to know of the opening, asked once after it: that something is missing, say. It is told as a
    /// warning, and the run goes on.
    fn notice(&mut self) -> Option<String> {
        None
    }

    /// Whether it has a use for values of this kind. What no sink takes is not even read from the device.
    fn takes(&self, kind: ValueKind) -> bool {
        let _ = kind;
        true
    }

    /// Takes one value.
    ///
    /// # Errors
    /// When it could not be written.
    fn event(&mut self, event: &Event) -> Result<()>;

    /// Takes the numbers of one finished row; unless it says otherwise, as one event each.
    ///
    /// # Errors
    /// When it could not be written.
    fn row(&mut self, row: &Row) -> Result<()> {
        match self.takes(ValueKind::Number) {
            true => row.events().try_for_each(|event| self.event(&event)),
            false => Ok(()),
        }
    }

    /// Takes one message for a person.
    ///
    /// # Errors
    /// When it could not be written.
    fn line(&mut self, text: &str) -> Result<()> {
        let _ = text;
        Ok(())
    }

    /// Called in every iter, so it must cost next to nothing.
    fn progress(&mut self, progress: Progress) {
        let _ = progress;
    }

    /// Brings everything taken so far to where it survives the process and the machine. Called before a checkpoint.
    ///
    /// # Errors
    /// When it could not be written.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// The run has ended; nothing but a last flush follows.
    ///
    /// # Errors
    /// When it could not be written.
    fn end(&mut self, how: Outcome) -> Result<()> {
        let _ = how;
        Ok(())
    }
}

/// What a sink is told of the run when it is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunInfo {
    /// The run's name.
    pub name: String,
    /// The run's folder; it exists.
    pub folder: PathBuf,
    /// `Train`, or what the command evaluates.
    pub phase: RowPhase,
    /// Where a resumed training goes on: the moment of its checkpoint.
    pub resumed: Option<Moment>,
    /// The resolved experiment, as `experiment.ron` holds it.
    pub experiment: String,
    /// Every setting of the experiment under its path, `optimizer.lr`; a component's name is under the path of the
    /// component itself, `optimizer`.
    pub settings: Vec<(String, Cell)>,
    /// What evaluations measure: `val/accuracy`.
    pub measures: Vec<String>,
}

impl RunInfo {
    /// A training from its start, without settings: for tests of sinks.
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
    /// All that was planned is done.
    Finished,
    /// A hook or a step asked it to stop.
    Stopped,
    /// The process was told to end, or came to its limit of iters; a resume goes on from here.
    Interrupted,
    /// Something failed.
    Failed,
}

/// A struct under `#[component(sink)]`: its settings, and how it is made of them.
pub trait SinkComponent: AnySink + Sized {
    /// The name in experiment files.
    const NAME: &'static str;
    /// The `#[config]` fields, and `required`.
    type Config: SinkConfig + Clone + Debug + Serialize + DeserializeOwned + 'static;

    /// The sink with these settings; `#[state]` and `#[transient]` fields take their `Default`.
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

    /// Whether the run ends when the sink fails; otherwise the run goes on without it.
    fn required(&self) -> bool;
}

/// [`SinkConfig::build_sink`] of a sink.
pub fn build_sink<S: SinkComponent>(config: &S::Config) -> Box<dyn Sink> {
    S::build(config).boxed()
}

//! All sinks of a run. Each of them gets everything, and a failure of a sink that is not required does not end the
//! run.

use super::{Event, Moment, Outcome, Progress, Row, RunInfo, Sink, SinkConfig, ValueKind};
use crate::base::error::{Error, ErrorContext as _, Result};
use crate::base::panics;
use crate::base::state::StateMap;
use crate::config::{print_line, to_node};
use std::fmt;

/// The sinks of a run, in the order in which they are served.
#[derive(Default)]
pub struct Sinks {
    entries: Vec<Entry>,
    /// Kinds of values that no sink takes, and of which that was told.
    untaken: Vec<ValueKind>,
    /// Whether none of them gets anything for now.
    muted: bool,
    /// What the sinks were opened with.
    opened: Option<RunInfo>,
}

struct Entry {
    /// Under which a checkpoint holds its state.
    key: String,
    /// What it is called in messages.
    name: String,
    sink: Box<dyn Sink>,
    /// Whether the experiment has chosen it; what fails in others names itself.
    chosen: bool,
    /// All settings of one that the experiment has chosen, as a line.
    settings: String,
    /// Whether its failure ends the run.
    required: bool,
    stage: Stage,
    /// Whether it is one that is opened.
    opens: bool,
}

/// A sink of a run, for finding the saved state that belongs to it.
#[derive(Clone, Debug)]
pub struct SinkPlace {
    /// Under which a checkpoint holds its state.
    pub key: String,
    /// Its name in the experiment; `None` for a file of the engine itself.
    pub chosen: Option<String>,
    /// All settings of one that the experiment has chosen, as a line.
    pub settings: String,
    /// The settings on which its state depends.
    pub belongs_to: Vec<(&'static str, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not yet opened.
    Waiting,
    Open,
    /// It has failed, and gets nothing any more.
    Left,
}

impl Sinks {
    /// None yet.
    pub fn new() -> Sinks {
        Sinks::default()
    }

    /// Whether from now on the sinks get nothing: what is tried leaves no trace in them.
    pub(crate) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Adds a sink that needs no opening, and whose failure ends the run. A checkpoint holds its state under `sinks.NAME`.
    pub fn push(&mut self, name: &str, sink: impl Sink + 'static) {
        self.add(name, Box::new(sink), true, false);
        if let Some(entry) = self.entries.last_mut() {
            entry.stage = Stage::Open;
        }
    }

    /// Like [`Sinks::push`], for a sink that gets nothing until [`Sinks::open`], and whose failure ends the run only
    /// when it is required.
    pub fn push_closed(&mut self, name: &str, sink: impl Sink + 'static, required: bool) {
        self.add(name, Box::new(sink), required, false);
    }

    /// Adds a sink that the experiment chooses; it gets nothing until [`Sinks::open`].
    pub fn push_chosen(&mut self, config: &dyn SinkConfig) {
        self.add(config.typetag_name(), config.build_sink(), config.required(), true);
        // what can't be printed can't be told apart from others of its name, and has its place
        let settings = to_node(config).map_or_else(|_| String::new(), |node| print_line(&node));
        if let Some(entry) = self.entries.last_mut() {
            entry.settings = settings;
        }
    }

    /// The sinks, in their order.
    pub fn places(&self) -> Vec<SinkPlace> {
        let place = |entry: &Entry| SinkPlace {
            key: entry.key.clone(),
            chosen: entry.chosen.then(|| entry.name.clone()),
            settings: entry.settings.clone(),
            belongs_to: entry.sink.belongs_to(),
        };
        self.entries.iter().map(place).collect()
    }

    /// Each would cut and move aside the files of the other.
    fn check_folders(&self, run: &RunInfo) -> Result<()> {
        let folders: Vec<_> =
            self.entries.iter().filter_map(|entry| Some((entry.name.as_str(), entry.sink.folder(run)?))).collect();
        for (place, (second, folder)) in folders.iter().enumerate() {
            if let Some((first, _)) = folders[..place].iter().find(|(_, earlier)| earlier == folder) {
                return Err(Error::msg(format!(
                    "two sinks, `{first}` and `{second}`, would write into `{}`; take one of them away, or give it another \
                     `folder`",
                    folder.display()
                )));
            }
        }
        Ok(())
    }

    /// Opens the sinks that are not open yet, and prints the notices of all of them.
    ///
    /// # Errors
    /// When a required sink can't be opened, and when two sinks have the same folder.
    pub fn open(&mut self, run: &RunInfo) -> Result<()> {
        self.check_folders(run)?;
        let mut notices = Vec::new();
        self.serve(Stage::Waiting, |sink| {
            sink.open(run)?;
            notices.extend(sink.notice());
            Ok(())
        })?;
        self.entries.iter_mut().filter(|entry| entry.stage == Stage::Waiting).for_each(|entry| {
            (entry.stage, entry.opens) = (Stage::Open, true);
        });
        self.opened = Some(run.clone());
        notices.iter().try_for_each(|notice| self.line(&format!("warning: {notice}")))
    }

    /// Opens the sinks again that [`Sinks::open`] has opened, at the place in their states, as in a resumed run: rows behind
    /// it are dropped.
    ///
    /// # Errors
    /// When a required sink can't be opened.
    pub fn reopen(&mut self, at: Moment) -> Result<()> {
        let Some(run) = self.opened.take() else { return Ok(()) };
        for entry in self.entries.iter_mut().filter(|entry| entry.stage == Stage::Open && entry.opens) {
            entry.stage = Stage::Waiting;
        }
        self.open(&RunInfo { resumed: Some(at), ..run })
    }

    /// Writes a row to each.
    ///
    /// # Errors
    /// When two of its values have the same name, or a required sink fails.
    pub fn row(&mut self, row: &Row) -> Result<()> {
        row.check()?;
        self.serve(Stage::Open, |sink| sink.row(row))
    }

    /// Sends a value to each sink that accepts its kind.
    ///
    /// # Errors
    /// When a sink fails that is required.
    pub fn event(&mut self, event: &Event) -> Result<()> {
        let kind = event.value.kind();
        self.serve(Stage::Open, |sink| if sink.takes(kind) { sink.event(event) } else { Ok(()) })
    }

    /// Whether any sink accepts values of this kind.
    pub fn takes(&self, kind: ValueKind) -> bool {
        self.entries.iter().any(|entry| entry.stage != Stage::Left && entry.sink.takes(kind))
    }

    /// Whether the message that no sink accepts this kind was not printed yet. True once for each kind.
    pub fn is_first_untaken(&mut self, kind: ValueKind) -> bool {
        let first = !self.muted && !self.untaken.contains(&kind);
        if first {
            self.untaken.push(kind);
        }
        first
    }

    /// Writes a message for people to each sink.
    ///
    /// # Errors
    /// When a sink fails that is required.
    pub fn line(&mut self, text: &str) -> Result<()> {
        self.serve(Stage::Open, |sink| sink.line(text))
    }

    /// Shows the progress of a loop.
    ///
    /// # Errors
    /// When a required sink panics.
    pub fn progress(&mut self, progress: Progress) -> Result<()> {
        self.serve(Stage::Open, |sink| {
            sink.progress(progress);
            Ok(())
        })
    }

    /// Writes everything received so far to the disk.
    ///
    /// # Errors
    /// When a sink fails that is required.
    pub fn flush(&mut self) -> Result<()> {
        self.serve(Stage::Open, |sink| sink.flush())
    }

    /// Tells each sink how the run has ended.
    ///
    /// # Errors
    /// When a sink fails that is required.
    pub fn end(&mut self, how: Outcome) -> Result<()> {
        self.serve(Stage::Open, |sink| sink.end(how))
    }

    /// The states of sinks that have one, with their keys in checkpoints.
    pub fn states(&self) -> Vec<(String, StateMap)> {
        let states = self.entries.iter().map(|entry| (entry.key.clone(), entry.sink.save_state()));
        states.filter(|(_, state)| !state.0.is_empty()).collect()
    }

    /// Restores the state of each sink from a checkpoint. Returns messages: which sinks begin here, and which have
    /// failed and are no longer used. Nothing is written to a sink.
    ///
    /// # Errors
    /// When a state does not fit a required sink.
    pub fn load_states(&mut self, mut state: StateMap) -> Result<Vec<String>> {
        let mut failed = Vec::new();
        let mut told = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let Some(saved) = state.0.contains_key(&entry.key).then(|| state.take_map(&entry.key)) else {
                if entry.chosen {
                    told.push(format!(
                        "the checkpoint has no state of the sink `{}`: its record begins at this iter",
                        entry.name
                    ));
                }
                continue;
            };
            let loaded = saved.and_then(|saved| entry.sink.load_state(saved));
            if let Err(error) = loaded {
                failed.push((index, Error::from(error.at(&format!("sinks.{}", entry.key)))));
            }
        }
        let (left, failed) = self.leave(failed);
        told.extend(left);
        failed.map(|()| told)
    }

    fn add(&mut self, name: &str, sink: Box<dyn Sink>, required: bool, chosen: bool) {
        // by name and not by place, so that the file can add one before it
        let earlier = self.entries.iter().filter(|entry| entry.name == name).count();
        let key = match earlier {
            0 => name.to_owned(),
            _ => format!("{name}.{earlier}"),
        };
        self.entries.push(Entry {
            key,
            name: name.to_owned(),
            sink,
            chosen,
            required,
            settings: String::new(),
            stage: Stage::Waiting,
            opens: false,
        });
    }

    /// Serves every sink of a stage, also when one of them fails or panics.
    fn serve(&mut self, stage: Stage, mut serve: impl FnMut(&mut dyn Sink) -> Result<()>) -> Result<()> {
        if self.muted {
            return Ok(());
        }
        // without an allocation as long as nothing fails
        let mut failed = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate().filter(|(_, entry)| entry.stage == stage) {
            if let Err(error) = panics::catch(Whose(&entry.name), || serve(entry.sink.as_mut())) {
                failed.push((index, error));
            }
        }
        if failed.is_empty() { Ok(()) } else { self.settle(failed) }
    }

    /// Leaves sinks that have failed and need not be there, each told once; the first error of the others.
    #[cold]
    fn settle(&mut self, failed: Vec<(usize, Error)>) -> Result<()> {
        let (told, first) = self.leave(failed);
        told.iter().fold(first, |first, text| first.and(self.line(text)))
    }

    /// Leaves sinks that have failed and need not be there, with a text for each; and the first error of the others.
    fn leave(&mut self, failed: Vec<(usize, Error)>) -> (Vec<String>, Result<()>) {
        let mut first = Ok(());
        let mut told = Vec::new();
        for (index, error) in failed {
            let entry = &mut self.entries[index];
            let name = &entry.name;
            if !entry.required {
                entry.stage = Stage::Left;
                told.push(format!("warning: the sink `{name}` has failed, the run goes on without it: {error:#}"));
            } else if entry.chosen {
                let failed = format!("the sink `{name}` has failed, and it is marked `required`");
                first = first.and(Err(error).context(failed));
            } else {
                first = first.and(Err(error));
            }
        }
        (told, first)
    }
}

/// Whose panic it is.
struct Whose<'a>(&'a str);

impl fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sink `{}`", self.0)
    }
}

impl fmt::Debug for Sinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|entry| &entry.key)).finish()
    }
}

#[cfg(test)]
mod tests;

//! TensorBoard's event files: curves, pictures, histograms, texts, and a table of runs with their settings.

mod file;
mod hparams;
mod proto;
mod values;

use crate::base::error::Result;
use crate::record::{Event, Outcome, Row, RowPhase, RunInfo, Sink, ValueKind};
use engine_macros::component;
use file::{EventFile, Writer};
use proto::{SessionLog, Summary, What};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Writes event files for TensorBoard: `tensorboard --logdir runs` shows every run.
///
/// A value is at the finished iters of its moment, under its full name: `train/loss`, `val/accuracy`. Images and figures
/// are PNG, tables and texts Markdown; an SVG figure can't be shown, and is left out. The experiment's settings and the
/// metrics of evaluations are under HParams. The graph of the model is not written.
///
/// A resumed run goes on in a new file, and cuts the older ones at its checkpoint: what a reader finds is what it would
/// find of a run that was never stopped.
#[component(sink)]
#[derive(Debug)]
pub struct TensorBoard {
    /// Where the files go, in a folder of the run's name; by default into `tensorboard` in the run's own folder.
    #[config(default)]
    folder: Option<PathBuf>,
    /// Seconds after which values are handed to the operating system, so that TensorBoard can show them. At checkpoints
    /// and at the end all are brought to the disk.
    #[config(default = 10.0, range = 0.0..)]
    flush_interval: f64,
    /// What is written: rows and values of these loops.
    #[config(default = [RowPhase::Train, RowPhase::Val, RowPhase::Test].to_vec())]
    phases: Vec<RowPhase>,
    /// The file that was being written.
    #[state]
    file: Option<String>,
    /// Where its last record ends, in bytes.
    #[state]
    position: u64,
    #[transient]
    out: Option<EventFile>,
    #[transient]
    flushed: Option<Instant>,
}

impl TensorBoard {
    /// Writes values of one step, if there are any.
    fn write(&mut self, step: u64, value: Vec<proto::Value>) -> Result<()> {
        let Some(out) = self.out.as_mut().filter(|_| !value.is_empty()) else { return Ok(()) };
        out.write(step, What::Summary(Summary { value }))?;
        self.position = out.length();
        let flushed = *self.flushed.get_or_insert_with(Instant::now);
        if flushed.elapsed() >= Duration::try_from_secs_f64(self.flush_interval).unwrap_or(Duration::MAX) {
            out.flush()?;
            self.flushed = None;
        }
        Ok(())
    }
}

impl Sink for TensorBoard {
    fn open(&mut self, run: &RunInfo) -> Result<()> {
        let folder = match &self.folder {
            None => run.folder.join("tensorboard"),
            Some(folder) => folder.join(&run.name),
        };
        let first = match (run.phase, run.resumed, &self.file) {
            (RowPhase::Val | RowPhase::Test, ..) => {
                self.out = Some(EventFile::create(&folder, Writer::Evaluation)?);
                return Ok(());
            }
            (RowPhase::Train, None, _) => {
                file::move_aside(&folder)?;
                true
            }
            (RowPhase::Train, Some(_), None) => true,
            (RowPhase::Train, Some(_), Some(file)) => {
                file::cut(&folder, file, self.position)?;
                false
            }
        };
        let mut out = EventFile::create(&folder, Writer::Training)?;
        if let Some(at) = run.resumed {
            // for readers that hold what was cut
            out.write(at.iter + 1, What::SessionLog(SessionLog { status: 1 }))?;
        }
        (self.file, self.position) = (Some(out.name()), out.length());
        self.out = Some(out);
        if first {
            let experiment = values::text("experiment", &format!("```\n{}\n```", run.experiment.trim_end()));
            let mut about = hparams::begin(run);
            about.push(experiment);
            self.write(0, about)?;
        }
        Ok(())
    }

    fn takes(&self, kind: ValueKind) -> bool {
        kind != ValueKind::Svg
    }

    fn event(&mut self, event: &Event) -> Result<()> {
        match self.phases.contains(&event.phase) {
            true => self.write(event.at.iter, values::summaries(&event.key(), &event.value)?),
            false => Ok(()),
        }
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        if !self.phases.contains(&row.phase) {
            return Ok(());
        }
        let values = row.values.iter().map(|(name, value)| values::scalar(&row.key(name), *value));
        self.write(row.at.iter, values.collect())
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.out {
            Some(out) => Ok(out.sync()?),
            None => Ok(()),
        }
    }

    fn end(&mut self, how: Outcome) -> Result<()> {
        let is_training = self.out.as_ref().is_some_and(|out| Some(out.name()) == self.file);
        match hparams::end(how) {
            Some(end) if is_training => self.write(0, vec![end]),
            _ => Ok(()),
        }
    }
}

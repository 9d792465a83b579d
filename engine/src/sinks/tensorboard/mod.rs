//! TensorBoard's event files: curves, pictures, histograms, texts, and a table of runs with their settings.

mod file;
mod hparams;
mod proto;
mod values;

/// What a reader of event files needs.
pub(crate) mod event_files {
    pub(crate) use super::file::{START, masked as check_sum};
    pub(crate) use super::proto::{Event, Held, Histogram, What};
}

use crate::base::error::Result;
use crate::record::{Event, Outcome, Row, RowPhase, RunInfo, Sink, ValueKind};
use engine_macros::component;
use file::{EventFile, Writer};
use proto::{SessionLog, Summary, What};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Writes event files for TensorBoard: `tensorboard --logdir runs` shows every run.
///
/// A value is at the finished iters of its moment, under its full name: `train/loss`, `val/accuracy`. Images and
/// figures are PNG, tables and texts Markdown; an SVG figure can't be shown, and is not written. The experiment's
/// settings and the metrics of evaluations are under HParams. The graph of the model is not written.
///
/// A resumed run continues in a new file, and truncates the older files at its checkpoint. So a reader finds the same
/// as for a run that was never stopped, also a TensorBoard that was open all the time.
#[component(sink)]
#[derive(Debug)]
pub struct TensorBoard {
    /// Where the files go, in a folder of the run's name; by default into `tensorboard` in the run's own folder.
    #[config(default, resets_state)]
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
    /// What a person has to know of the opening.
    #[transient]
    notice: Option<String>,
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

impl TensorBoard {
    fn folder_of(&self, run: &RunInfo) -> PathBuf {
        match &self.folder {
            None => run.folder.join("tensorboard"),
            Some(folder) => folder.join(&run.name),
        }
    }
}

impl Sink for TensorBoard {
    fn folder(&self, run: &RunInfo) -> Option<PathBuf> {
        Some(self.folder_of(run))
    }

    fn open(&mut self, run: &RunInfo) -> Result<()> {
        let folder = self.folder_of(run);
        let first = match (run.phase, run.resumed, &self.file) {
            (RowPhase::Val | RowPhase::Test, ..) => {
                self.out = Some(EventFile::create(&folder, Writer::Evaluation)?);
                return Ok(());
            }
            // a run that begins in a folder of its own: what is there comes from one that has left no checkpoint
            (RowPhase::Train, None, _) if self.folder.is_none() => {
                file::cut(&folder, "", 0)?;
                true
            }
            (RowPhase::Train, None, _) => {
                file::move_aside(&folder)?;
                true
            }
            (RowPhase::Train, Some(_), None) => true,
            (RowPhase::Train, Some(_), Some(file)) => {
                let there = file::cut(&folder, file, self.position)?;
                if there < self.position {
                    self.notice = Some(format!(
                        "values are missing from `{}`: it has {there} bytes, and had {} when the checkpoint was written",
                        folder.join(file).display(),
                        self.position
                    ));
                }
                false
            }
        };
        let mut out = EventFile::create(&folder, Writer::Training)?;
        // for readers that hold what was cut, or what lay here before
        let next = run.resumed.map_or(0, |at| at.iter + 1);
        out.write(next, What::SessionLog(SessionLog { status: 1 }))?;
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

    fn notice(&mut self) -> Option<String> {
        self.notice.take()
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

#[cfg(test)]
mod tests {
    use super::file::tests::records;
    use super::proto::Held;
    use super::*;
    use crate::base::state::{State as _, StateMap};
    use crate::record::{Moment, SinkComponent as _, Value};
    use std::path::Path;

    fn board(settings: &str) -> TensorBoard {
        TensorBoard::build(&ron::from_str(settings).unwrap())
    }

    fn row(iter: u64, loss: f64) -> Row {
        let at = Moment { iter, ..Moment::default() };
        Row { phase: RowPhase::Train, loader: None, at, values: vec![("loss".to_owned(), loss)] }
    }

    /// What a reader makes of a folder: (tag, step, number) of what no restart has voided.
    fn series(folder: &Path) -> Vec<(String, i64, f32)> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let mut kept: Vec<(String, i64, f32)> = Vec::new();
        for event in paths.iter().flat_map(|path| records(&std::fs::read(path).unwrap())) {
            match event.what {
                Some(What::SessionLog(_)) => kept.retain(|(_, step, _)| *step < event.step),
                Some(What::Summary(summary)) => kept.extend(summary.value.into_iter().filter_map(|value| {
                    let Some(Held::Simple(number)) = value.held else { return None };
                    Some((value.tag, event.step, number))
                })),
                _ => {}
            }
        }
        kept
    }

    fn losses(of: &[(i64, f32)]) -> Vec<(String, i64, f32)> {
        of.iter().map(|(step, loss)| ("train/loss".to_owned(), *step, *loss)).collect()
    }

    fn resumed(iter: u64, state: StateMap, run: &RunInfo) -> TensorBoard {
        let mut board = board("()");
        board.load_state(state).unwrap();
        board.open(&RunInfo { resumed: Some(Moment { iter, ..Moment::default() }), ..run.clone() }).unwrap();
        board
    }

    #[test]
    fn a_killed_and_resumed_run_leaves_the_series_of_one_that_went_on() {
        let dir = tempfile::tempdir().unwrap();
        let (run, folder) = (RunInfo::new("run", dir.path()), dir.path().join("tensorboard"));
        let mut first = board("(flush_interval: 0.0)");
        first.open(&run).unwrap();
        first.row(&row(10, 1.0)).unwrap();
        first.flush().unwrap();
        let (name, position) = (first.file.clone().unwrap(), first.position);
        let checkpoint = || {
            let mut state = StateMap::new();
            state.put("file", &Some(name.clone()));
            state.put("position", &position);
            state
        };
        // after the checkpoint: of its own iter and of a later one, the last torn by the kill
        first.row(&row(10, 99.0)).unwrap();
        first.row(&row(20, 99.0)).unwrap();
        let file = folder.join(&name);
        drop(first);
        let whole = std::fs::read(&file).unwrap();
        for torn in 0..60 {
            std::fs::write(&file, &whole[..whole.len() - torn]).unwrap();
            let mut killed_again = resumed(10, checkpoint(), &run);
            killed_again.row(&row(15, 99.0)).unwrap();
            killed_again.flush().unwrap();
            drop(killed_again);
            let mut second = resumed(10, checkpoint(), &run);
            second.row(&row(20, 2.0)).unwrap();
            second.flush().unwrap();
            assert_eq!(series(&folder), losses(&[(10, 1.0), (20, 2.0)]), "torn at {torn}");
        }
    }

    #[test]
    fn the_file_of_a_resumed_run_is_read_after_those_that_it_drops() {
        let dir = tempfile::tempdir().unwrap();
        let (run, folder) = (RunInfo::new("run", dir.path()), dir.path().join("tensorboard"));
        let mut first = board("()");
        first.open(&run).unwrap();
        let (name, position) = (first.file.clone().unwrap(), first.position);
        let mut last = name.clone();
        // killed again and again, all within a second
        for _ in 0..12 {
            let mut state = StateMap::new();
            state.put("file", &Some(name.clone()));
            state.put("position", &position);
            let next = resumed(0, state, &run).file.clone().unwrap();
            assert!(next > last, "{next} is read before {last}");
            // a reader that is in the middle of the older one finds it there, and goes on
            assert!(last == name || folder.join(&last).metadata().unwrap().len() == 0);
            last = next;
        }
    }

    #[test]
    fn without_a_state_a_resumed_run_voids_the_later_values() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunInfo::new("run", dir.path());
        let mut first = board("()");
        first.open(&run).unwrap();
        [10, 20, 30].into_iter().for_each(|iter| first.row(&row(iter, 1.0)).unwrap());
        first.flush().unwrap();
        let mut second = board("()");
        second.open(&RunInfo { resumed: Some(Moment { iter: 20, ..Moment::default() }), ..run }).unwrap();
        second.row(&row(30, 2.0)).unwrap();
        second.flush().unwrap();
        assert_eq!(series(&dir.path().join("tensorboard")), losses(&[(10, 1.0), (20, 1.0), (30, 2.0)]));
    }

    #[test]
    fn a_run_that_begins_moves_the_files_of_another_one_aside() {
        let dir = tempfile::tempdir().unwrap();
        let settings = ron::from_str(&format!("(folder: Some({:?}))", dir.path())).unwrap();
        let run = RunInfo::new("run", "elsewhere");
        for loss in [1.0, 2.0] {
            let mut board = TensorBoard::build(&settings);
            board.open(&run).unwrap();
            board.row(&row(1, loss)).unwrap();
            board.flush().unwrap();
        }
        assert_eq!(series(&dir.path().join("run")), losses(&[(1, 2.0)]));
        assert_eq!(series(&dir.path().join("run.1")), losses(&[(1, 1.0)]));
    }

    #[test]
    fn a_run_that_begins_again_in_its_own_folder_voids_what_a_killed_one_has_left_there() {
        let dir = tempfile::tempdir().unwrap();
        let (run, folder) = (RunInfo::new("run", dir.path()), dir.path().join("tensorboard"));
        for loss in [1.0, 2.0] {
            let mut board = board("()");
            board.open(&run).unwrap();
            board.row(&row(1, loss)).unwrap();
            board.flush().unwrap();
        }
        assert_eq!(series(&folder), losses(&[(1, 2.0)]));
        // nothing was moved beside the folder, where TensorBoard would show it as another run
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        // a reader that holds the older file is told at the begin of the newer one
        let file = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
        let second = records(&std::fs::read(file).unwrap()).remove(1);
        assert!(
            matches!(second.what, Some(What::SessionLog(SessionLog { status: 1 })) if second.step == 0),
            "{second:?}"
        );
    }

    #[test]
    fn phases_that_are_not_wanted_are_left_out_and_results_are_added() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunInfo::new("run", dir.path());
        let mut board = board("(phases: [Val, Test])");
        board.open(&run).unwrap();
        board.row(&row(1, 1.0)).unwrap();
        board.row(&Row { phase: RowPhase::Val, ..row(1, 2.0) }).unwrap();
        board.flush().unwrap();
        let mut test = self::board("()");
        test.open(&RunInfo { phase: RowPhase::Test, ..run }).unwrap();
        test.row(&Row { phase: RowPhase::Test, ..row(1, 3.0) }).unwrap();
        test.flush().unwrap();
        let expected = [("val/loss".to_owned(), 1, 2.0), ("test/loss".to_owned(), 1, 3.0)];
        assert_eq!(series(&dir.path().join("tensorboard")), expected);
    }

    #[test]
    fn a_value_is_on_the_disk_after_the_interval_and_not_before() {
        let dir = tempfile::tempdir().unwrap();
        let text = |name: &str| Event {
            phase: RowPhase::Train,
            loader: None,
            at: Moment::default(),
            name: name.to_owned(),
            value: Value::Number(1.0),
        };
        for (interval, written) in [("0.0", 1), ("1e300", 0)] {
            let run = RunInfo::new(interval, dir.path().join(interval));
            let mut board = board(&format!("(flush_interval: {interval})"));
            board.open(&run).unwrap();
            board.event(&text("x")).unwrap();
            assert_eq!(series(&dir.path().join(interval).join("tensorboard")).len(), written, "{interval}");
        }
    }
}

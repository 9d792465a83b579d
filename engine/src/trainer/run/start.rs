//! How a training begins: its folder, the checkpoint that it goes on from, its files.

use crate::base::disk::{DiskContext as _, write_atomic};
use crate::base::{Error, ErrorContext as _, Iter, Result, plain, temporary};
use crate::checkpoint::{self, Newest};
use crate::config::{Difference, MAX_FILE, Node, differences, parse_text, print_line};
use crate::dist::Process;
use crate::folder::{EXPERIMENT, FolderError, Mode, RunFolder};
use crate::loops::LoopConfig;
use crate::phase::at;
use crate::record::RunInfo;
use crate::trainer::run::ranks::ToldStart;
use crate::trainer::run::{Program, ranks};
use crate::trainer::{Build, Experiment};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The claim of a run on its folder.
///
/// A folder that can't be had is an error at once, before anything is built. Only an old run that has to be moved
/// aside stays where it is until the new one is built.
pub(super) struct Claim {
    work_dir: PathBuf,
    name: String,
    path: PathBuf,
    mode: Mode,
    taken: Option<RunFolder>,
}

impl Claim {
    /// Settles which folder the name of an experiment means: of a run that is to go on the newest that there is, of one that
    /// begins the one of today. The experiment has that name from then on. One that is to be new is taken at once.
    ///
    /// # Errors
    /// Those of [`RunFolder::create_next`].
    pub(super) fn settle<T: Build>(
        experiment: &mut Experiment<T>,
        mode: Mode,
    ) -> Result<Option<RunFolder>, FolderError> {
        if experiment.name.is_settled() {
            return Ok(None);
        }
        let work_dir = &experiment.work_dir;
        let newest = match mode {
            Mode::Resume | Mode::Auto => experiment.name.newest(work_dir),
            Mode::New | Mode::Fresh => None,
        };
        let begun = experiment.name.begun();
        let (name, folder) = match newest {
            Some(newest) => (newest, None),
            None if experiment.name.is_fresh() && mode != Mode::Resume => {
                let folder = RunFolder::create_next(work_dir, &begun)?;
                let name = folder.path().file_name().map(|name| name.to_string_lossy().into_owned());
                (name.unwrap_or(begun), Some(folder))
            }
            None => (begun, None),
        };
        experiment.name = name.into();
        Ok(folder)
    }

    /// Claims the folder of an experiment, whose name is settled; `taken` when that was done then.
    ///
    /// # Errors
    /// Those of [`RunFolder::create`].
    pub(super) fn of<T: Build>(
        experiment: &Experiment<T>,
        mode: Mode,
        taken: Option<RunFolder>,
    ) -> Result<Claim, FolderError> {
        let (work_dir, name) = (experiment.work_dir.clone(), experiment.name.text().to_owned());
        let taken = match mode {
            _ if taken.is_some() => taken,
            Mode::Fresh => None,
            Mode::New | Mode::Resume | Mode::Auto => Some(RunFolder::create(&work_dir, &name, mode)?),
        };
        Ok(Claim { path: work_dir.join(&name), work_dir, name, mode, taken })
    }

    /// Where the folder is, or will be.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder; an old run is moved aside now.
    ///
    /// # Errors
    /// Those of [`RunFolder::create`].
    pub(super) fn take_folder(self) -> Result<RunFolder, FolderError> {
        match self.taken {
            Some(folder) => Ok(folder),
            None => RunFolder::create(&self.work_dir, &self.name, self.mode),
        }
    }
}

/// What a training goes on from, and the experiment that it runs.
///
/// Looking for a checkpoint and restoring it change no file. So what can't be resumed is refused while the run's folder is
/// as it was; only then [`Start::begin`] writes.
pub(super) struct Start {
    mode: Mode,
    /// The experiment, as `experiment.ron` will hold it.
    experiment: String,
    /// What `experiment.ron` holds now, where the run is gone on with.
    before: Option<Vec<u8>>,
    newest: Newest,
    /// The checkpoints that the run leaves behind, for it goes on from an older one.
    later: Vec<PathBuf>,
    /// The checkpoint of this run that was restored.
    resumed: Option<PathBuf>,
    /// The checkpoint with whose state a new run begins.
    forked: Option<PathBuf>,
    /// What a person has to know before the training goes on.
    told: Vec<String>,
}

impl Start {
    /// Looks for the checkpoint to go on from: the newest of the run, or the one that is named. Rank 0 has the folder and
    /// looks; the others are told.
    ///
    /// # Errors
    /// When no checkpoint can be read although there are some, or not the one that is named; when that one is not of this
    /// run, which is resumed; and when something else lies in the place of `experiment.ron`. When another rank is gone.
    pub(super) fn look(
        folder: Option<RunFolder>,
        process: &Process,
        from: Option<&Path>,
        experiment: String,
    ) -> Result<(RunFolder, Start)> {
        let own = folder.map(|folder| Start::of_folder(&folder, from, experiment.clone()).map(|start| (folder, start)));
        let own = own.transpose()?;
        let told = ranks::tell_start(process, || {
            let (folder, start) = own.as_ref()?;
            let checkpoint = start.newest.found.as_ref().map(|(path, _)| path.clone());
            Some(ToldStart { folder: folder.path().to_owned(), mode: folder.mode(), checkpoint })
        })?;
        match (own, told) {
            (Some(own), _) => Ok(own),
            (None, Some(told)) => {
                let load = |path: PathBuf| -> Result<_> { Ok((path.clone(), checkpoint::load(&path)?)) };
                let newest = Newest { found: told.checkpoint.map(load).transpose()?, unusable: Vec::new() };
                let (mode, before, later) = (told.mode, None, Vec::new());
                let start =
                    Start { mode, experiment, before, newest, later, resumed: None, forked: None, told: Vec::new() };
                Ok((RunFolder::shared(&told.folder, mode), start))
            }
            (None, None) => Err(Error::msg("rank 0 has told no folder")),
        }
    }

    fn of_folder(folder: &RunFolder, from: Option<&Path>, experiment: String) -> Result<Start> {
        let mode = folder.mode();
        let named = |path: &Path| -> Result<Newest> {
            Ok(Newest { found: Some((path.to_owned(), checkpoint::load(path)?)), unusable: Vec::new() })
        };
        let mut later = Vec::new();
        let (newest, before) = match (mode, from) {
            (Mode::Resume, None) => {
                (checkpoint::newest_valid(&folder.checkpoints())?, saved_experiment(&folder.experiment())?)
            }
            (Mode::Resume, Some(path)) => {
                let path = own_checkpoint(folder, path)?;
                let newest = named(&path)?;
                let iter = newest.found.as_ref().map(|(_, snapshot)| snapshot.meta.iter);
                later = checkpoint::later_than(&folder.checkpoints(), iter.unwrap_or_default())?;
                (newest, saved_experiment(&folder.experiment())?)
            }
            (_, Some(path)) => (named(path)?, None),
            (_, None) => (Newest::default(), None),
        };
        Ok(Start { mode, experiment, before, newest, later, resumed: None, forked: None, told: Vec::new() })
    }

    /// Puts the program and its sinks where the checkpoint's run stood.
    ///
    /// # Errors
    /// When the checkpoint doesn't fit the program.
    pub(super) fn restore<T: Build>(&mut self, program: &mut Program<T>) -> Result<()> {
        let Some((path, mut snapshot)) = self.newest.found.take() else { return Ok(()) };
        let place = checkpoint::place_of(&path);
        let failed = || format!("{} can't be resumed", place.display());
        if self.mode != Mode::Resume || !program.run.process.is_main() {
            // their states are positions in files of the other run, or of rank 0
            snapshot.state.put_map("sinks", |_| {});
            // as are its checkpoints
            snapshot.state.put("regular", &Vec::<Iter>::new());
        }
        self.told = program.take_back(snapshot).with_context(failed)?;
        program.prepare_train().with_context(failed)?;
        if self.mode != Mode::Resume || !checkpoint::is_counted(&place) {
            // no resume would find it
            program.run.storage.saved_at = None;
        }
        match self.mode {
            Mode::Resume => self.resumed = Some(place),
            _ => self.forked = Some(place),
        }
        Ok(())
    }

    /// Whether a checkpoint was restored.
    pub(super) fn goes_on(&self) -> bool {
        self.resumed.is_some() || self.forked.is_some()
    }

    /// The run goes on from here: brings its checkpoints in order. A run that begins writes its experiment.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn begin(&mut self, folder: &RunFolder) -> Result<()> {
        let checkpoints = folder.checkpoints();
        checkpoint::put_back(&checkpoints)?;
        for error in checkpoint::clean(&checkpoints)?.failed {
            self.told.push(format!("warning: files that a killed process has left could not be removed: {error}"));
        }
        temporary::clean(folder.path(), None);
        for path in &self.later {
            let aside = checkpoint::leave_behind(path)?;
            self.told.push(format!("left behind: what was {} is {}", path.display(), aside.display()));
        }
        if let Some(path) = self.resumed.as_ref().filter(|path| checkpoint::is_counted(path)) {
            checkpoint::set_latest(&checkpoints, path)?;
            checkpoint::complete(&checkpoints, path)?;
        }
        for (path, why) in &self.newest.unusable {
            self.told.push(format!("warning: a checkpoint can't be used: {why}"));
            if self.resumed.is_some() && why.is_damage() {
                self.told.push(match checkpoint::set_aside(&checkpoint::place_of(path)) {
                    Ok(aside) => format!("it was moved to {} and will not be used", aside.display()),
                    Err(error) => {
                        format!("warning: it could not be moved away, so it still counts as one of the checkpoints to keep: {error}")
                    }
                });
            }
        }
        match self.mode {
            Mode::Resume => Ok(()),
            Mode::New | Mode::Fresh | Mode::Auto => Ok(write_atomic(&folder.experiment(), self.experiment.as_bytes())?),
        }
    }

    /// What the sinks are told when they are opened.
    pub(super) fn info<T: Build>(&self, info: RunInfo, program: &Program<T>) -> RunInfo {
        RunInfo { resumed: self.resumed.as_ref().map(|_| program.run.moment()), ..info }
    }

    /// Says where the run goes on, and what is not as it was.
    ///
    /// # Errors
    /// When a sink can't write.
    pub(super) fn tell<T: Build>(&self, program: &mut Program<T>) -> Result<()> {
        let mut lines = Vec::new();
        let from = match (&self.resumed, &self.forked) {
            (Some(path), _) => Some(("resumed", path)),
            (_, Some(path)) => Some(("forked", path)),
            _ => None,
        };
        match from {
            Some((what, path)) => {
                let clocks = program.run.clocks();
                lines.push(format!("{what} from {} at {}, {}", path.display(), clocks.epoch(), clocks.iter()));
            }
            None if self.mode == Mode::Resume => {
                lines.push("warning: the run has no checkpoint to go on from, so it begins anew".to_owned());
            }
            None => {}
        }
        lines.extend(self.changes());
        lines.extend(self.told.iter().cloned());
        if from.is_some() && program.run.clocks().is_finished() {
            lines.push("the plan of this run is finished: there is nothing left to train".to_owned());
        }
        lines.iter().try_for_each(|line| program.run.say(line))
    }

    /// Trains, from the checkpoint's place on if there is one, by the loop that the experiment chooses.
    ///
    /// # Errors
    /// Those of the training.
    pub(super) fn train<T: Build>(self, program: &mut Program<T>, train_loop: Option<&dyn LoopConfig>) -> Result<()> {
        if self.resumed.is_some() || self.forked.is_some() {
            program.phase::<at::AfterLoadCheckpoint>()?;
        }
        program.train_with(|program| {
            // only now: a hook may refuse its settings in `before_train`, and a training that is over takes no new ones
            if self.mode == Mode::Resume && !program.is_over() && program.run.process.is_main() {
                self.replace_experiment(program)?;
            }
            program.epochs_by(train_loop)
        })
    }

    /// Each setting that has changed since the run was last gone on with, a line each.
    fn changes(&self) -> Vec<String> {
        let Some(before) = self.before.as_deref().filter(|before| *before != self.experiment.as_bytes()) else {
            return Vec::new();
        };
        let before = String::from_utf8_lossy(before);
        let read = |text: &str| parse_text(EXPERIMENT, text).map(|document| document.root);
        let (Ok(before), Ok(after)) = (read(&before), read(&self.experiment)) else {
            return vec![format!("the run's `{EXPERIMENT}` can't be read, so it is not known what has changed")];
        };
        let text = |node: &Option<Node>| node.as_ref().map_or_else(|| "nothing".to_owned(), print_line);
        let line =
            |found: Difference| format!("changed: `{}`: {} -> {}", found.path, text(&found.before), text(&found.after));
        differences(&before, &after).into_iter().map(line).collect()
    }

    /// Writes the experiment with which a run goes on, and keeps a copy of another one that it had before.
    fn replace_experiment<T: Build>(&self, program: &mut Program<T>) -> Result<()> {
        let Some(folder) = &program.run.storage.folder else { return Ok(()) };
        let path = folder.experiment();
        let kept = match self.before.as_ref().filter(|before| **before != self.experiment.as_bytes()) {
            Some(before) => keep_beside(&path, before)?,
            None => None,
        };
        write_atomic(&path, self.experiment.as_bytes())?;
        let Some(kept) = kept else { return Ok(()) };
        let text = format!("the experiment has changed since the run began; the earlier one is in {}", kept.display());
        program.run.say(&text)
    }
}

/// A checkpoint that a run is to go on from, as a path in its folder.
fn own_checkpoint(folder: &RunFolder, path: &Path) -> Result<PathBuf> {
    let real = |path: &Path| path.canonicalize().while_trying("read", path);
    let (found, own) = (real(path)?, real(&folder.checkpoints())?);
    match (found.parent() == Some(own.as_path()), found.file_name()) {
        (true, Some(name)) => Ok(folder.checkpoints().join(name)),
        _ => Err(Error::msg(format!(
            "`{}` is no checkpoint of the run in `{}`, and a run goes on from its own; `--fork` begins a new run from any",
            path.display(),
            folder.path().display()
        ))),
    }
}

/// The bytes of `experiment.ron` as a run has left it; `None` when it has not come so far.
fn saved_experiment(path: &Path) -> Result<Option<Vec<u8>>> {
    match plain::read(path, MAX_FILE) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => Ok(Some(read.while_trying("read", path)?)),
    }
}

/// Writes an old experiment beside the one that replaces it; gives back its path.
fn keep_beside(path: &Path, before: &[u8]) -> Result<Option<PathBuf>> {
    let mut names = (1u64..).map(|number| path.with_file_name(format!("experiment.{number}.ron")));
    let kept = names.find(|kept| kept.symlink_metadata().is_err());
    if let Some(kept) = &kept {
        write_atomic(kept, before)?;
    }
    Ok(kept)
}

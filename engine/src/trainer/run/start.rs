//! How a training begins: its folder, the checkpoint that it goes on from, its files.

use crate::base::disk::write_atomic;
use crate::base::{ErrorContext as _, Result};
use crate::checkpoint::{self, Newest};
use crate::folder::{FolderError, Mode, RunFolder};
use crate::record::RunInfo;
use crate::trainer::run::Program;
use crate::trainer::{Build, Experiment};
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
    /// Claims the folder of an experiment.
    ///
    /// # Errors
    /// Those of [`RunFolder::create`].
    pub(super) fn of<T: Build>(experiment: &Experiment<T>, mode: Mode) -> Result<Claim, FolderError> {
        let (work_dir, name) = (experiment.work_dir.clone(), experiment.name.clone());
        let taken = match mode {
            Mode::Fresh => None,
            Mode::New | Mode::Resume => Some(RunFolder::create(&work_dir, &name, mode)?),
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
pub(super) struct Start {
    mode: Mode,
    /// The experiment, as `experiment.ron` will hold it.
    experiment: String,
    newest: Newest,
}

impl Start {
    /// Looks for the checkpoint to go on from. A run that begins writes its experiment now; one that goes on writes it
    /// in [`Start::resume`], because an experiment that doesn't fit the checkpoint must not replace the run's own.
    ///
    /// # Errors
    /// When no checkpoint can be read although there are some, or the disk fails.
    pub(super) fn in_folder(folder: &RunFolder, mode: Mode, experiment: String) -> Result<Start> {
        // before anything else: a checkpoint that was being replaced when the process was killed may be the only one
        checkpoint::put_back(&folder.checkpoints())?;
        checkpoint::clean(&folder.checkpoints())?;
        let newest = match mode {
            Mode::Resume => checkpoint::newest_valid(&folder.checkpoints())?,
            Mode::New | Mode::Fresh => {
                write_atomic(&folder.experiment(), experiment.as_bytes())?;
                Newest::default()
            }
        };
        Ok(Start { mode, experiment, newest })
    }

    /// Opens the sinks that wait, unless a checkpoint has to be restored first: what does not fit it must leave the files
    /// of the run as they are.
    ///
    /// # Errors
    /// When a sink can't be opened that is required.
    pub(super) fn open_sinks<T: Build>(&self, program: &mut Program<T>, info: &RunInfo) -> Result<()> {
        match self.newest.found {
            Some(_) => Ok(()),
            None => program.run.seen.sinks.open(info),
        }
    }

    /// Says what is not as the user may expect it: no checkpoint to go on from, or some that can't be used.
    ///
    /// # Errors
    /// When a sink can't write.
    pub(super) fn warn<T: Build>(&self, program: &mut Program<T>) -> Result<()> {
        if self.mode == Mode::Resume && self.newest.found.is_none() {
            program.run.say("warning: the run has no checkpoint to go on from, so it begins anew")?;
        }
        let unusable = self.newest.unusable.iter();
        unusable
            .map(|(_, why)| format!("warning: a checkpoint can't be used: {why}"))
            .try_for_each(|text| program.run.say(&text))
    }

    /// Puts the program and its sinks where the checkpoint's run stood, and writes the experiment with which the run goes
    /// on.
    ///
    /// # Errors
    /// When the checkpoint doesn't fit the program, or the disk fails.
    pub(super) fn resume<T: Build>(self, program: &mut Program<T>, info: RunInfo) -> Result<()> {
        if let Some((path, snapshot)) = self.newest.found {
            program.restore(snapshot).with_context(|| format!("{} can't be resumed", path.display()))?;
            let clocks = program.run.clocks();
            let text = format!("resumed from {} at {}, {}", path.display(), clocks.epoch(), clocks.iter());
            program.run.say(&text)?;
            if program.prepare_train().is_ok() && program.run.clocks().is_finished() {
                program.run.say("nothing is left of the training: its plan is done")?;
            }
            let checkpoints = path.parent().unwrap_or(Path::new("."));
            checkpoint::set_latest(checkpoints, &path)?;
            checkpoint::complete(checkpoints, &path)?;
            for (damaged, _) in self.newest.unusable.iter().filter(|(_, why)| why.is_damage()) {
                let aside = checkpoint::set_aside(damaged)?;
                program.run.say(&format!("it is now in {} and counts no more", aside.display()))?;
            }
            let info = RunInfo { resumed: Some(program.run.moment()), ..info };
            program.run.seen.sinks.open(&info)?;
        }
        match self.mode {
            Mode::Resume => replace_experiment(program, &self.experiment),
            Mode::New | Mode::Fresh => Ok(()),
        }
    }
}

/// Writes the experiment with which a run goes on, and keeps another one that it had before.
fn replace_experiment<T: Build>(program: &mut Program<T>, text: &str) -> Result<()> {
    let Some(folder) = &program.run.storage.folder else { return Ok(()) };
    let kept = keep_experiment(folder, text)?;
    write_atomic(&folder.experiment(), text.as_bytes())?;
    let Some(kept) = kept else { return Ok(()) };
    program.run.say(&format!("the experiment has changed since the run began; what it was is in {}", kept.display()))
}

/// When a run goes on with another experiment, keeps a copy of the old one beside it and returns its path.
fn keep_experiment(folder: &RunFolder, text: &str) -> Result<Option<PathBuf>> {
    let path = folder.experiment();
    let Some(before) = std::fs::read_to_string(&path).ok().filter(|before| before != text) else { return Ok(None) };
    let names = (1u64..).map(|number| path.with_file_name(format!("experiment.{number}.ron")));
    let kept = names.into_iter().find(|kept| kept.symlink_metadata().is_err());
    if let Some(kept) = &kept {
        write_atomic(kept, before.as_bytes())?;
    }
    Ok(kept)
}

//! The folder of the run that this process works on.

use super::content::{self, CHECKPOINTS, DUMPS, EXPERIMENT, LOG, METRICS, PLAN, holds_run, holds_work};
use super::error::FolderError;
use super::lock::{LOCK, Lock};
use super::name::check_name;
use super::series;
use crate::base::disk::{DiskContext, make_folder, missing_folders, sync_folder};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What to do about a run that is already there.
///
/// ```
/// use engine::folder::{Mode, RunFolder};
///
/// let work_dir = tempfile::tempdir()?;
/// let first = RunFolder::create(work_dir.path(), "digits", Mode::New)?;
/// std::fs::write(first.metrics(), "{}\n")?; // the run has written a row
/// drop(first);
///
/// let refused = RunFolder::create(work_dir.path(), "digits", Mode::New).unwrap_err();
/// assert!(refused.to_string().contains("already holds a run; continue it with `--resume`"));
/// assert!(RunFolder::create(work_dir.path(), "digits", Mode::Resume)?.metrics().exists());
/// let fresh = RunFolder::create(work_dir.path(), "digits", Mode::Fresh)?;
/// assert_eq!(fresh.moved_aside(), Some(work_dir.path().join("digits.1").as_path()));
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Refuse it.
    New,
    /// Go on with it; refuse when there is none.
    Resume,
    /// Continue it; begin when there is none.
    Auto,
    /// Move it aside to the first free of `name.1`, `name.2`, … and begin again.
    Fresh,
}

/// The folder of one run, locked until this value is dropped.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    moved_aside: Option<PathBuf>,
    reused: bool,
    /// It and the folders above it that were not there before, the innermost first.
    made: Vec<PathBuf>,
    /// Its device and number there: which folder it is, whatever its name.
    id: Option<(u64, u64)>,
    /// Who only reads it together with the process that has it holds none.
    lock: Option<Lock>,
    mode: Mode,
}

impl RunFolder {
    /// Takes the folder `work_dir/name/`, making it where it is missing.
    ///
    /// ```
    /// use engine::folder::{Mode, RunFolder};
    ///
    /// let work_dir = tempfile::tempdir()?;
    /// let folder = RunFolder::create(work_dir.path(), "digits", Mode::New)?;
    /// assert!(folder.checkpoints().is_dir());
    /// // locked for as long as the value lives
    /// let refused = RunFolder::create(work_dir.path(), "digits", Mode::Fresh).unwrap_err();
    /// assert!(refused.to_string().contains("is in use by process"));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the name is unfit, another process has the folder, it holds a run ([`Mode::New`]) or none
    /// ([`Mode::Resume`]), or a file operation fails. A run that wrote no row and no checkpoint is no reason to
    /// refuse: an empty earlier run is reused, and the log is appended to its lines.
    pub fn create(work_dir: &Path, name: &str, mode: Mode) -> Result<RunFolder, FolderError> {
        check_name(name)?;
        let path = work_dir.join(name);
        check_place(&path)?;
        if mode == Mode::Resume && !holds_run(&path) {
            return Err(FolderError::Nothing(path));
        }
        let mut moved_aside = None;
        let (made, lock) = loop {
            let made = missing_folders(&path).into_iter().map(Path::to_owned).collect();
            make_folder(&path)?;
            let lock = Lock::take(&path)?;
            // asked only now: before the lock, another process could still be writing its first file
            if mode != Mode::Fresh || !holds_run(&path) {
                break (made, lock);
            }
            // once it is aside another process may take the name before this one does, so all is asked again
            moved_aside = Some(move_aside(&path, work_dir, name)?);
        };
        let mode = match mode {
            Mode::Auto if holds_run(&path) => Mode::Resume,
            Mode::Auto => Mode::New,
            mode => mode,
        };
        if mode == Mode::New && holds_work(&path) {
            return Err(FolderError::Taken(path));
        }
        let reused = mode == Mode::New && holds_run(&path);
        if mode != Mode::Resume {
            // a run that is gone on with may still be refused, and stays as it is then
            let checkpoints = path.join(CHECKPOINTS);
            make_folder(&checkpoints)?;
        }
        let id = id_of(&path);
        Ok(RunFolder { path, moved_aside, reused, made, id, lock: Some(lock), mode })
    }

    /// Takes a folder that is not there yet: `work_dir/name/`, or with the number behind the largest that is there,
    /// `work_dir/name-2/`. Two processes never get the same one.
    ///
    /// ```
    /// use engine::folder::RunFolder;
    ///
    /// let work_dir = tempfile::tempdir()?;
    /// let first = RunFolder::create_next(work_dir.path(), "digits")?;
    /// let second = RunFolder::create_next(work_dir.path(), "digits")?;
    /// assert_eq!(first.path(), work_dir.path().join("digits"));
    /// assert_eq!(second.path(), work_dir.path().join("digits-2"));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the name is unfit, or a file operation fails.
    pub fn create_next(work_dir: &Path, name: &str) -> Result<RunFolder, FolderError> {
        check_name(name)?;
        let above: Vec<PathBuf> = missing_folders(work_dir).into_iter().map(Path::to_owned).collect();
        make_folder(work_dir)?;
        let mut number = series::next_number(work_dir, name);
        loop {
            let numbered = series::numbered(name, number);
            number = number.saturating_add(1);
            let path = work_dir.join(&numbered);
            match std::fs::create_dir(&path) {
                // another process has just made it
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                // another one has ended, and taken the empty folder with it
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    make_folder(work_dir)?;
                    continue;
                }
                made => made.while_trying("make", &path)?,
            }
            sync_folder(work_dir)?;
            match RunFolder::create(work_dir, &numbered, Mode::New) {
                Ok(mut folder) => {
                    folder.made = std::iter::once(path).chain(above).collect();
                    return Ok(folder);
                }
                // a process that was told this name has been faster
                Err(FolderError::InUse { .. } | FolderError::Taken(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The folder that another process of the same run has taken, for a process that works together with it.
    pub fn shared(path: &Path, mode: Mode) -> RunFolder {
        let id = id_of(path);
        RunFolder { path: path.to_owned(), moved_aside: None, reused: false, made: Vec::new(), id, lock: None, mode }
    }

    /// Whether the folder is still where it was, and this run's alone: who deletes or moves it would find a second one half
    /// filled, and who deletes its lock lets another process in.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self) -> Result<(), FolderError> {
        let found = id_of(&self.path);
        if found.is_none() || found != self.id {
            return Err(FolderError::Gone(self.path.clone()));
        }
        match self.lock.as_ref().and_then(|lock| lock.successor(&self.path)) {
            Some(holder) => Err(FolderError::InUse { path: self.path.clone(), holder }),
            None => Ok(()),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is done about a run that was here; never [`Mode::Auto`], which has become one of the others.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Where [`Mode::Fresh`] put the run that was here.
    pub fn moved_aside(&self) -> Option<&Path> {
        self.moved_aside.as_deref()
    }

    /// Whether [`Mode::New`] found a run that had come to nothing.
    pub fn is_reused(&self) -> bool {
        self.reused
    }

    /// The resolved experiment.
    pub fn experiment(&self) -> PathBuf {
        self.path.join(EXPERIMENT)
    }

    /// The text log.
    pub fn log(&self) -> PathBuf {
        self.path.join(LOG)
    }

    /// The text log of a process of several: `log.txt` of rank 0, `log.rank3.txt` of rank 3.
    pub fn log_of(&self, rank: usize) -> PathBuf {
        content::log_of(&self.path, rank)
    }

    /// The rows, one JSON object a line.
    pub fn metrics(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    /// The folder of the checkpoints. It exists, unless the run is gone on with and has none.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join(CHECKPOINTS)
    }

    /// What the training is going to do: a [`RunPlan`](super::RunPlan) as JSON.
    pub fn plan(&self) -> PathBuf {
        self.path.join(PLAN)
    }

    /// Where updates are dumped, for `replay`.
    pub fn dumps(&self) -> PathBuf {
        self.path.join(DUMPS)
    }
}

/// Refuses what is no folder in the place of a run's folder.
fn check_place(path: &Path) -> Result<(), FolderError> {
    let found = match (path.symlink_metadata(), path.metadata()) {
        (_, Ok(found)) if !found.is_dir() => "no folder",
        (Ok(_), Err(error)) if error.kind() == ErrorKind::NotFound => "a link to something that is not there",
        _ => return Ok(()),
    };
    Err(FolderError::NoFolder { path: path.to_owned(), found })
}

fn id_of(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|found| (found.dev(), found.ino()))
}

/// Moves a run to the first of `name.1`, `name.2`, … that is not there.
fn move_aside(path: &Path, work_dir: &Path, name: &str) -> Result<PathBuf, FolderError> {
    let mut number = 1u64;
    loop {
        let aside = work_dir.join(format!("{name}.{number}"));
        // renaming would put the run in the place of an empty folder too, and that may be of a run of this name that
        // begins right now: so the folder is one that was made here
        match std::fs::create_dir(&aside).and_then(|()| std::fs::rename(path, &aside)) {
            Ok(()) => {
                sync_folder(work_dir)?;
                return Ok(aside);
            }
            // there already, or taken by such a run in between
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty) => {
                number += 1
            }
            Err(error) => {
                // best effort: the error that matters is the first one
                let _ = std::fs::remove_dir(&aside);
                return Err(error).while_trying("move aside", path)?;
            }
        }
    }
}

/// A run that was refused before it began leaves nothing that was not there before it.
impl Drop for RunFolder {
    fn drop(&mut self) {
        let own = |entry: &std::ffi::OsStr| entry == LOCK || entry == CHECKPOINTS;
        let unused = |path: &Path| {
            let mut entries = std::fs::read_dir(path).ok()?;
            entries.all(|entry| entry.is_ok_and(|entry| own(&entry.file_name()))).then_some(())
        };
        if !self.made.is_empty() && unused(&self.path).is_some() {
            // each only when it is empty, so that nothing is lost whatever happens meanwhile
            let _ = std::fs::remove_dir(self.checkpoints())
                .and_then(|()| std::fs::remove_file(self.path.join(LOCK)))
                .and_then(|()| self.made.iter().try_for_each(std::fs::remove_dir));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::disk::write_atomic;

    fn work_dir() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn begin_run(folder: &RunFolder, content: &str) {
        write_atomic(&folder.experiment(), content.as_bytes()).unwrap();
        write_atomic(&folder.metrics(), b"{}\n").unwrap();
    }

    #[test]
    fn what_is_no_folder_is_told_in_every_mode_and_stays() {
        let dir = work_dir();
        std::fs::write(dir.path().join("file"), "mine").unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("link")).unwrap();
        for mode in [Mode::New, Mode::Resume, Mode::Auto, Mode::Fresh] {
            for (name, found) in [("file", "is no folder"), ("link", "is a link to something that is not there")] {
                let error = RunFolder::create(dir.path(), name, mode).unwrap_err().to_string();
                assert!(error.contains(found) && error.contains("choose another `name`"), "{mode:?}: {error}");
            }
        }
        assert_eq!(std::fs::read_to_string(dir.path().join("file")).unwrap(), "mine");
    }

    #[test]
    fn a_folder_that_holds_a_run_is_refused() {
        let dir = work_dir();
        begin_run(&RunFolder::create(dir.path(), "digits", Mode::New).unwrap(), "first");
        let error = RunFolder::create(dir.path(), "digits", Mode::New).unwrap_err();
        assert!(matches!(error, FolderError::Taken(_)), "{error}");
        assert!(error.to_string().contains("`--resume`"));
    }

    #[test]
    fn a_run_that_wrote_nothing_takes_the_folders_above_it_with_it_that_were_made_for_it() {
        let dir = work_dir();
        let above = dir.path().join("all/runs");
        drop(RunFolder::create(&above, "digits", Mode::New).unwrap());
        drop(RunFolder::create_next(&above, "digits").unwrap());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        // one that holds something else stays, and so does one that was there before
        let first = RunFolder::create(&above, "digits", Mode::New).unwrap();
        std::fs::write(dir.path().join("all/mine"), "").unwrap();
        drop(first);
        assert!(dir.path().join("all").is_dir() && !above.exists());
        std::fs::create_dir(&above).unwrap();
        drop(RunFolder::create(&above, "digits", Mode::New).unwrap());
        assert!(above.is_dir());
    }

    #[test]
    fn a_run_that_wrote_nothing_does_not_block_its_name() {
        let dir = work_dir();
        drop(RunFolder::create(dir.path(), "digits", Mode::New).unwrap());
        RunFolder::create(dir.path(), "digits", Mode::New).unwrap();
    }

    #[test]
    fn a_run_that_came_to_no_row_and_no_checkpoint_does_not_block_its_name_and_keeps_its_log() {
        let dir = work_dir();
        let folder = RunFolder::create(dir.path(), "digits", Mode::New).unwrap();
        assert!(!folder.is_reused());
        for file in [folder.experiment(), folder.log(), folder.metrics()] {
            std::fs::write(file, "").unwrap();
        }
        std::fs::write(folder.log(), "failed\n").unwrap();
        drop(folder);
        let folder = RunFolder::create(dir.path(), "digits", Mode::New).unwrap();
        assert!(folder.is_reused());
        assert_eq!(std::fs::read_to_string(folder.log()).unwrap(), "failed\n");
        // a part of a row, or what was to become a checkpoint, is work
        std::fs::write(folder.metrics(), "{").unwrap();
        drop(folder);
        assert!(matches!(RunFolder::create(dir.path(), "digits", Mode::New), Err(FolderError::Taken(_))));
        std::fs::write(dir.path().join("digits/metrics.jsonl"), "").unwrap();
        std::fs::create_dir(dir.path().join("digits/checkpoints/.iter_1.tmp")).unwrap();
        assert!(matches!(RunFolder::create(dir.path(), "digits", Mode::New), Err(FolderError::Taken(_))));
    }

    #[test]
    fn each_folder_in_which_a_name_was_made_or_changed_is_synced() {
        use crate::base::disk::tests::SYNCED;
        let dir = work_dir();
        let (work_dir, run) = (dir.path().join("runs"), dir.path().join("runs/digits"));
        SYNCED.take();
        let folder = RunFolder::create(&work_dir, "digits", Mode::New).unwrap();
        assert_eq!(SYNCED.take(), [dir.path().to_owned(), work_dir.clone(), run.clone()]);
        begin_run(&folder, "first");
        drop(folder);
        SYNCED.take();
        RunFolder::create(&work_dir, "digits", Mode::Fresh).unwrap();
        assert_eq!(SYNCED.take(), [work_dir.clone(), work_dir, run]);
    }

    #[test]
    fn a_folder_that_was_moved_or_deleted_is_gone_and_one_that_lost_its_lock_is_not() {
        let dir = work_dir();
        let folder = RunFolder::create(dir.path(), "digits", Mode::New).unwrap();
        std::fs::remove_file(folder.path().join(LOCK)).unwrap();
        folder.check().unwrap();
        let aside = dir.path().join("aside");
        std::fs::rename(folder.path(), &aside).unwrap();
        assert!(matches!(folder.check(), Err(FolderError::Gone(_))));
        // another one of its name is not the run's
        std::fs::create_dir(folder.path()).unwrap();
        assert!(matches!(folder.check(), Err(FolderError::Gone(_))));
        std::fs::remove_dir(folder.path()).unwrap();
        std::fs::rename(&aside, folder.path()).unwrap();
        folder.check().unwrap();
    }

    #[test]
    fn a_run_whose_lock_was_deleted_and_taken_by_another_one_is_told_who_has_the_folder() {
        let dir = work_dir();
        let first = RunFolder::create(dir.path(), "digits", Mode::New).unwrap();
        begin_run(&first, "first");
        std::fs::remove_file(first.path().join(LOCK)).unwrap();
        let second = RunFolder::create(dir.path(), "digits", Mode::Resume).unwrap();
        second.check().unwrap();
        let error = first.check().unwrap_err().to_string();
        assert!(error.contains(&format!("in use by process {}", std::process::id())), "{error}");
    }

    #[test]
    fn fresh_moves_each_old_run_aside_with_its_content() {
        let dir = work_dir();
        for content in ["first", "second", "third"] {
            begin_run(&RunFolder::create(dir.path(), "digits", Mode::Fresh).unwrap(), content);
        }
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name).join(EXPERIMENT)).unwrap();
        assert_eq!([read("digits.1"), read("digits.2"), read("digits")], ["first", "second", "third"]);
    }

    #[test]
    fn an_old_run_takes_no_name_that_is_there_not_even_that_of_an_empty_folder() {
        let dir = work_dir();
        begin_run(&RunFolder::create(dir.path(), "digits", Mode::New).unwrap(), "first");
        std::fs::create_dir(dir.path().join("digits.1")).unwrap();
        std::fs::write(dir.path().join("digits.2"), "").unwrap();
        let folder = RunFolder::create(dir.path(), "digits", Mode::Fresh).unwrap();
        assert_eq!(folder.moved_aside(), Some(dir.path().join("digits.3").as_path()));
        assert_eq!(std::fs::read_dir(dir.path().join("digits.1")).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_in_which_nothing_was_written_is_gone_again_unless_it_was_there_before() {
        let dir = work_dir();
        drop(RunFolder::create(dir.path(), "digits", Mode::New).unwrap());
        assert!(!dir.path().join("digits").exists());
        std::fs::create_dir(dir.path().join("mine")).unwrap();
        drop(RunFolder::create(dir.path(), "mine", Mode::New).unwrap());
        assert!(dir.path().join("mine").exists());
        for file in ["log.txt", "checkpoints/iter_1", "of_a_sink"] {
            let folder = RunFolder::create(dir.path(), "digits", Mode::Fresh).unwrap();
            std::fs::write(folder.path().join(file), "").unwrap();
            drop(folder);
            assert!(dir.path().join("digits").join(file).exists(), "{file}");
            std::fs::remove_dir_all(dir.path().join("digits")).unwrap();
        }
    }

    #[test]
    fn fresh_keeps_the_new_folder_locked_too() {
        let dir = work_dir();
        begin_run(&RunFolder::create(dir.path(), "digits", Mode::New).unwrap(), "first");
        let folder = RunFolder::create(dir.path(), "digits", Mode::Fresh).unwrap();
        assert_eq!(folder.moved_aside(), Some(dir.path().join("digits.1").as_path()));
        let error = RunFolder::create(dir.path(), "digits", Mode::Fresh).unwrap_err();
        assert!(matches!(error, FolderError::InUse { .. }), "{error}");
    }

    #[test]
    fn resume_takes_the_run_and_refuses_where_there_is_none() {
        let dir = work_dir();
        let error = RunFolder::create(dir.path(), "digits", Mode::Resume).unwrap_err();
        assert!(matches!(error, FolderError::Nothing(_)), "{error}");
        assert!(!dir.path().join("digits").exists());
        begin_run(&RunFolder::create(dir.path(), "digits", Mode::New).unwrap(), "first");
        let folder = RunFolder::create(dir.path(), "digits", Mode::Resume).unwrap();
        assert_eq!(std::fs::read_to_string(folder.experiment()).unwrap(), "first");
    }

    #[test]
    fn a_folder_in_use_names_the_process_until_it_is_dropped() {
        let dir = work_dir();
        let folder = RunFolder::create(dir.path(), "digits", Mode::New).unwrap();
        let error = RunFolder::create(dir.path(), "digits", Mode::New).unwrap_err();
        assert!(error.to_string().contains(&format!("in use by process {}", std::process::id())), "{error}");
        drop(folder);
        RunFolder::create(dir.path(), "digits", Mode::New).unwrap();
    }

    #[test]
    fn names_that_leave_the_work_dir_are_refused() {
        let dir = work_dir();
        for name in ["", "a/b", "..", ".", "../x", "a\0b", " a", ".hidden"] {
            let error = RunFolder::create(dir.path(), name, Mode::New).unwrap_err();
            assert!(matches!(error, FolderError::Name { .. }), "{name:?}: {error}");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_work_dir_that_is_a_file_is_an_error_with_its_path() {
        let dir = work_dir();
        let file = dir.path().join("runs");
        std::fs::write(&file, "").unwrap();
        let error = RunFolder::create(&file, "digits", Mode::New).unwrap_err();
        assert!(error.to_string().contains("runs/digits"), "{error}");
    }
}

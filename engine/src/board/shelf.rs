//! The runs of the page, read on by threads of their own.

#[cfg(feature = "tensorboard")]
use crate::readers::MediaReader;
use crate::readers::{Locks, RunReader, Summary, find_runs};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

/// How often folders are looked at.
const INTERVAL: Duration = Duration::from_millis(500);
/// How often new runs are looked for.
const SEARCH: Duration = Duration::from_secs(2);
/// Bytes of a file that are read at first, so that all runs have their first rows soon.
const BUDGET: u64 = 1 << 17;
/// Threads that read.
const MOST_THREADS: usize = 4;

/// All runs below some folders.
pub(super) struct Shelf {
    folders: Vec<PathBuf>,
    runs: RwLock<Vec<Arc<Entry>>>,
    /// Counts changes.
    version: Mutex<u64>,
    changed: Condvar,
}

/// One run.
pub(super) struct Entry {
    /// What requests call it: no path, so that no request names one.
    pub(super) id: String,
    reader: RwLock<RunReader>,
    #[cfg(feature = "tensorboard")]
    media: Mutex<MediaReader>,
    /// The version at its last change, and what a table shows of it.
    summary: Mutex<(u64, Option<Arc<Summary>>)>,
}

impl Entry {
    /// The run, as far as it is read.
    pub(super) fn reader(&self) -> RwLockReadGuard<'_, RunReader> {
        self.reader.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its images, histograms and texts, read up to now, and its folder.
    #[cfg(feature = "tensorboard")]
    pub(super) fn media(&self) -> (MutexGuard<'_, MediaReader>, PathBuf) {
        let folder = self.reader().folder().to_owned();
        let mut media = held(&self.media);
        media.read(&folder);
        (media, folder)
    }

    /// What a table shows of it.
    pub(super) fn summary(&self) -> Arc<Summary> {
        let version = match &*held(&self.summary) {
            (_, Some(known)) => return known.clone(),
            (version, None) => *version,
        };
        let fresh = Arc::new(Summary::of(&self.reader()));
        let mut kept = held(&self.summary);
        // it may have changed meanwhile
        if kept.0 == version {
            kept.1 = Some(fresh.clone());
        }
        fresh
    }

    /// When it has changed.
    pub(super) fn changed(&self) -> u64 {
        held(&self.summary).0
    }
}

/// A thread that panicked has left its value as it was after its last whole step.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    /// The runs below these folders, found and not yet read.
    pub(super) fn new(folders: Vec<PathBuf>) -> Shelf {
        let shelf = Shelf { folders, runs: RwLock::default(), version: Mutex::new(1), changed: Condvar::new() };
        shelf.search();
        shelf
    }

    /// Looks for runs that are new, and drops those that are gone. Returns whether there were any.
    fn search(&self) -> bool {
        let mut paths: Vec<PathBuf> = self.folders.iter().flat_map(|folder| find_runs(folder)).collect();
        paths.sort();
        paths.dedup();
        let known = self.runs();
        let same = known.len() == paths.len() && known.iter().zip(&paths).all(|(entry, path)| entry.id == id_of(path));
        if same {
            return false;
        }
        let version = self.version() + 1;
        let entries = paths.into_iter().map(|path| {
            let id = id_of(&path);
            let entry = known.iter().find(|entry| entry.id == id).cloned();
            entry.unwrap_or_else(|| {
                let (reader, summary) = (RwLock::new(RunReader::new(path)), Mutex::new((version, None)));
                #[cfg(feature = "tensorboard")]
                let media = Mutex::default();
                Arc::new(Entry {
                    id,
                    reader,
                    #[cfg(feature = "tensorboard")]
                    media,
                    summary,
                })
            })
        });
        *self.runs.write().unwrap_or_else(PoisonError::into_inner) = entries.collect();
        self.tell();
        true
    }

    /// All runs, sorted by path.
    pub(super) fn runs(&self) -> Vec<Arc<Entry>> {
        self.runs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A run by its id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Entry>> {
        self.runs.read().unwrap_or_else(PoisonError::into_inner).iter().find(|entry| entry.id == id).cloned()
    }

    /// The number of changes so far.
    pub(super) fn version(&self) -> u64 {
        *held(&self.version)
    }

    /// Waits until there is a later version, or some time has passed.
    pub(super) fn wait(&self, seen: u64, most: Duration) -> u64 {
        let version = held(&self.version);
        let waited = self.changed.wait_timeout_while(version, most, |version| *version == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn tell(&self) {
        *held(&self.version) += 1;
        self.changed.notify_all();
    }

    /// Reads on for ever.
    pub(super) fn watch(&self) -> ! {
        let mut searched = Instant::now();
        loop {
            let begun = Instant::now();
            if searched.elapsed() >= SEARCH {
                self.search();
                searched = Instant::now();
            }
            if !self.read() {
                std::thread::sleep(INTERVAL.saturating_sub(begun.elapsed()).max(Duration::from_millis(20)));
            }
        }
    }

    /// Reads a part of what was added to each run. Returns whether there is more.
    pub(super) fn read(&self) -> bool {
        let (runs, locks) = (self.runs(), Locks::read());
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MOST_THREADS);
        let part = runs.len().div_ceil(threads).max(1);
        let read = |entry: &Arc<Entry>| {
            let mut reader = entry.reader.write().unwrap_or_else(PoisonError::into_inner);
            let (changed, more) = reader.read(&locks, BUDGET);
            drop(reader);
            if changed {
                // one behind the version that is told of below
                *held(&entry.summary) = (self.version() + 1, None);
            }
            (changed, more)
        };
        let found = std::thread::scope(|scope| {
            let all = |part: &[Arc<Entry>]| part.iter().map(read).fold((false, false), |a, b| (a.0 | b.0, a.1 | b.1));
            let parts: Vec<_> = runs.chunks(part).map(|part| scope.spawn(move || all(part))).collect();
            let joined = parts.into_iter().map(|part| part.join().unwrap_or_default());
            joined.fold((false, false), |a, b| (a.0 | b.0, a.1 | b.1))
        });
        if found.0 {
            self.tell();
        }
        found.1
    }
}

/// The same for the same folder, whenever the board is started; the page keeps it in its address.
pub(super) fn id_of(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    blake3::hash(whole.as_os_str().as_encoded_bytes()).to_hex()[..12].to_owned()
}

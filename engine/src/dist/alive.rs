//! Signs of life: each rank counts in the store, and leaves a note when it fails. So the others can tell who is gone.

use crate::dist::error::{Gone, Lost};
use crate::native::{NativeError, Store};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a rank counts.
const BEAT: Duration = Duration::from_millis(500);
/// After this time without a count a rank is taken for gone.
const SILENT: Duration = Duration::from_millis(2200);
/// How often it is looked whether others count.
const LOOK: Duration = Duration::from_millis(100);

/// The part of the store that tells who lives.
#[derive(Debug)]
pub(super) struct Alive {
    store: Store,
    rank: usize,
    world: usize,
    /// Whether rank 0 serves the store.
    served_by_main: bool,
    /// Dropped to end the thread that counts.
    counting: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Alive {
    /// Begins to count. `beats` is a connection of its own: a request that waits on another one must not stop the count.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn begin(
        store: Store,
        beats: Store,
        rank: usize,
        world: usize,
        served_by_main: bool,
    ) -> std::io::Result<Alive> {
        let (sender, end) = channel();
        let thread = std::thread::Builder::new().name("rank".to_owned()).spawn(move || count(&beats, rank, &end))?;
        Ok(Alive { store, rank, world, served_by_main, counting: Some((sender, thread)) })
    }

    /// What can be told of a failure that a rank that is gone may have caused. It takes at most three seconds.
    pub(super) fn lost(&self, doing: &str, why: String) -> Lost {
        let lost = |who| Lost { doing: doing.to_owned(), who, world: self.world, why: why.clone() };
        match self.who_is_gone() {
            Ok(who) => lost(who),
            Err(_) if self.served_by_main && self.rank != 0 => lost(Some((0, Gone::NoStore))),
            Err(_) => lost(None),
        }
    }

    /// The rank that is gone: the one that has failed by itself, or one that gives no sign of life.
    fn who_is_gone(&self) -> Result<Option<(usize, Gone)>, NativeError> {
        let others: Vec<usize> = (0..self.world).filter(|rank| *rank != self.rank).collect();
        let first: Vec<Option<Vec<u8>>> =
            others.iter().map(|rank| self.store.get(&beat(*rank))).collect::<Result<_, _>>()?;
        let since = Instant::now();
        let mut followed = None;
        loop {
            for rank in &others {
                match Note::read(&self.store, *rank)? {
                    Some(Note { own: true, text }) => return Ok(Some((*rank, Gone::Failed(text)))),
                    // it has seen a failure too; who began it may still leave a note
                    Some(Note { own: false, .. }) => followed = Some(*rank),
                    None => {}
                }
            }
            if since.elapsed() >= SILENT {
                break;
            }
            std::thread::sleep(LOOK);
        }
        for (rank, first) in others.iter().zip(first) {
            if Note::read(&self.store, *rank)?.is_none() && self.store.get(&beat(*rank))? == first {
                return Ok(Some((*rank, Gone::Silent)));
            }
        }
        Ok(followed.and_then(|rank| {
            let text = Note::read(&self.store, rank).ok().flatten()?.text;
            Some((rank, Gone::Failed(text)))
        }))
    }

    /// Leaves a note that this rank fails with this error. `own`: the failure began here.
    pub(super) fn leave(&self, text: &str, own: bool) {
        // when the store is gone, the others see that
        let _ = Note { own, text: text.to_owned() }.write(&self.store, self.rank);
        if self.served_by_main && self.rank == 0 {
            // the notes go with this process
            let since = Instant::now();
            let is_left = |rank| matches!(Note::read(&self.store, rank), Ok(Some(_)));
            while since.elapsed() < SILENT + BEAT && !(1..self.world).all(is_left) {
                std::thread::sleep(LOOK);
            }
        }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let Some((sender, thread)) = self.counting.take() else { return };
        drop(sender);
        // the thread ends at once: it waits for nothing else
        let _ = thread.join();
    }
}

/// Counts until the sender is dropped.
fn count(store: &Store, rank: usize, end: &Receiver<()>) {
    loop {
        // a store that does not answer any more is told by whoever needs it
        let counted = store.add(&beat(rank), 1);
        if counted.is_err() || end.recv_timeout(BEAT) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

fn beat(rank: usize) -> String {
    format!("beat/{rank}")
}

/// What a rank that fails leaves for the others.
struct Note {
    /// Whether the failure began there.
    own: bool,
    text: String,
}

impl Note {
    fn read(store: &Store, rank: usize) -> Result<Option<Note>, NativeError> {
        let note = store.get(&format!("left/{rank}"))?;
        Ok(note.map(|note| {
            let text = String::from_utf8_lossy(&note);
            match text.split_once('\n') {
                Some((own, text)) => Note { own: own == "own", text: text.to_owned() },
                None => Note { own: false, text: text.into_owned() },
            }
        }))
    }

    fn write(&self, store: &Store, rank: usize) -> Result<(), NativeError> {
        let own = if self.own { "own" } else { "other" };
        store.set(&format!("left/{rank}"), format!("{own}\n{}", self.text).as_bytes())
    }
}

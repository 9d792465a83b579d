//! A file that is hashed while it is written.
//!
//! What is hashed are the bytes that were given to the system, and no second look at their source. A large file has two
//! threads more: one hashes a piece while the next one is written, and the rest while the disk is waited for. The other
//! has the disk write what is there already, so that little is left to wait for at the end.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// Bytes that are written and hashed at once: they fit into the caches of a processor. With pieces of 1 MiB Linux looks for
/// connected memory of that size for its page cache, and a write took up to three times as long where memory was in use.
const PIECE: usize = 256 << 10;
/// A larger file than this has threads of its own.
const LARGE: u64 = 8 << 20;
/// So many bytes more of it are written to the disk at once, while further ones are handed over.
const SYNCED: u64 = 32 << 20;
/// Written pieces that may wait to be hashed.
const WAITING: usize = 16;

/// A file that knows its size and hash when it is finished.
pub(super) struct HashedFile {
    file: File,
    /// Bytes that were handed over and are not in the file yet.
    piece: Vec<u8>,
    size: u64,
    hashing: Hashing,
    syncing: Option<Syncing>,
}

enum Hashing {
    Here(Box<blake3::Hasher>),
    Beside(Beside),
}

/// A thread that syncs a file while it is written.
struct Syncing {
    /// Holds one message: a sync that is under way may leave out what comes meanwhile, and the next one gets it.
    more: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

/// A thread that hashes.
struct Beside {
    written: SyncSender<Vec<u8>>,
    /// Memory of pieces that are hashed.
    free: Receiver<Vec<u8>>,
    thread: JoinHandle<blake3::Hash>,
}

impl HashedFile {
    /// # Errors
    /// When there is something of that name, or the file can't be made.
    pub(super) fn create(path: &Path) -> io::Result<HashedFile> {
        let file = File::create_new(path)?;
        Ok(HashedFile { file, piece: Vec::new(), size: 0, hashing: Hashing::Here(Box::default()), syncing: None })
    }

    /// Syncs it to the disk.
    pub(super) fn finish(mut self) -> io::Result<(u64, blake3::Hash)> {
        self.pass_on()?;
        if let Some(syncing) = self.syncing {
            // before the last sync: the system tells an error of the disk once, and that thread may have got it
            syncing.finish()?;
        }
        self.file.sync_all()?;
        let hash = match self.hashing {
            Hashing::Here(hasher) => hasher.finalize(),
            Hashing::Beside(beside) => beside.finish()?,
        };
        Ok((self.size, hash))
    }

    /// Writes the piece, and hashes it or has it hashed.
    fn pass_on(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.piece)?;
        let before = self.size;
        self.size += self.piece.len() as u64;
        match &mut self.hashing {
            Hashing::Here(hasher) => {
                hasher.update(&self.piece);
                self.piece.clear();
                if before < LARGE
                    && self.size >= LARGE
                    && let Some(beside) = Beside::start(hasher)
                {
                    self.hashing = Hashing::Beside(beside);
                    self.syncing = self.syncing.take().or_else(|| Syncing::start(&self.file));
                }
            }
            Hashing::Beside(beside) => self.piece = beside.take(std::mem::take(&mut self.piece))?,
        }
        if let Some(syncing) = &self.syncing
            && before / SYNCED != self.size / SYNCED
        {
            // full: a sync is under way. Closed: one has failed, and `finish` tells of it.
            let _ = syncing.more.try_send(());
        }
        Ok(())
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.pass_on()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()
    }
}

impl Syncing {
    /// `None` where the system has no more threads or files: then all is synced at the end.
    fn start(file: &File) -> Option<Syncing> {
        let file = file.try_clone().ok()?;
        Syncing::by(move || file.sync_data())
    }

    fn by(sync: impl Fn() -> io::Result<()> + Send + 'static) -> Option<Syncing> {
        let (more, asked) = sync_channel(1);
        let until_it_fails = move || asked.iter().try_for_each(|()| sync());
        let thread = std::thread::Builder::new().name("checkpoint-sync".to_owned()).spawn(until_it_fails).ok()?;
        Some(Syncing { more, thread })
    }

    fn finish(self) -> io::Result<()> {
        drop(self.more);
        self.thread.join().map_err(|_| io::Error::other("the thread that syncs it has panicked"))?
    }
}

impl Beside {
    /// A thread that goes on where a hasher is; `None` where the system has no more threads.
    fn start(hasher: &blake3::Hasher) -> Option<Beside> {
        let (written, pieces) = sync_channel::<Vec<u8>>(WAITING);
        let (done, free): (Sender<Vec<u8>>, _) = channel();
        let mut hasher = hasher.clone();
        let hash = move || {
            for mut piece in pieces {
                hasher.update(&piece);
                piece.clear();
                // after the last slice this memory is not used again
                let _ = done.send(piece);
            }
            hasher.finalize()
        };
        let thread = std::thread::Builder::new().name("checkpoint-hash".to_owned()).spawn(hash).ok()?;
        Some(Beside { written, free, thread })
    }

    /// Gives a piece to the thread, and gives back memory for another one.
    fn take(&self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        self.written.send(piece).map_err(|_| io::Error::other("the thread that hashes it has ended"))?;
        Ok(self.free.try_recv().unwrap_or_else(|_| Vec::with_capacity(PIECE)))
    }

    fn finish(self) -> io::Result<blake3::Hash> {
        drop(self.written);
        self.thread.join().map_err(|_| io::Error::other("the thread that hashes it has panicked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_and_the_size_are_those_of_the_file_at_every_size() {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..LARGE + 3 * PIECE as u64 + 5).map(|place| (place * 31 % 251) as u8).collect();
        let large = LARGE as usize;
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, large - 1, large, large + 1, large + PIECE, bytes.len()] {
            let path = dir.path().join(length.to_string());
            let mut file = HashedFile::create(&path).unwrap();
            // in parts that are no divisors of a piece, as headers and tensors come
            for part in bytes[..length].chunks(700_001) {
                file.write_all(part).unwrap();
            }
            assert!(matches!(file.hashing, Hashing::Beside(_)) == (length >= large), "{length}");
            assert_eq!(file.finish().unwrap(), (length as u64, blake3::hash(&bytes[..length])), "{length}");
            assert!(std::fs::read(&path).unwrap() == bytes[..length], "{length}");
        }
    }

    #[test]
    fn an_error_that_a_sync_in_between_has_met_is_that_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = HashedFile::create(&dir.path().join("file")).unwrap();
        file.syncing = Syncing::by(|| Err(io::ErrorKind::StorageFull.into()));
        // past two places where a sync is asked for: the second finds the thread at its end
        for _ in 0..=2 * SYNCED / PIECE as u64 {
            file.write_all(&[7; PIECE]).unwrap();
        }
        assert_eq!(file.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_file_that_is_given_up_leaves_no_thread_behind() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = HashedFile::create(&dir.path().join("file")).unwrap();
        file.write_all(&vec![7; LARGE as usize + 2 * PIECE]).unwrap();
        let Hashing::Beside(Beside { written, thread, .. }) = file.hashing else { panic!("it hashes here") };
        drop(written);
        assert!(thread.join().is_ok());
    }
}

//! A file that is hashed while it is written.
//!
//! What is hashed are the bytes that were given to the system, and no second look at their source. Of a large file another
//! thread hashes one piece while the next one is written, and the rest while the disk is waited for: both take about the
//! same time.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// Bytes that are written and hashed at once: they fit into the caches of a processor.
const PIECE: usize = 1 << 20;
/// A larger file than this is hashed by a thread of its own.
const LARGE: u64 = 8 << 20;
/// Written pieces that may wait for that thread.
const WAITING: usize = 4;

/// A file that knows its size and hash when it is finished.
pub(super) struct HashedFile {
    file: File,
    /// Bytes that were handed over and are not in the file yet.
    piece: Vec<u8>,
    size: u64,
    hashing: Hashing,
}

enum Hashing {
    Here(Box<blake3::Hasher>),
    Beside(Beside),
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
        Ok(HashedFile { file, piece: Vec::new(), size: 0, hashing: Hashing::Here(Box::default()) })
    }

    /// Syncs it to the disk.
    pub(super) fn finish(mut self) -> io::Result<(u64, blake3::Hash)> {
        self.pass_on()?;
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
                }
            }
            Hashing::Beside(beside) => self.piece = beside.take(std::mem::take(&mut self.piece))?,
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
    fn a_file_that_is_given_up_leaves_no_thread_behind() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = HashedFile::create(&dir.path().join("file")).unwrap();
        file.write_all(&vec![7; LARGE as usize + 2 * PIECE]).unwrap();
        let Hashing::Beside(Beside { written, thread, .. }) = file.hashing else { panic!("it hashes here") };
        drop(written);
        assert!(thread.join().is_ok());
    }
}

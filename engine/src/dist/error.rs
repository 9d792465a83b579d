//! What goes wrong between processes.

use crate::native::NativeError;
use std::fmt;

/// What goes wrong between processes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DistError {
    /// A variable that a launcher sets.
    #[error("the variable `{name}` of the launcher can't be used: {why}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Rank 0 can't serve the store.
    #[error(
        "rank 0 can't listen on port {port}, where the ranks of this job meet (`MASTER_PORT`): {source}; when another job has the port, start this one with another"
    )]
    Port {
        /// The port.
        port: u16,
        /// Why not.
        source: std::io::Error,
    },
    /// The store can't be reached.
    #[error(
        "the ranks can't meet at {host}:{port} (`MASTER_ADDR`, `MASTER_PORT`): nobody answers there; was rank 0 started?"
    )]
    NoStore {
        /// Its machine.
        host: String,
        /// Its port.
        port: u16,
        /// libtorch's words.
        source: NativeError,
    },
    /// Ranks did not come.
    #[error("{who} of {world} did not come within {seconds} s; was every rank started, with `WORLD_SIZE={world}`?")]
    Missing {
        /// `rank 1`, or `ranks 1, 2`.
        who: String,
        /// How many ranks there are.
        world: usize,
        /// How long they were waited for.
        seconds: f64,
    },
    /// Ranks that don't belong together.
    #[error("rank {rank} can't work with rank 0: {what} of rank {rank} is {theirs}, and of rank 0 {ours}")]
    Differs {
        /// The rank.
        rank: usize,
        /// What differs.
        what: String,
        /// That of the rank.
        theirs: String,
        /// That of rank 0.
        ours: String,
    },
    /// A signal has come while ranks were waited for.
    #[error("a signal has ended this rank while it waited for the others")]
    Interrupted {
        /// Its number, also when it came to another rank.
        signal: i32,
    },
    /// A rank is gone.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The ranks did not do the same.
    #[error("the ranks do not do the same: {0}")]
    OutOfStep(String),
    /// The store or libtorch refused something else.
    #[error("{doing} failed")]
    Native {
        /// What was tried.
        doing: String,
        /// Why it failed.
        #[source]
        source: NativeError,
    },
}

/// Something that all ranks do together has failed, most likely because one of them is gone.
#[derive(Debug)]
pub struct Lost {
    /// What the ranks were doing: "the exchange of gradients".
    pub doing: String,
    /// The rank that is gone, and how it is known; `None` when all seem to live.
    pub who: Option<(usize, Gone)>,
    /// How many ranks there are.
    pub world: usize,
    /// libtorch's words.
    pub why: String,
}

/// How a rank is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It has ended with this error.
    Failed(String),
    /// It gives no sign of life: it was killed or stopped, or its machine is gone.
    Silent,
    /// The store that it serves does not answer.
    NoStore,
}

impl std::error::Error for Lost {}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lost { doing, who, world, why } = self;
        match who {
            Some((rank, Gone::Failed(error))) => {
                write!(f, "{doing} failed because rank {rank} of {world} has ended: {error}")
            }
            Some((rank, Gone::Silent)) => write!(
                f,
                "{doing} failed because rank {rank} of {world} gives no sign of life: it was killed or stopped, or its machine is gone ({why})"
            ),
            Some((rank, Gone::NoStore)) => write!(
                f,
                "{doing} failed because the store of rank {rank} does not answer: the rank was killed, or its machine is gone ({why})"
            ),
            None => write!(
                f,
                "{doing} failed, although all {world} ranks live: {why}; when a rank needs longer for its part, set a larger `timeout` in `dist`"
            ),
        }
    }
}

/// Whether a text of libtorch or Gloo says that another process is gone or late.
pub(super) fn is_of_others(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "Connection closed by peer",
        "Connection reset",
        "Broken pipe",
        "Connection refused",
        "Timed out",
        "timed out",
        "wait timeout after",
        "Socket closed",
        "gloo/transport",
        "recvValue failed",
    ];
    WORDS.iter().any(|word| text.contains(word))
}

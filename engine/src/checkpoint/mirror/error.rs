//! What can go wrong with a mirror. No text has a credential or a signed address in it.

use super::super::CheckpointError;
use crate::base::disk::DiskError;
use std::fmt;

/// Why a mirror can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// There are no credentials.
    #[error("there are no credentials for the mirror: {0}")]
    Credentials(String),
    /// The storage has refused a request.
    #[error("`{address}` can't be {doing}: the storage says {status}{}{}", Code(code), advice(*status, code))]
    Refused {
        /// What it was about.
        address: String,
        /// What was to be done, in the passive.
        doing: &'static str,
        /// The status of HTTP.
        status: u16,
        /// The code of S3, `NoSuchBucket`; empty when it has told none.
        code: String,
    },
    /// The storage can't be reached.
    #[error("`{address}` can't be {doing}: the storage at {host} can't be reached: {why}")]
    Unreachable {
        /// What it was about.
        address: String,
        /// What was to be done, in the passive.
        doing: &'static str,
        /// The host.
        host: String,
        /// Why not.
        why: String,
    },
    /// An answer that is none of S3's.
    #[error("`{address}` can't be {doing}: the storage has given an answer that can't be read: {why}")]
    Answer {
        /// What it was about.
        address: String,
        /// What was to be done, in the passive.
        doing: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// An object is not what was written.
    #[error("`{address}` is damaged: {why}")]
    Damaged {
        /// The object.
        address: String,
        /// How it can be told.
        why: String,
    },
    /// The checkpoint on this disk fails.
    #[error(transparent)]
    Local(#[from] CheckpointError),
}

impl MirrorError {
    /// Whether a checkpoint there is at fault, and not the storage or the disk.
    pub fn is_damage(&self) -> bool {
        matches!(self, MirrorError::Damaged { .. })
            || matches!(self, MirrorError::Refused { status: 404, code, .. } if code != NO_BUCKET)
    }

    /// Whether another try may succeed without anybody doing something.
    pub(super) fn passes(&self) -> bool {
        match self {
            MirrorError::Unreachable { .. } | MirrorError::Answer { .. } => true,
            MirrorError::Refused { status, .. } => *status >= 500 || matches!(status, 408 | 429),
            _ => false,
        }
    }
}

impl From<DiskError> for MirrorError {
    fn from(error: DiskError) -> Self {
        MirrorError::Local(error.into())
    }
}

const NO_BUCKET: &str = "NoSuchBucket";

struct Code<'a>(&'a str);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " ({})", self.0) }
    }
}

/// What to do about a refusal.
fn advice(status: u16, code: &str) -> &'static str {
    match (status, code) {
        (_, NO_BUCKET) => "; make the bucket, or correct `checkpoints.mirror`",
        (301 | 307, _) => "; the bucket is in another region: set `AWS_REGION`",
        (401 | 403, _) => {
            "; the credentials are not those of somebody who may read, write and delete there: look at `AWS_ACCESS_KEY_ID` and \
             `AWS_SECRET_ACCESS_KEY`, or at the profile in `~/.aws/credentials`, and at the clock of this machine"
        }
        _ => "",
    }
}

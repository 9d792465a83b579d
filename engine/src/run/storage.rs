//! Where a run is kept on disk.

use crate::base::Iter;
use crate::folder::RunFolder;

/// The run's folder, and what its checkpoints hold.
#[derive(Default)]
pub struct Storage {
    /// Where checkpoints go; without a folder none is written.
    pub folder: Option<RunFolder>,
    /// The iter of the newest checkpoint, while that checkpoint holds everything that has happened.
    pub(crate) saved_at: Option<Iter>,
}

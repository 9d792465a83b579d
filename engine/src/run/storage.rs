//! Where a run is kept on disk.

use crate::base::{Iter, StateMap};
use crate::data::Cursor;
use crate::folder::RunFolder;
use crate::run::Generators;

/// The run's folder, and what its checkpoints hold.
#[derive(Default)]
pub struct Storage {
    /// Where checkpoints go; without a folder none is written.
    pub folder: Option<RunFolder>,
    /// The iter of the newest checkpoint, while that checkpoint holds everything that has happened.
    pub(crate) saved_at: Option<Iter>,
    /// What a restored checkpoint says of the training, until the training goes on.
    pub(crate) resumed: Option<Resumed>,
    /// Where the sinks stood before a validation that a signal has interrupted: a resumed run records it again.
    pub(crate) sinks_before_val: Option<Vec<(String, StateMap)>>,
}

/// What of a checkpoint is used only when the training itself goes on.
pub(crate) struct Resumed {
    /// Where the train loader stood.
    pub(crate) cursor: Cursor,
    /// Where libtorch's generators stood.
    pub(crate) generators: Generators,
}

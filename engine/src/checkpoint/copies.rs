//! Copies of finished checkpoints in another place.

use super::{CheckpointError, Retention};
use std::path::Path;

/// Copies finished checkpoints to another place while the training goes on.
pub trait Copies: Send {
    /// Begins to copy a checkpoint that is on the disk; old copies go by the same rule as old checkpoints. It does not wait.
    fn begin(&mut self, checkpoint: &Path, retention: Option<&Retention>);

    /// What is to be told since the last call. It does not wait.
    fn told(&mut self) -> Vec<String>;

    /// Waits until everything is copied.
    ///
    /// # Errors
    /// When something could not be copied.
    fn finish(&mut self) -> Result<(), CheckpointError>;
}

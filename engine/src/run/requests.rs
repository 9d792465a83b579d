//! What hooks and steps ask of the loop.

/// The requests that wait for the loop.
#[derive(Debug, Default)]
pub struct Requests {
    pub(crate) validate: bool,
    pub(crate) saves: Vec<Save>,
    /// Why the coming update is to be left out.
    pub(crate) skip_update: Option<String>,
}

/// A checkpoint to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Save {
    /// Its folder's name below `checkpoints/`.
    pub name: String,
    /// Whether it is written last of those of one safe point, so that `checkpoints/latest` names it. Each holds the
    /// whole run: `--resume` takes the newest, whatever its name.
    pub latest: bool,
}

//! Dumps of updates that go wrong.

/// Whether updates can be dumped, and what was asked for.
#[derive(Debug, Default)]
pub(crate) struct Dumps {
    /// So many dumps at most are in the run's folder; 0: updates can't be dumped.
    pub(crate) most: u64,
    /// Whether an update that fails is dumped.
    pub(crate) on_failure: bool,
    /// Why the update under way is to be dumped.
    pub(crate) asked: Option<String>,
    /// Whether it was told that there are enough.
    pub(crate) is_full: bool,
}

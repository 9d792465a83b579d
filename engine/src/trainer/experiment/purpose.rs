//! The purpose for which an experiment is read.

/// What an experiment is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To run it on this machine, now or soon: the device that it names has to be here.
    Run,
    /// To inspect it, as `show` and `diff` do.
    Inspect,
}

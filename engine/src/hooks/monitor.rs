//! What hooks that watch a metric ask of its name.

use crate::base::{Error, Result};
use crate::metric::{Better, watched};
use crate::run::Context;

/// Which direction of a metric is better, for one that is watched from validation to validation.
///
/// # Errors
/// When no validation produces it, or it has no better direction. A file is refused for it when it is read; programs
/// that are built in code are told here.
pub(crate) fn direction_of(monitor: &str, cx: &Context<'_>) -> Result<Better> {
    watched(monitor, cx.measures()).map_err(|why| Error::msg(why.sentence(monitor)))
}

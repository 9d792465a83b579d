//! What hooks that watch a metric ask of its name.

use crate::base::{Error, Result};
use crate::hook::Context;
use crate::metric::Better;

/// Which direction of a metric is better, for one that is watched from validation to validation.
///
/// # Errors
/// When no validation produces it, or it has no better direction.
pub(crate) fn direction_of(monitor: &str, cx: &Context<'_>) -> Result<Better> {
    let better = cx.better(monitor)?;
    if !monitor.starts_with("val/") {
        return Err(Error::msg(format!("`{monitor}` is not produced while training; watch a metric of a val loader")));
    }
    match better {
        Better::Neither => {
            Err(Error::msg(format!("`{monitor}` declares neither direction as better; watch another metric")))
        }
        better => Ok(better),
    }
}

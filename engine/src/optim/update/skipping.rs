//! What is known of updates that were skipped.

use crate::base::{Error, Flag, Result, Scalar};
use crate::optim::update::Updates;
use crate::optim::update::skipped::NonFinite;

/// Skipped updates.
impl Updates {
    /// Whether the last update was skipped; it may be known only on the device.
    pub fn is_skipped(&self) -> Flag {
        self.skipped.last()
    }

    /// Whether updates may be skipped that only the device knows of.
    pub fn may_skip(&self) -> bool {
        self.non_finite != NonFinite::Apply || !self.scalers.is_empty()
    }

    /// How many updates were skipped so far, on request or by [`NonFinite`]. This does not read from the device.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn skipped(&self) -> Result<Scalar> {
        self.skipped.count()
    }

    /// Restores the count from a checkpoint.
    pub fn restore_skipped(&mut self, count: u64) {
        self.skipped.restore(count);
    }

    /// Reads from the device whether a gradient was not finite, with [`NonFinite::Stop`].
    ///
    /// # Errors
    /// When one was, with its iter.
    pub fn check_finite(&self) -> Result<()> {
        let Some(number) = self.skipped.read_first()? else { return Ok(()) };
        let passes = self.passes.len() as u64;
        let (iter, pass) = ((number - 1) / passes + 1, &self.passes[((number - 1) % passes) as usize]);
        let of = pass.prefix.map_or(String::new(), |pass| format!(" of the pass `{pass}`"));
        Err(Error::msg(format!(
            "the gradient{of} was not finite in iter {iter}; the weights are those before that update (`non_finite: Stop`)"
        )))
    }
}

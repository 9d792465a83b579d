//! The loss at the points of an update that computes it several times.

use crate::base::{Error, Result};
use crate::run::Generators;
use tch::{Device, Tensor};

/// The loss of an update, over all of its batches.
#[derive(Debug, Default)]
pub(super) struct LossPoints {
    /// Where the generators stood before each computation of the first point.
    generators: Vec<Generators>,
    /// The number of computations at this point.
    done: usize,
    /// The losses at this point, each with its part in the whole.
    losses: Vec<(Tensor, f64)>,
    /// Whether a further point is computed.
    is_further: bool,
}

impl LossPoints {
    /// Whether a further point is computed, for which no hook is called.
    pub(super) fn is_further(&self) -> bool {
        self.is_further
    }

    /// Before a step: it draws what the one at the first point has drawn.
    pub(super) fn before_step(&mut self, device: Device) -> Result<()> {
        match (self.is_further, self.generators.get(self.done)) {
            (true, Some(generators)) => generators.put_back(),
            (true, None) => Ok(()),
            (false, _) => {
                // one that has failed for lack of memory is taken again in parts
                self.generators.truncate(self.done);
                self.generators.push(Generators::of(device)?);
                Ok(())
            }
        }
    }

    /// After the backward of a step.
    ///
    /// # Errors
    /// When the step has no loss, or has gone backward itself.
    pub(super) fn after_backward(&mut self, step: &str, loss: Option<(&Tensor, f64)>) -> Result<()> {
        let Some((loss, share)) = loss else {
            return Err(Error::msg(format!(
                "the optimizer of `{step}` computes the loss at several points, so the step has to return the loss and leave backward to the engine"
            )));
        };
        self.done += 1;
        // nothing times a loss that is no number is none either
        if share != 0.0 {
            self.losses.push((loss.detach(), share));
        }
        Ok(())
    }

    /// The loss at the point that was computed.
    pub(super) fn loss(&self) -> Result<f64> {
        let read = |(loss, share): &(Tensor, f64)| Ok(f64::try_from(loss.f_reshape([])?)? * share);
        self.losses.iter().map(read).sum()
    }

    /// Begins with a further point.
    pub(super) fn begin_further(&mut self) {
        (self.done, self.is_further) = (0, true);
        self.losses.clear();
    }
}

//! What ranks tell each other with the gradients of an update, so that it needs no message of its own.

use crate::base::Result;
use crate::native::scale_grads_;
use crate::optim::update::Updates;

impl Updates {
    /// Whether the gradients of a pass take along what ranks tell each other. Alike on all ranks.
    pub(crate) fn carries_note(&self, pass: usize) -> bool {
        self.exchange.carries_note(&self.passes[pass])
    }

    /// Sets what this rank tells the others with the gradients of the batch in work. False where it is too late, as they
    /// are under way.
    ///
    /// # Errors
    /// When the gradients take another count of numbers along.
    pub(crate) fn tell(&self, pass: usize, numbers: &[f64]) -> Result<bool> {
        self.exchange.tell(&self.passes[pass], numbers)
    }

    /// The means over the ranks of what they have told with the gradients of the last batch; nothing where nothing was.
    ///
    /// # Errors
    /// When no gradients were exchanged.
    pub(crate) fn told(&self, pass: usize) -> Result<Vec<f64>> {
        self.exchange.told(&self.passes[pass])
    }

    /// Multiplies the gradients of a pass, before [`Updates::finish`].
    ///
    /// # Errors
    /// When a gradient is sparse.
    pub(crate) fn multiply_gradients(&self, pass: usize, factor: f64) -> Result<()> {
        for optimizer in &self.passes[pass].optimizers {
            scale_grads_(self.optimizers[*optimizer].parameters(), factor)?;
        }
        Ok(())
    }
}

//! Gradients that are set aside while others are computed.

use crate::base::Result;
use crate::native::TensorList;
use crate::optim::update::Updates;

impl Updates {
    /// Takes the gradients of a pass away: backward then writes new ones instead of adding to them.
    ///
    /// # Errors
    /// Errors of libtorch; none is known.
    pub(crate) fn set_aside_gradients(&mut self, pass: usize) -> Result<Vec<TensorList>> {
        let aside = self.gradients(pass)?;
        self.clear_gradients(pass)?;
        Ok(aside)
    }

    /// Adds gradients that were set aside to those that were computed since.
    ///
    /// # Errors
    /// Errors of libtorch; none is known.
    pub(crate) fn add_gradients(&mut self, pass: usize, aside: &[TensorList]) -> Result<()> {
        for (optimizer, aside) in self.passes[pass].optimizers.iter().zip(aside) {
            let parameters = self.optimizers[*optimizer].parameters();
            let mut now = parameters.gradients()?;
            for index in 0..now.len() {
                match (now.get(index)?, aside.get(index)?) {
                    (Some(mut gradient), Some(earlier)) => drop(gradient.f_add_(&earlier)?),
                    (None, Some(earlier)) => now.set(index, Some(&earlier))?,
                    (_, None) => {}
                }
            }
            parameters.set_gradients(&now)?;
        }
        Ok(())
    }

    /// Puts gradients back that were set aside, in place of those that were computed since.
    ///
    /// # Errors
    /// Errors of libtorch; none is known.
    pub(crate) fn put_gradients_back(&mut self, pass: usize, aside: &[TensorList]) -> Result<()> {
        self.clear_gradients(pass)?;
        self.set_gradients(pass, aside)
    }
}

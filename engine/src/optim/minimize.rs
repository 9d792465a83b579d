//! Updates that compute the loss at several points, of an optimizer with its parameters.

use crate::base::{Error, Result};
use crate::optim::live::Optim;
use crate::optim::minimizer::{Minimizer, Objective};
use crate::optim::settings::Settings;
use tch::Tensor;

impl Optim {
    /// Whether its updates compute the loss at several points; then [`Optim::minimize`] takes the place of
    /// [`Optim::step`].
    pub fn is_minimizer(&self) -> bool {
        self.minimizer.is_some()
    }

    /// An update of an optimizer that computes the loss at several points. `evaluate` clears the gradients, computes the
    /// loss, runs backward, and returns the loss, as PyTorch's `closure` does.
    ///
    /// ```
    /// use engine::optim::{Lbfgs, LineSearch, Optim};
    /// use engine::prelude::*;
    ///
    /// // Rosenbrock's valley, whose lowest point is [1, 1]
    /// let mut at = Tensor::from_slice(&[-1.5f64, 2.0]).set_requires_grad(true);
    /// let recipe = Lbfgs { line_search: Some(LineSearch::StrongWolfe), max_iter: 100, ..Lbfgs::new(1.0) };
    /// let mut optim = Optim::new("opt", &recipe, vec![("at".to_owned(), at.shallow_clone())])?;
    /// optim.minimize(&mut || {
    ///     at.zero_grad();
    ///     let (x, y) = (at.get(0), at.get(1));
    ///     let loss = (&x * -1.0 + 1.0).square() + (y - x.square()).square() * 100.0;
    ///     loss.backward();
    ///     Ok(f64::try_from(loss)?)
    /// })?;
    /// // as near as `torch.optim.LBFGS` comes: 2.656e-6
    /// assert!(((at - 1.0).abs().max().double_value(&[]) - 2.656e-6).abs() < 1e-9);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of `evaluate`; when the optimizer is not of this kind; when a gradient does not fit its parameter.
    pub fn minimize(&mut self, evaluate: &mut dyn FnMut() -> Result<f64>) -> Result<()> {
        let Some(mut work) = self.begin_minimizing()? else {
            let text = format!("`{}` does not compute the loss in its updates: call `Optim::step`", self.name());
            return Err(Error::msg(text));
        };
        let result = evaluate().and_then(|loss| work.update(loss, evaluate));
        self.end_minimizing(work);
        result
    }

    /// Hands out what an update needs, so that the loss can be computed while it is under way.
    pub(super) fn begin_minimizing(&mut self) -> Result<Option<Minimizing>> {
        self.wait_for_copies()?;
        let Some(minimizer) = self.minimizer.take() else { return Ok(None) };
        let settings = self.groups.first().map_or_else(|| Settings::new([]), |group| group.settings.clone());
        Ok(Some(Minimizing { minimizer, parameters: self.each_parameter()?, settings }))
    }

    /// Takes it back.
    pub(super) fn end_minimizing(&mut self, work: Minimizing) {
        self.minimizer = Some(work.minimizer);
    }
}

/// An update under way.
#[derive(Debug)]
pub(crate) struct Minimizing {
    minimizer: Box<dyn Minimizer>,
    parameters: Vec<Tensor>,
    settings: Settings,
}

impl Minimizing {
    /// The update, from a point where the loss is this.
    pub(crate) fn update(&mut self, loss: f64, evaluate: &mut dyn FnMut() -> Result<f64>) -> Result<()> {
        let Minimizing { minimizer, parameters, settings } = self;
        minimizer.update(Objective { parameters, settings, loss, evaluate })
    }
}

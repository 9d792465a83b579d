//! Factors for the gradients of parameters that are chosen by their names.

use crate::base::Result;
use crate::native::{TensorList, scale_grads_};
use engine_macros::component;

/// A factor for the gradients of the parameters whose name matches a pattern.
#[component]
#[derive(PartialEq)]
pub struct GradientScale {
    /// The parameter's whole name, where `*` stands for any text (dots too) and `?` for one character.
    pub pattern: String,
    /// The gradient is multiplied by this, before hooks see it and before it is clipped.
    #[config(range = 0.0..=f64::MAX)]
    pub factor: f64,
}

impl GradientScale {
    /// This factor for the parameters that match the pattern.
    pub fn new(pattern: impl Into<String>, factor: f64) -> Self {
        GradientScale { pattern: pattern.into(), factor }
    }
}

/// The factors of a training.
#[derive(Debug, Default)]
pub(super) struct GradientScales(pub(super) Vec<Scaled>);

/// Parameters of one optimizer that share a factor.
#[derive(Debug)]
pub(super) struct Scaled {
    /// The place of the optimizer.
    pub(super) optimizer: usize,
    pub(super) parameters: TensorList,
    pub(super) factor: f64,
}

impl GradientScales {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Multiplies the gradients of these optimizers; those that have no factor stay as they are.
    pub(super) fn apply(&self, optimizers: &[usize]) -> Result<()> {
        for scaled in self.0.iter().filter(|scaled| optimizers.contains(&scaled.optimizer)) {
            scale_grads_(&scaled.parameters, scaled.factor)?;
        }
        Ok(())
    }
}

//! The input and output of the current step.

use crate::base::Output;

/// The input and output of the current step.
#[derive(Debug, Default)]
pub struct StepState {
    /// Whether models and steps work as in training.
    pub(crate) training: bool,
    /// Samples in the current batch; 0 before the first.
    pub(crate) batch_size: usize,
    /// How much the current batch counts in means over several.
    pub(crate) batch_weight: f64,
    /// What the step has returned, from its forward pass to the end of its iter.
    pub(crate) output: Option<Output>,
    /// What the batch in work counts in the gradient of its update; `None` outside a step and its backward.
    pub(crate) share: Option<f64>,
    /// Whether the step has run backward itself.
    pub(crate) has_gone_backward: bool,
}

//! Calling backward in a training step.

use crate::base::{Error, Result};
use crate::optim::update::check_loss;
use crate::run::Context;
use tch::Tensor;

/// Calling backward in a step: a step with several losses can run backward from each loss as soon as it is computed.
/// This frees the activations of one loss before the next is computed. The step then returns
/// [`Output::without_loss`](crate::base::Output::without_loss).
impl Context<'_> {
    /// Runs backward from a loss of one element, as the engine does from the loss of an
    /// [`Output`](crate::base::Output): gradients are added, weighted by how much the batch counts in its update.
    ///
    /// In this example two heads use one backbone, and the activations of the first head are freed before the second
    /// head runs. The heads use a detached copy of the features, which accumulates their gradients; then backward runs
    /// once through the backbone. [`Context::staged`] does the same, and scales the gradient of each task:
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// # #[derive(Debug)] pub struct Net { backbone: nn::Linear, heads: [nn::Linear; 2] }
    /// fn staged(net: &Net, x: &Tensor, targets: [&Tensor; 2], cx: &mut Context<'_>) -> Result<Output> {
    ///     let features = x.apply(&net.backbone).relu();
    ///     let shared = features.detach().set_requires_grad(true);
    ///     let mut output = Output::without_loss();
    ///     for ((head, target), name) in net.heads.iter().zip(targets).zip(["loss_a", "loss_b"]) {
    ///         let loss = shared.apply(head).mse_loss(target, Reduction::Mean);
    ///         cx.backward(&loss)?;
    ///         output = output.value(name, &loss);
    ///     }
    ///     cx.backward_from(&features, &shared.grad())?;
    ///     Ok(output)
    /// }
    /// ```
    ///
    /// # Errors
    /// Outside a training step, when the loss has more than one element or no graph, and when an operator's backward
    /// fails.
    pub fn backward(&mut self, loss: &Tensor) -> Result<()> {
        self.check_backward("backward")?;
        check_loss(format_args!("the loss of `cx.backward`"), loss)?;
        self.run.step.has_gone_backward = true;
        let share = self.run.share_of_batch()?;
        self.run.updates.backward(self.pass_index(), loss, share)
    }

    /// Runs backward from a tensor of any shape whose gradient is known, for example the gradient that losses have
    /// accumulated on a detached copy of it: see [`Context::backward`]. The gradient is not weighted again. Where losses are scaled
    /// (`F16`), a gradient that [`Context::backward`] has computed is scaled already.
    ///
    /// # Errors
    /// Outside a training step, when the tensor has no graph or the gradient another shape, and when an operator's
    /// backward fails.
    pub fn backward_from(&mut self, tensor: &Tensor, gradient: &Tensor) -> Result<()> {
        self.check_backward("backward_from")?;
        if !gradient.defined() {
            return Err(Error::msg(
                "`cx.backward_from` was given a tensor without a gradient: no `backward` has reached it",
            ));
        }
        self.run.step.has_gone_backward = true;
        self.run.updates.backward_from(self.pass_index(), &[tensor], &[gradient])
    }

    pub(crate) fn pass_index(&self) -> usize {
        self.run.current.pass.map_or(0, |place| place.pass)
    }

    pub(super) fn check_backward(&self, method: &str) -> Result<()> {
        if self.run.step.goes_backward {
            return Ok(());
        }
        let phase = self.phase();
        Err(Error::msg(format!("`cx.{method}` works only within a training step; the phase is `{phase}`")))
    }
}

//! Going backward by hand, within a training step.

use crate::base::{Error, Result};
use crate::optim::update::check_loss;
use crate::run::Context;
use tch::Tensor;

/// Going backward by hand: a step that has several losses can run backward from each as soon as it is there, and let
/// its activations go before it computes the next. It then gives back
/// [`Output::without_loss`](crate::base::Output::without_loss).
impl Context<'_> {
    /// Runs backward from a loss of one element, as the engine does from the loss of an
    /// [`Output`](crate::base::Output): gradients are added, and what the batch counts in its update is taken into
    /// account.
    ///
    /// Two heads on one backbone, each of which lets its activations go before the next begins. The heads work on a
    /// detached copy of the features, whose gradient is the sum of theirs; from there backward goes on once:
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
        let share = self.share("backward")?;
        check_loss(format_args!("the loss of `cx.backward`"), loss)?;
        self.run.step.has_gone_backward = true;
        self.run.updates.backward(loss, share)
    }

    /// Runs backward from a tensor of any shape whose own gradient is known, as that which losses have left on a
    /// detached copy of it: see [`Context::backward`]. The gradient is taken as it is.
    ///
    /// # Errors
    /// Outside a training step, when the tensor has no graph or the gradient another shape, and when an operator's
    /// backward fails.
    pub fn backward_from(&mut self, tensor: &Tensor, gradient: &Tensor) -> Result<()> {
        self.share("backward_from")?;
        if !gradient.defined() {
            return Err(Error::msg(
                "`cx.backward_from` was given a tensor without a gradient: no `backward` has reached it",
            ));
        }
        self.run.step.has_gone_backward = true;
        self.run.updates.backward_from(tensor, gradient)
    }

    /// What the batch in work counts in the gradient of its update.
    fn share(&self, method: &str) -> Result<f64> {
        self.run.step.share.ok_or_else(|| {
            let phase = self.phase();
            Error::msg(format!("`cx.{method}` works only within a training step; the phase is `{phase}`"))
        })
    }
}

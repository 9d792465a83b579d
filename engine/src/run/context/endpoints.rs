//! Endpoints: intermediate tensors of a step, for hooks.

use crate::base::suggest::meant;
use crate::base::{Error, Result};
use crate::run::Context;
use tch::Tensor;

/// Intermediate tensors of a step.
impl Context<'_> {
    /// Hands an intermediate tensor of a step to whoever has asked for it in this iter. When nobody has, this costs one
    /// comparison, and the tensor is not kept.
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// # struct Net { backbone: nn::Linear, head: nn::Linear }
    /// # fn forward(net: &Net, pixels: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
    /// let features = pixels.apply(&net.backbone).relu();
    /// cx.endpoint("neck", &features)?;
    /// Ok(features.apply(&net.head))
    /// # }
    /// # let vs = nn::VarStore::new(Device::Cpu);
    /// # let linear = |name: &str| nn::linear(vs.root() / name, 2, 2, Default::default());
    /// # let net = Net { backbone: linear("a"), head: linear("b") };
    /// # let mut run = engine::run::RunState::new(Clock::Iter, Device::Cpu, 1);
    /// # forward(&net, &Tensor::ones([1, 2], (Kind::Float, Device::Cpu)), &mut Context::new(&mut run))?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// When libtorch can't keep the tensor's gradient.
    #[inline]
    pub fn endpoint(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        if self.run.step.endpoints.is_asked() {
            self.run.step.endpoints.keep(name, tensor)?;
        }
        Ok(())
    }

    /// Asks for the endpoints whose name matches the pattern, in which `*` stands for any text: they are kept from the
    /// step to the end of this iter. Call it in `before_train_iter`, `before_val_iter` or `before_test_iter`, in each
    /// iter in which they are wanted. With `gradients` the tensors keep their gradients too (`tensor.grad()` from
    /// `after_backward` on); otherwise only parameters have one.
    ///
    /// In this iter a step is not replayed as a CUDA graph.
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// /// Rows show how large the gradient of the features is.
    /// #[hook]
    /// pub struct NeckGradient {}
    ///
    /// #[phases]
    /// impl NeckGradient {
    ///     fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
    ///         if cx.iter().get().is_multiple_of(100) {
    ///             cx.ask_endpoints("neck", true);
    ///         }
    ///         Ok(())
    ///     }
    ///     fn after_backward(&mut self, cx: &mut Context<'_>) -> Result<()> {
    ///         if !cx.endpoints().is_empty() {
    ///             let norm = cx.endpoint_of("neck")?.grad().norm();
    ///             cx.log_last("neck_gradient", norm);
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # fn main() {}
    /// ```
    pub fn ask_endpoints(&mut self, pattern: &str, gradients: bool) {
        self.run.step.uses("ask_endpoints");
        self.run.step.endpoints.ask(pattern, gradients);
    }

    /// The endpoints of the last batch that were asked for, in the order in which the step has handed them over.
    pub fn endpoints(&self) -> &[(String, Tensor)] {
        self.run.step.endpoints.kept()
    }

    /// The endpoint with this name.
    ///
    /// # Errors
    /// When the step has handed over none of this name, or nobody has asked for it in this iter.
    pub fn endpoint_of(&self, name: &str) -> Result<&Tensor> {
        let kept = self.endpoints();
        kept.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor).ok_or_else(|| {
            let names: Vec<&str> = kept.iter().map(|(known, _)| known.as_str()).collect();
            Error::msg(match names.is_empty() {
                true => format!("there is no endpoint `{name}`: ask for it in `before_train_iter` with `cx.ask_endpoints`, and call `cx.endpoint` in the step"),
                false => format!("there is no endpoint `{name}`{}", meant(name, &names)),
            })
        })
    }
}

//! Staged backward: a backbone once, and each task that uses its features by itself.

use crate::base::{Error, Output, Result};
use crate::optim::update::check_loss;
use crate::run::Context;
use engine_macros::component;
use tch::Tensor;

/// What a task of a staged step counts. As a `#[config]` field of a trainer it is set by the experiment:
/// `trainer: (boxes: (loss: 2.0, features: 0.1))`.
#[component]
#[derive(Copy, PartialEq)]
pub struct TaskScale {
    /// The loss of the task is multiplied by this, and so are all of its gradients.
    #[config(default = 1.0, range = 0.0..=f64::MAX)]
    pub loss: f64,
    /// The gradient that the task sends into the shared features, and so into the backbone, is multiplied by this. The
    /// gradients of the task's own head are not. With 0 the task does not train the backbone.
    #[config(default = 1.0, range = 0.0..=f64::MAX)]
    pub features: f64,
}

impl Default for TaskScale {
    fn default() -> Self {
        TaskScale { loss: 1.0, features: 1.0 }
    }
}

/// A backward in stages, made by [`Context::staged`].
#[must_use = "the backbone gets its gradient from `backward`"]
pub struct Staged<'c, 'r> {
    cx: &'c mut Context<'r>,
    features: Vec<Tensor>,
    /// For each of the features the sum of the gradients of the tasks so far.
    gradients: Vec<Option<Tensor>>,
    output: Output,
    /// The sum of the losses, as they count.
    loss: Option<Tensor>,
}

impl<'r> Context<'r> {
    /// Begins a staged backward from features that several tasks share. Each task runs forward and backward by itself,
    /// as far as the features, and frees its activations before the next task runs. Then backward runs once through
    /// what has computed the features. The gradients are those of the sum of the losses.
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// struct Net { backbone: nn::Linear, boxes: nn::Linear, signs: nn::Linear }
    ///
    /// /// The batches of two loaders.
    /// type Two = ((Tensor, Tensor), (Tensor, Tensor));
    ///
    /// fn step(net: &Net, (boxes, signs): &Two, scale: TaskScale, cx: &mut Context<'_>) -> Result<Output> {
    ///     let x = Tensor::cat(&[&boxes.0, &signs.0], 0);
    ///     let rows = [boxes.0.size()[0], signs.0.size()[0]];
    ///     // the backbone runs once, on the rows of both batches
    ///     let features = x.apply(&net.backbone).relu().split_with_sizes(rows, 0);
    ///     let mut staged = cx.staged(&[&features[0], &features[1]])?;
    ///     staged.task("boxes", TaskScale::default(), |features, _| {
    ///         Ok(features[0].apply(&net.boxes).mse_loss(&boxes.1, Reduction::Mean))
    ///     })?;
    ///     staged.task("signs", scale, |features, _| {
    ///         Ok(features[1].apply(&net.signs).cross_entropy_for_logits(&signs.1))
    ///     })?;
    ///     staged.backward()
    /// }
    /// ```
    ///
    /// # Errors
    /// Outside a training step.
    pub fn staged(&mut self, features: &[&Tensor]) -> Result<Staged<'_, 'r>> {
        self.check_backward("staged")?;
        self.run.step.is_stage_open = true;
        let features: Vec<Tensor> = features.iter().map(|features| features.shallow_clone()).collect();
        let gradients = features.iter().map(|_| None).collect();
        Ok(Staged { cx: self, features, gradients, output: Output::without_loss(), loss: None })
    }
}

impl<'r> Staged<'_, 'r> {
    /// A task: `head` computes its loss, of one element, from the features, in the order of [`Context::staged`]. Backward
    /// runs from the loss to the features. Rows show the loss under `name`, without its factor.
    ///
    /// # Errors
    /// Those of `head`; when the loss has more than one element or no graph, and when an operator's backward fails.
    pub fn task(
        &mut self,
        name: &'static str,
        scale: TaskScale,
        head: impl FnOnce(&[Tensor], &mut Context<'r>) -> Result<Tensor>,
    ) -> Result<()> {
        let leaves = self.leaves(scale.features != 0.0)?;
        let loss = head(&leaves, self.cx)?;
        check_loss(format_args!("the loss of the task `{name}`"), &loss)?;
        let counted = match scale.loss {
            1.0 => loss.shallow_clone(),
            factor => loss.f_mul_scalar(factor)?,
        };
        self.cx.backward(&counted)?;
        for (sum, leaf) in self.gradients.iter_mut().zip(&leaves) {
            let mut gradient = leaf.f_grad()?;
            if !gradient.defined() {
                continue;
            }
            if scale.features != 1.0 {
                let _ = gradient.f_mul_scalar_(scale.features)?;
            }
            match sum {
                Some(sum) => drop(sum.f_add_(&gradient)?),
                None => *sum = Some(gradient),
            }
        }
        let counted = counted.f_detach()?;
        self.loss = Some(match self.loss.take() {
            Some(sum) => sum.f_add(&counted)?,
            None => counted,
        });
        let output = std::mem::replace(&mut self.output, Output::without_loss());
        self.output = output.value(name, &loss.f_detach()?);
        Ok(())
    }

    /// Ends the stage: backward runs once through what has computed the features, with the sum of the gradients of all
    /// tasks. The result of the step has the loss of each task and their sum, `loss`, in which each loss has its factor.
    ///
    /// # Errors
    /// When there was no task, and when an operator's backward fails.
    pub fn backward(self) -> Result<Output> {
        let Staged { cx, features, gradients, output, loss } = self;
        let loss = loss.ok_or_else(|| Error::msg("a stage has ended without a task: call `task` before `backward`"))?;
        let reached: Vec<(&Tensor, &Tensor)> =
            features.iter().zip(&gradients).filter_map(|(tensor, sum)| Some((tensor, sum.as_ref()?))).collect();
        // none where the batch counts for nothing, or no task trains the backbone
        if !reached.is_empty() {
            let (tensors, sums): (Vec<&Tensor>, Vec<&Tensor>) = reached.into_iter().unzip();
            cx.run.updates.backward_from(cx.pass_index(), &tensors, &sums)?;
        }
        cx.run.step.is_stage_open = false;
        Ok(output.value("loss", &loss))
    }

    /// The features as tasks get them: leaves of a graph of their own. Those whose backbone takes no gradients, as a
    /// frozen one, take none either.
    fn leaves(&self, trains_backbone: bool) -> Result<Vec<Tensor>> {
        let leaf = |features: &Tensor| {
            let takes_gradients = trains_backbone && features.requires_grad();
            Ok(features.f_detach()?.f_set_requires_grad(takes_gradients)?)
        };
        self.features.iter().map(leaf).collect()
    }
}

//! Access to models, optimizers, schedules, the output of a step, and random numbers.

use crate::base::error::{Error, Result};
use crate::base::{Output, Scalar};
use crate::folder::RunFolder;
use crate::model::{ModelEntry, Models};
use crate::native::{Autocast, recomputed};
use crate::optim::{Optim, Pass, Schedules};
use crate::random::{Stream, tag_of};
use crate::run::Context;
use tch::Tensor;

/// Models, optimizers, schedules, output and random numbers.
impl Context<'_> {
    /// All models; each has the name of its field.
    pub fn models(&self) -> &Models {
        &self.run.models
    }

    /// All models, mutable: to swap weights or set modes.
    pub fn models_mut(&mut self) -> &mut Models {
        &mut self.run.models
    }

    /// The model of a field.
    ///
    /// # Errors
    /// When no `#[model]` field has this name.
    pub fn model(&mut self, name: &str) -> Result<&mut ModelEntry> {
        Ok(self.run.models.get_mut(name)?)
    }

    /// The optimizers, in field order.
    pub fn optimizers(&self) -> &[Optim] {
        self.run.updates.optimizers()
    }

    /// The optimizers, mutable: to change the settings of their groups.
    pub fn optimizers_mut(&mut self) -> &mut [Optim] {
        self.run.step.uses("optimizers_mut");
        self.run.updates.optimizers_mut()
    }

    /// The optimizer of a field.
    ///
    /// # Errors
    /// When no `#[optimizer]` field has this name.
    pub fn optimizer(&mut self, name: &str) -> Result<&mut Optim> {
        self.run.step.uses("optimizer");
        self.run.updates.optimizer(name)
    }

    /// Activation checkpointing: computes a block whose activations are not kept for backward, but computed again there, with
    /// the same random numbers and in the same precision. It costs one more forward pass of the block and saves the memory
    /// of all that lies between its inputs and its output.
    ///
    /// The block owns what it uses: layers are shared by [`Shared`](crate::native::Shared). Gradients reach the inputs and the
    /// layers.
    ///
    /// ```
    /// use engine::native::Shared;
    /// use engine::prelude::*;
    ///
    /// struct Net { blocks: Vec<Shared<nn::Linear>> }
    ///
    /// fn forward(net: &Net, x: &Tensor, cx: &Context<'_>) -> Result<Tensor> {
    ///     let mut hidden = x.shallow_clone();
    ///     for block in &net.blocks {
    ///         let block = block.clone();
    ///         hidden = cx.activation_checkpoint(&[&hidden], move |inputs| Ok(inputs[0].apply(&*block).gelu("none")))?;
    ///     }
    ///     Ok(hidden)
    /// }
    /// ```
    ///
    /// # Errors
    /// What the block returns, a panic of it included. An error of the second computation is one of backward.
    pub fn activation_checkpoint(
        &self,
        inputs: &[&Tensor],
        block: impl Fn(&[Tensor]) -> Result<Tensor> + Send + 'static,
    ) -> Result<Tensor> {
        Ok(recomputed(inputs, block)?)
    }

    /// Runs `body` with autocast off: for a loss or a norm that needs the range or the mantissa of its own tensors. Those
    /// that the step has computed in 16 bits before are to be converted: `logits.to_kind(Kind::Float)`. Without mixed
    /// precision nothing changes.
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// fn loss(cx: &Context<'_>, logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    ///     cx.full_precision(|| {
    ///         let logits = logits.to_kind(Kind::Float);
    ///         (logits.exp().sum(Kind::Float) - target.sum(Kind::Float)).square()
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// When the device has no autocast.
    pub fn full_precision<R>(&self, body: impl FnOnce() -> R) -> Result<R> {
        let _full = match self.run.numerics.precision.autocast() {
            Some(_) => Some(Autocast::off(self.run.device)?),
            None => None,
        };
        Ok(body())
    }

    /// The 2-norm of the gradient of the current update, over all parameters of all optimizers of its pass as one
    /// vector. This does not read from the device. In `before_optimizer_step` the gradient is complete and not clipped
    /// yet.
    ///
    /// # Errors
    /// Outside an update, and when a gradient is sparse.
    pub fn grad_norm(&self) -> Result<Scalar> {
        let place =
            self.run.current.pass.ok_or_else(|| {
                Error::msg(format!("there is no gradient in `{}`: no update is under way", self.phase()))
            })?;
        self.run.updates.grad_norm(place.pass)
    }

    /// Whether the current update changes a model: whether an optimizer of its pass has parameters of the model.
    pub fn updates_model(&self, name: &str) -> bool {
        self.run.current.pass.is_some_and(|place| self.run.updates.updates_model(place.pass, name))
    }

    /// The number of the current update among all updates of its pass, counted from 1; in a trainer without
    /// `#[passes]` the number of the iter. `None` outside an update.
    pub fn update_number(&self) -> Option<u64> {
        self.run.step.uses("update_number");
        let place = self.run.current.pass?;
        let plan = self.run.updates.passes()[place.pass].plan();
        Some(plan.update_number(self.run.clocks.iter.get(), place.time))
    }

    /// The schedules of the experiment.
    pub fn schedules(&self) -> &Schedules {
        &self.run.updates.schedules
    }

    /// The schedules, mutable: those that follow a metric have a state.
    pub(crate) fn schedules_mut(&mut self) -> &mut Schedules {
        &mut self.run.updates.schedules
    }

    /// The settings of hooks, metrics and the trainer that schedules change, as rows show them: `hooks/ema/decay`.
    pub(crate) fn scheduled(&self) -> impl Iterator<Item = (String, f64)> {
        self.run.scheduled.iter().map(|scheduled| (scheduled.path.replace('.', "/"), scheduled.value))
    }

    /// Sets every scheduled setting of the optimizers to its value at the current clock.
    ///
    /// # Errors
    /// When a schedule gives a value that is not finite.
    pub(crate) fn apply_schedules(&mut self) -> Result<()> {
        let progress = self.run.clocks.progress();
        Ok(self.run.updates.apply_schedules(&progress)?)
    }

    /// The output of the step: its loss, values and tensors. This does not read from the device.
    ///
    /// # Errors
    /// In phases without an output. There is an output from `after_forward` to `after_train_iter`, in `after_val_iter`
    /// and in `after_test_iter`.
    pub fn output(&self) -> Result<&Output> {
        let phase = self.run.current.phase;
        self.run.step.output.as_ref().ok_or_else(|| {
            Error::msg(match self.exception() {
                Some(_) => format!("there is no output in `{phase}`: the step has failed; look at `cx.exception()` first"),
                None => format!(
                    "there is no output in `{phase}`; read it in `after_forward` to `after_train_iter`, or in `after_val_iter` or `after_test_iter`"
                ),
            })
        })
    }

    /// A generator of random numbers for this purpose. It is the same in every run with this seed at this iter and
    /// batch, and a different one for each batch of each loader, for each part of a batch
    /// that a step processor computes by itself, for each update of each pass, and for each rank.
    pub fn generator(&self, purpose: &'static str) -> Stream {
        self.run.step.uses("generator");
        let batch = match self.run.current.evaluated {
            None => self.run.clocks.batch.get().wrapping_add(self.tag_of_update()).wrapping_add(self.tag_of_part()),
            Some(batch) => tag_of(self.run.current.loader).wrapping_add(batch),
        };
        let rank = (self.run.process.rank() as u64) << 44;
        Stream::new(self.run.seed, purpose, self.run.clocks.iter.get(), batch.wrapping_add(rank))
    }

    /// What tells updates of one iter apart that may work on one batch; 0 for a trainer without `#[passes]`.
    fn tag_of_update(&self) -> u64 {
        let prefix = self.run.pass().and_then(Pass::prefix);
        let time = self.run.current.pass.map_or(0, |place| place.time);
        prefix.map_or(0, |name| tag_of(name).wrapping_add(time << 32))
    }

    /// What tells parts of one batch apart; 0 for the first, and for a batch that is computed as a whole.
    fn tag_of_part(&self) -> u64 {
        // an odd number with its bits far apart: no part has the number of another batch
        (self.run.step.first_sample as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// The experiment's seed.
    pub fn seed(&self) -> u64 {
        self.run.seed
    }

    /// The run's folder; `None` when only an evaluation runs.
    pub fn folder(&self) -> Option<&RunFolder> {
        self.run.storage.folder.as_ref()
    }
}

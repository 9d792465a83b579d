//! Everything that an update does, in one place: which parameters get gradients, how the gradients of several batches
//! are combined, clipping, skipped updates, and the steps of the optimizers.
//!
//! An iter is made of passes, and a pass of updates. An update is `begin`, then for each of its batches `before_batch`,
//! `forward` (held while the step runs), `backward` and `after_batch`, then `finish` and `step`. Loops call them between the phases that hooks see. Nothing here
//! reads a value from a device.

mod aside;
mod divide;
mod exchange;
mod gradient_scale;
mod lr_scale;
mod minimized;
mod note;
mod pass;
mod precision;
mod recorded;
mod scale_lr;
mod scaler;
mod scales;
mod settings;
mod sharded;
mod skipped;
mod skipping;

pub use gradient_scale::GradientScale;
pub(crate) use minimized::{ALONE, NO_CLIP, NO_SCALING, ONE_RANK};
pub use pass::{Pass, PassBatches, PassInfo, PassPlan, batches_per_iter};
pub use precision::{Half, Precision, Pure};
pub(crate) use recorded::RecordedUpdate;
pub use scale_lr::{ScaleLr, ScaledLr};
pub use settings::PassSettings;
pub use sharded::{ShardSize, StateBytes};
pub use skipped::NonFinite;

use crate::base::suggest::meant;
use crate::base::{Error, Result, Scalar, StateMap};
use crate::native::{self, Autocast, GradientSwitch, GradientsOff, ProcessGroup, ReducerOptions, Scaling, TensorList};
use crate::optim::error::OptimError;
use crate::optim::live::Optim;
use crate::optim::schedule::Schedules;
use exchange::Exchange;
use gradient_scale::GradientScales;
use pass::followed;
use scaler::LossScaler;
use sharded::Sharded;
use skipped::Skipped;
use std::fmt;
use std::sync::Arc;
use tch::{Device, Tensor};

/// The optimizers of a run, with everything that their updates need.
#[derive(Debug)]
pub struct Updates {
    /// The optimizers, in field order.
    optimizers: Vec<Optim>,
    /// The schedules.
    pub schedules: Schedules,
    passes: Vec<Pass>,
    batches_per_iter: u64,
    non_finite: NonFinite,
    skipped: Skipped,
    /// The device whose autocast is switched off while gradients are computed, where steps run under it.
    autocast_on: Option<Device>,
    /// For each pass the scale of its loss, where losses are scaled.
    scalers: Vec<LossScaler>,
    /// What a checkpoint says of scales that are not made yet.
    restored_scales: StateMap,
    /// Of the update under way whether a gradient is not finite, where losses are scaled.
    found_inf: Option<Tensor>,
    /// With other processes, the average of gradients over all of them.
    exchange: Exchange,
    /// Where each rank updates a part of the parameters, which part.
    sharded: Sharded,
    /// Factors for the gradients of some parameters.
    gradient_scales: GradientScales,
    /// What learning rates are multiplied by since the run went back to an earlier state.
    lr_scale: f64,
}

/// The result of an update; it is not read from the device.
#[derive(Debug)]
pub struct Updated {
    /// The 2-norm of the gradient before clipping, or the norm that [`Clip::Norms`](crate::optim::Clip::Norms) names, over all optimizers of the pass as one vector; `None` when it was
    /// not needed.
    pub grad_norm: Option<Scalar>,
    /// The scale of the loss in the next update; `None` when losses are not scaled.
    pub loss_scale: Option<Scalar>,
}

impl Default for Updates {
    /// No optimizer, and one pass.
    fn default() -> Self {
        let plan = PassPlan::new(&PassInfo::PLAIN[0], 0, 1, None);
        let pass =
            Pass { plan, prefix: None, optimizers: Vec::new(), others: GradientSwitch::default(), is_followed: false };
        Updates {
            optimizers: Vec::new(),
            schedules: Schedules::default(),
            passes: vec![pass],
            batches_per_iter: 1,
            non_finite: NonFinite::Apply,
            skipped: Skipped::default(),
            autocast_on: None,
            scalers: Vec::new(),
            restored_scales: StateMap::new(),
            found_inf: None,
            exchange: Exchange::default(),
            sharded: Sharded::default(),
            gradient_scales: GradientScales::default(),
            lr_scale: 1.0,
        }
    }
}

/// What there is.
impl Updates {
    /// Adds an optimizer. Until [`Updates::set_passes`] is called there is one pass, which has all optimizers.
    pub fn add(&mut self, optimizer: Optim) {
        if let [only] = self.passes.as_mut_slice() {
            only.optimizers.push(self.optimizers.len());
        }
        self.optimizers.push(optimizer);
    }

    /// The optimizers, in field order.
    pub fn optimizers(&self) -> &[Optim] {
        &self.optimizers
    }

    /// The optimizers, mutable: to change the settings of their groups.
    pub fn optimizers_mut(&mut self) -> &mut [Optim] {
        &mut self.optimizers
    }

    /// The optimizer of a field.
    ///
    /// # Errors
    /// When no `#[optimizer]` field has this name.
    pub fn optimizer(&mut self, name: &str) -> Result<&mut Optim> {
        let place = self.place_of(name)?;
        Ok(&mut self.optimizers[place])
    }

    /// The passes, in the order in which an iter runs them.
    pub fn passes(&self) -> &[Pass] {
        &self.passes
    }

    /// Sets the passes. `infos` comes from the code of the trainer, and `plans` has the settings of each pass.
    ///
    /// `trainable` are all parameters of the run's models. In a pass, parameters that none of its optimizers has get
    /// no gradients. With one pass nothing is switched off.
    ///
    /// # Errors
    /// When a pass names an optimizer that does not exist.
    pub fn set_passes(&mut self, infos: &[PassInfo], plans: Vec<PassPlan>, trainable: &[Tensor]) -> Result<()> {
        let mut passes = Vec::new();
        self.batches_per_iter = batches_per_iter(&plans).unwrap_or(1).max(1);
        for ((info, is_followed), plan) in infos.iter().zip(followed(&plans)).zip(plans) {
            let optimizers: Vec<usize> = match info.optimizers {
                [] => (0..self.optimizers.len()).collect(),
                named => named.iter().map(|name| self.place_of(name)).collect::<Result<_>>()?,
            };
            let others = match infos.len() {
                0 | 1 => GradientSwitch::default(),
                _ => self.without(&optimizers, trainable)?,
            };
            let prefix = info.section.map(|_| info.name);
            passes.push(Pass { plan, prefix, optimizers, others, is_followed });
        }
        self.passes = passes;
        Ok(())
    }

    /// The number of batches that an iter reads, in a training in which all iters read the same number.
    pub fn batches_per_iter(&self) -> u64 {
        self.batches_per_iter
    }

    /// Sets what happens to an update whose gradient is not finite.
    pub fn set_non_finite(&mut self, then: NonFinite) {
        self.non_finite = then;
    }

    /// From now on gradients are averaged over the ranks of a group: each is the mean of those of all ranks.
    pub fn join(&mut self, group: &Arc<ProcessGroup>, options: ReducerOptions) {
        self.exchange = Exchange::join(group, options);
    }

    fn place_of(&self, name: &str) -> Result<usize> {
        self.optimizers.iter().position(|optimizer| optimizer.name() == name).ok_or_else(|| {
            let known: Vec<&str> = self.optimizers.iter().map(Optim::name).collect();
            Error::msg(format!("no optimizer is named `{name}`{}", meant(name, &known)))
        })
    }

    /// The tensors that none of these optimizers has, under whatever name.
    fn without(&self, optimizers: &[usize], trainable: &[Tensor]) -> Result<GradientSwitch> {
        let mut own = Vec::new();
        for optimizer in optimizers {
            let parameters = self.optimizers[*optimizer].parameters();
            for index in 0..parameters.len() {
                own.extend(parameters.get(index)?.map(|tensor| tensor.data_ptr()));
            }
        }
        let others = trainable.iter().filter(|tensor| !own.contains(&tensor.data_ptr()));
        Ok(GradientSwitch::new(TensorList::new(others)?))
    }
}

/// What an update does, in this order.
impl Updates {
    /// Begins an update of a pass: its gradients are cleared.
    ///
    /// # Errors
    /// In a group of ranks, when one has other parameters or is gone.
    pub fn begin(&mut self, pass: usize) -> Result<()> {
        self.clear_gradients(pass)?;
        self.exchange.begin(&self.passes[pass], &self.optimizers)
    }

    fn clear_gradients(&mut self, pass: usize) -> Result<()> {
        for optimizer in &self.passes[pass].optimizers {
            self.optimizers[*optimizer].zero_grad()?;
        }
        Ok(())
    }

    /// To be called before each batch of an update, in a group of ranks also by one that has no samples of the batch. `last`:
    /// whether no batch of the update follows; its backward exchanges the gradients.
    ///
    /// # Errors
    /// In a group, when a rank is gone.
    pub fn before_batch(&self, pass: usize, last: bool) -> Result<()> {
        self.exchange.before_batch(&self.passes[pass], last)
    }

    /// To be called after the last backward of each batch, in a group of ranks also by one that has no samples of the batch:
    /// from then on it has the gradients of all ranks, if the batch is the last of its update.
    ///
    /// # Errors
    /// In a group, when backward has left a parameter out, and when a rank is gone.
    pub fn after_batch(&self, pass: usize) -> Result<()> {
        self.exchange.after_batch(&self.passes[pass], &self.optimizers)
    }

    /// Returns a guard for the time in which the step of a pass runs: until it is dropped, parameters of other passes
    /// get no gradients.
    ///
    /// # Errors
    /// Errors of libtorch; none is known.
    pub fn forward(&self, pass: usize) -> Result<GradientsOff> {
        Ok(self.passes[pass].others.off()?)
    }

    /// Runs backward from a loss of one element (see [`check_loss`]). `share` is how much it counts in the gradient of
    /// its update: with `n` equal batches `1 / n`, so that the gradient is their average. With a share of 0 nothing is
    /// done. Where losses are scaled, the gradients are scaled until [`Updates::finish`].
    ///
    /// # Errors
    /// When the loss has no graph, or an operator's backward fails.
    pub fn backward(&self, pass: usize, loss: &Tensor, share: f64) -> Result<()> {
        let _full = self.without_autocast()?;
        let shared = match share {
            // a mean over nothing is no number, and nothing times it is none either
            0.0 => return Ok(()),
            1.0 => None,
            _ => Some(loss.f_mul_scalar(share)?),
        };
        let loss = shared.as_ref().unwrap_or(loss);
        self.exchange.before_backward(&self.passes[pass], loss)?;
        let result = match self.scalers.get(pass) {
            None => loss.f_backward(),
            Some(scaler) => scaler.scaled(loss)?.f_backward(),
        };
        result.map_err(|error| Error::new(error).context("`backward` failed"))
    }

    /// Runs backward once from tensors whose gradients are known, for example from features on which losses have
    /// accumulated a gradient. `gradients` has one for each tensor.
    ///
    /// # Errors
    /// When a tensor has no graph, or its gradient another shape.
    pub fn backward_from(&self, pass: usize, tensors: &[&Tensor], gradients: &[&Tensor]) -> Result<()> {
        let _full = self.without_autocast()?;
        if let Some(first) = tensors.first() {
            self.exchange.before_backward(&self.passes[pass], first)?;
        }
        native::backward_from(tensors, gradients).map_err(|error| Error::new(error).context("`backward` failed"))
    }

    /// Autocast is for the forward pass: backward works in the kinds that were chosen there.
    fn without_autocast(&self) -> Result<Option<Autocast>> {
        Ok(self.autocast_on.map(Autocast::off).transpose()?)
    }

    /// Makes the gradient of a pass final: where losses are scaled, divides it by the scale, then multiplies the gradients
    /// that have a factor of their own. To be called after the last backward of an update and before anyone looks at the
    /// gradient.
    ///
    /// # Errors
    /// Those of libtorch; when a gradient that has a factor is sparse.
    pub fn finish(&mut self, pass: usize) -> Result<()> {
        let optimizers = &self.passes[pass].optimizers;
        if let Some(scaler) = self.scalers.get_mut(pass) {
            let lists = optimizers.iter().map(|optimizer| self.optimizers[*optimizer].parameters());
            self.found_inf = Some(scaler.unscale(lists)?);
        }
        self.gradient_scales.apply(optimizers)
    }

    /// Clips the gradient of a pass and steps its optimizers. `iter` is the number of finished iters.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn step(&mut self, pass: usize, iter: u64) -> Result<Updated> {
        let norm = self.measure_and_clip(pass)?;
        let found_inf = self.left_out(norm.as_ref(), pass, iter)?;
        let optimizers = &self.passes[pass].optimizers;
        let set_aside = self.sharded.set_aside(optimizers)?;
        for optimizer in optimizers {
            self.optimizers[*optimizer].step_scaled(Scaling { found_inf: found_inf.as_ref(), ..Scaling::default() })?;
        }
        self.sharded.share(optimizers, set_aside)?;
        self.updated(pass, norm)
    }

    /// Clips the gradient of a pass, and gives its norm before, when it is needed.
    fn measure_and_clip(&self, pass: usize) -> Result<Option<Tensor>> {
        let Pass { plan, optimizers, .. } = &self.passes[pass];
        let lists = || optimizers.iter().map(|optimizer| self.optimizers[*optimizer].parameters());
        // before values are clipped: an infinity is none afterwards
        let measured = match (plan.clip, self.non_finite) {
            (Some(clip), _) if clip.gives_norm() => None,
            (_, NonFinite::Apply) => None,
            _ => Some(native::grad_norm(lists())?),
        };
        let norm = match plan.clip {
            Some(clip) => {
                clip.apply(optimizers.iter().map(|o| &self.optimizers[*o])).map_err(|source| OptimError::Native {
                    optimizer: optimizers.iter().map(|o| self.optimizers[*o].name()).collect::<Vec<_>>().join("`, `"),
                    doing: "clipping the gradients".into(),
                    source,
                })?
            }
            None => None,
        };
        Ok(norm.or(measured))
    }

    /// A flag that is 1 when the update is to be left out, as its gradient is not finite; `None`: it is made anyway.
    fn left_out(&mut self, norm: Option<&Tensor>, pass: usize, iter: u64) -> Result<Option<Tensor>> {
        let number = self.number_of(pass, iter);
        Ok(match (self.found_inf.take(), norm, self.non_finite) {
            // a scale that is too large makes gradients infinite: that is how it is found
            (Some(found), ..) => Some(self.skipped.found(found, NonFinite::Skip, number)?),
            (None, _, NonFinite::Apply) | (None, None, _) => {
                self.skipped.none();
                None
            }
            (None, Some(norm), then) => Some(self.skipped.found(native::not_finite(norm)?, then, number)?),
        })
    }

    /// The number of an update among those of all passes, from 1 on.
    fn number_of(&self, pass: usize, iter: u64) -> u64 {
        iter * self.passes.len() as u64 + pass as u64 + 1
    }

    fn updated(&self, pass: usize, norm: Option<Tensor>) -> Result<Updated> {
        let loss_scale = self.scalers.get(pass).map(LossScaler::scale).transpose()?;
        Ok(Updated { grad_norm: norm.map(Scalar::Lazy), loss_scale: loss_scale.map(Scalar::Lazy) })
    }

    /// The 2-norm of the gradient of a pass, over all of its optimizers as one vector, on the device.
    ///
    /// # Errors
    /// When a gradient is sparse.
    pub fn grad_norm(&self, pass: usize) -> Result<Scalar> {
        let optimizers = self.passes[pass].optimizers.iter();
        Ok(Scalar::Lazy(native::grad_norm(optimizers.map(|optimizer| self.optimizers[*optimizer].parameters()))?))
    }

    /// Whether a pass updates a model.
    pub fn updates_model(&self, pass: usize, model: &str) -> bool {
        self.passes[pass].optimizers.iter().any(|optimizer| self.optimizers[*optimizer].updates_model(model))
    }

    /// Skips the update on request.
    pub fn skip(&mut self) {
        self.found_inf = None;
        self.skipped.on_request();
    }
}

/// Checks that backward can run from a loss, as far as this is possible without reading from the device. `what` is the
/// name of the loss, for the message.
///
/// # Errors
/// When it has more than one element, or no graph.
pub fn check_loss(what: fmt::Arguments<'_>, loss: &Tensor) -> Result<()> {
    // the number of dimensions first: asking for the shape allocates
    if loss.dim() != 0 && loss.numel() != 1 {
        return Err(Error::msg(format!(
            "{what} has shape {:?}, it must be one number: reduce it with `.mean(Kind::Float)`",
            loss.size()
        )));
    }
    if !loss.requires_grad() {
        return Err(Error::msg(format!(
            "{what} has no gradient: it does not depend on a parameter that is trained (are all of them frozen?), or was made under `no_grad`, or was detached"
        )));
    }
    Ok(())
}

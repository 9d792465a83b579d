//! `Ema`: an exponential moving average of the weights, used for validation and test.

use crate::base::{Error, Flag, Result};
use crate::model::{ModelEntry, SwappedIn};
use crate::native::{TensorList, foreach_copy_, foreach_lerp_, foreach_lerp_by_};
use crate::run::{Cadence, Context};
use engine_macros::{component, hook, phases};
use std::collections::BTreeMap;
use tch::{Device, Tensor};

/// Keeps `average = decay · average + (1 − decay) · weights` after every update of a model and evaluates with the average.
///
/// The average starts with the weights after the first update that is not skipped, as in PyTorch's `AveragedModel` and
/// in MMEngine. A skipped update does not change the average; when only the device knows that it was skipped, the ramp
/// still counts it. In a checkpoint `MODEL.safetensors` is the average, because evaluations use it, and `MODEL.raw.safetensors` has
/// the weights that are trained.
#[hook(priority = "NORMAL")]
#[derive(Debug)]
pub struct Ema {
    /// The share that stays, per averaging.
    #[config(default = 0.999, range = 0.0..=1.0, scheduled)]
    decay: f64,
    /// How `decay` comes into force. `Ramp`: as `min(decay, (1 + n) / (10 + n))` with `n` averagings done before.
    /// `Annealing(gamma: g)`: as `min(decay, n / (g + n))`, and `Exponential(base: b)`: as `decay · (1 − e^(−n / b))`, both counting
    /// from 1. `Constant`: at once; a short training then
    /// ends with an average that is still close to the first weights. `Equal`: `decay` is not used, and the average is the
    /// mean of the weights at all averagings.
    #[config(default = EmaKind::Ramp)]
    kind: EmaKind,
    /// Updates between two averagings; where a trainer has passes, those of a pass that updates the model.
    #[config(default = 1, range = 1..)]
    interval: u64,
    /// Updates before the first averaging; until then the average is a copy of the weights, and evaluations use the weights
    /// themselves. When the last of them is skipped, as the first ones of `F16` may be, the copy is made at the next one;
    /// when only the device knows that it was skipped, at the next one by `interval`. With 0 there is no copy: the first
    /// averaging is one with the initial weights.
    #[config(default = 1)]
    begin: u64,
    /// Buffers, such as the running statistics of batch norm: `Copy` takes those of the model, `Average` averages them like
    /// parameters. Buffers of whole numbers are always copied.
    #[config(default = EmaBuffers::Copy)]
    buffers: EmaBuffers,
    /// Computes the running statistics of batch norm for the averages, in a pass over the train data when the training is over,
    /// as `torch.optim.swa_utils.update_bn` does. For layers of `engine::nn`.
    #[config(default = false)]
    update_batch_norm: bool,
    /// The averages by model and variable.
    #[state]
    averages: BTreeMap<String, BTreeMap<String, Tensor>>,
    /// The averagings done, by model.
    #[state]
    averagings: BTreeMap<String, u64>,
    /// Whether the average of a model has its first copy of the weights, 1 or 0, by model. It lies on the device where only
    /// that knows which updates were skipped; on the CPU everywhere else.
    #[state]
    begun: BTreeMap<String, Tensor>,
    #[transient]
    pairs: Vec<Pair>,
    /// The models whose weights are in `averages` now, and the averages in the model.
    #[transient]
    swapped: Vec<(String, SwappedIn)>,
}

/// How buffers are handled.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum EmaBuffers {
    /// They are copied from the model.
    Copy,
    /// They are averaged like parameters.
    Average,
}

/// How the decay changes over the first averagings.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum EmaKind {
    /// The same decay from the start.
    Constant,
    /// A smaller decay at first. The formula is that of TensorFlow's `ExponentialMovingAverage` with `num_updates`.
    Ramp,
    /// The mean of the weights at all averagings, each with the same share: stochastic weight averaging (Izmailov and others,
    /// 2018), with `begin` and `interval` in updates.
    Equal,
    /// A smaller decay at first. The formula is that of MMEngine's `MomentumAnnealingEMA`, whose momentum is
    /// `1 - decay`.
    Annealing {
        /// How slowly: after this many averagings the decay is one half.
        gamma: u64,
    },
    /// A smaller decay at first. The formula is that of YOLOv5's `ModelEMA`, HAT's `ExponentialMovingAverage` and MMDetection's
    /// `ExpMomentumEMA`.
    Exponential {
        /// How slowly: after this many averagings the decay is 0.63 times its last value; with 0 it is there at once.
        base: u64,
    },
}

/// The tensors of one model, as libtorch's multi-tensor operators want them: made once.
#[derive(Debug)]
struct Pair {
    model: String,
    average: TensorList,
    weights: TensorList,
    copied: TensorList,
    to_copy: TensorList,
}

#[phases]
impl Ema {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        for model in cx.models().iter() {
            self.averagings.entry(model.name().to_owned()).or_default();
            if self.begin == 0 {
                // the initial weights are the copy
                self.begun.entry(model.name().to_owned()).or_insert_with(|| Tensor::from(1.0f32));
            }
            let averages = self.averages.entry(model.name().to_owned()).or_default();
            for (name, tensor) in model.distinct() {
                if !averages.contains_key(name) {
                    averages.insert(name.clone(), tensor.detach().copy());
                }
            }
        }
        self.pair(cx)
    }

    /// Within a training the averages are others now.
    fn after_load_checkpoint(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if self.pairs.is_empty() { Ok(()) } else { self.pair(cx) }
    }

    #[only_ok]
    fn after_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(update) = cx.update_number() else { return Ok(()) };
        let skipped = cx.is_update_skipped();
        if skipped.known() == Some(true) {
            return Ok(());
        }
        let by_interval = Cadence::iters(self.interval).is_at(update);
        let Ema { decay, kind, begin, averagings, begun, pairs, .. } = self;
        for pair in pairs.iter_mut().filter(|pair| cx.updates_model(&pair.model)) {
            let held = begun.get(&pair.model);
            // the first copy of the weights is made whatever the interval is; it may be due again after skipped updates
            let begins = update == *begin || (update > *begin && held.is_none());
            if !by_interval && !begins {
                continue;
            }
            let decay = match update <= *begin || held.is_none() {
                true => 0.0,
                false => next_decay(*decay, *kind, averagings.get_mut(&pair.model)),
            };
            let now_begun = match &skipped {
                Flag::Known(_) => {
                    let decay = if held.is_some_and(is_set) { decay } else { 0.0 };
                    foreach_lerp_(&mut pair.average, &pair.weights, 1.0 - decay)?;
                    // one that is on a device was read just now, and need not be read again
                    held.is_none_or(|held| held.device() != Device::Cpu || !is_set(held)).then(|| Tensor::from(1.0f32))
                }
                Flag::Lazy(skipped) => {
                    let made = skipped.f_rsub_scalar(1)?;
                    let held = match held {
                        Some(held) => held.f_to_device(made.device())?,
                        None => made.f_zeros_like()?,
                    };
                    // 0 where the update was left out, and 1 where this is the first copy
                    let weight = held.f_rsub_scalar(1)?.f_mul_scalar(decay)?.f_add_scalar(1.0 - decay)?.f_mul(&made)?;
                    foreach_lerp_by_(&mut pair.average, &pair.weights, &weight)?;
                    Some(held.f_maximum(&made)?)
                }
            };
            if let Some(now) = now_begun.filter(|_| update >= *begin) {
                begun.insert(pair.model.clone(), now);
            }
            foreach_copy_(&mut pair.copied, &pair.to_copy)?;
        }
        Ok(())
    }

    #[only_ok]
    fn after_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if !self.update_batch_norm {
            return Ok(());
        }
        for (model, averages) in self.averages.iter().filter(|(model, _)| self.has_averaged(model)) {
            if let Some(averages) = cx.models().get(model)?.under_all_names(|name| averages.get(name)) {
                cx.refresh_statistics(model, averages);
            }
        }
        Ok(())
    }

    fn before_save_checkpoint(&mut self, cx: &mut Context<'_>) -> Result<()> {
        for (model, averages) in self.averages.iter().filter(|(model, _)| self.has_averaged(model)) {
            if let Some(averages) = cx.models().get(model)?.under_all_names(|name| averages.get(name)) {
                cx.publish(model, averages)?;
            }
        }
        Ok(())
    }

    fn before_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.swap_in(cx)
    }
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.swap_out(cx)
    }
    fn before_test(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.swap_in(cx)
    }
    fn after_test(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.swap_out(cx)
    }
    fn before_predict(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.swap_in(cx)
    }
    fn after_predict(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.swap_out(cx)
    }
}

impl Ema {
    /// Brings the averages to where their models lie: restored ones come from the CPU.
    fn place(&mut self, cx: &Context<'_>) -> Result<()> {
        for model in cx.models().iter() {
            for average in self.averages.get_mut(model.name()).into_iter().flat_map(BTreeMap::values_mut) {
                if average.device() != model.device() {
                    *average = average.f_to_device(model.device())?;
                }
            }
        }
        Ok(())
    }

    /// Puts averages and weights into the lists that are averaged.
    fn pair(&mut self, cx: &Context<'_>) -> Result<()> {
        self.place(cx)?;
        self.pairs.clear();
        for model in cx.models().iter() {
            let Some(averages) = self.averages.get(model.name()) else { continue };
            self.pairs.push(Pair::new(model, averages, self.buffers)?);
        }
        Ok(())
    }

    /// Whether there was an averaging yet: before it there is nothing but a copy, which may be older than the weights. This
    /// may read from the device.
    fn has_averaged(&self, model: &str) -> bool {
        self.averagings.get(model).is_some_and(|done| *done > 0) && self.begun.get(model).is_some_and(is_set)
    }

    fn swap_in(&mut self, cx: &mut Context<'_>) -> Result<()> {
        // in an evaluation alone, `before_train` has not done it
        self.place(cx)?;
        for model in cx.models_mut().iter_mut() {
            let Some(averages) = self.averages.get(model.name()).filter(|_| self.has_averaged(model.name())) else {
                continue;
            };
            if !self.swapped.iter().any(|(name, _)| name == model.name()) {
                let averages = model.under_all_names(|name| averages.get(name));
                let averages =
                    averages.ok_or_else(|| Error::msg(format!("there is no average of all of `{}`", model.name())))?;
                self.swapped.push((model.name().to_owned(), model.swap_in("Ema", averages)?));
            }
        }
        Ok(())
    }

    fn swap_out(&mut self, cx: &mut Context<'_>) -> Result<()> {
        for (name, swapped) in std::mem::take(&mut self.swapped) {
            cx.model(&name)?.swap_out(swapped);
        }
        Ok(())
    }
}

fn is_set(flag: &Tensor) -> bool {
    flag.double_value(&[]) != 0.0
}

/// The decay of the averaging that is done now, after so many.
fn next_decay(decay: f64, kind: EmaKind, done: Option<&mut u64>) -> f64 {
    let before = done.map_or(0, |done| std::mem::replace(done, *done + 1)) as f64;
    match kind {
        EmaKind::Constant => decay,
        EmaKind::Equal => before / (before + 1.0),
        EmaKind::Ramp => decay.min((1.0 + before) / (10.0 + before)),
        EmaKind::Annealing { gamma } => decay.min((1.0 + before) / (gamma as f64 + 1.0 + before)),
        EmaKind::Exponential { base } => decay * -(-(1.0 + before) / base as f64).exp_m1(),
    }
}

impl Pair {
    fn new(model: &ModelEntry, averages: &BTreeMap<String, Tensor>, buffers: EmaBuffers) -> Result<Pair> {
        let (mut average, mut weights, mut copied, mut to_copy) = (vec![], vec![], vec![], vec![]);
        for (name, tensor) in model.distinct() {
            let Some(held) = averages.get(name) else { continue };
            // frozen ones too: they may be trained later
            let averaged = buffers == EmaBuffers::Average || model.parameters().any(|(parameter, _)| parameter == name);
            let (of_average, of_model) = match averaged && tensor.is_floating_point() {
                true => (&mut average, &mut weights),
                false => (&mut copied, &mut to_copy),
            };
            of_average.push(held.shallow_clone());
            of_model.push(tensor.shallow_clone());
        }
        Ok(Pair {
            model: model.name().to_owned(),
            average: TensorList::new(&average)?,
            weights: TensorList::new(&weights)?,
            copied: TensorList::new(&copied)?,
            to_copy: TensorList::new(&to_copy)?,
        })
    }
}

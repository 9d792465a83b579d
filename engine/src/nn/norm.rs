//! Batch norm.

use crate::base::joint::{self, SumOverRanks};
use crate::base::{Error, Result};
use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use tch::nn::{Init, ModuleT, Path};
use tch::{Kind, Tensor};

thread_local! {
    /// By the address of a layer's running mean, how many batches it has seen since statistics are means over batches.
    static BATCHES: RefCell<Option<BTreeMap<usize, u64>>> = const { RefCell::new(None) };
}

/// As long as it lives, the running statistics of batch norm on this thread are the means over the batches since its begin,
/// each with the same share, whatever the momentum of the layer is: PyTorch's `momentum=None`.
#[derive(Debug)]
pub struct MeansOverBatches(());

impl MeansOverBatches {
    /// From now on.
    pub fn begin() -> Self {
        BATCHES.with(|batches| *batches.borrow_mut() = Some(BTreeMap::new()));
        MeansOverBatches(())
    }

    /// How many batches the layer with this running mean has seen since then; 0 for what belongs to no such layer.
    pub fn seen(&self, running_mean: &Tensor) -> u64 {
        let seen = |batches: &Option<BTreeMap<usize, u64>>| {
            batches.as_ref()?.get(&(running_mean.data_ptr() as usize)).copied()
        };
        BATCHES.with(|batches| seen(&batches.borrow()).unwrap_or_default())
    }
}

impl Drop for MeansOverBatches {
    fn drop(&mut self) {
        BATCHES.with(|batches| *batches.borrow_mut() = None);
    }
}

/// The share of the batch in the statistics of a layer, while these are means over batches. Before its first batch a layer
/// forgets what it has, also what is not finite.
fn share_of_batch(running_mean: &Tensor, running_var: &Tensor) -> Option<f64> {
    BATCHES.with(|batches| {
        let mut batches = batches.borrow_mut();
        let seen = batches.as_mut()?.entry(running_mean.data_ptr() as usize).or_default();
        if *seen == 0 {
            tch::no_grad(|| {
                let _zeros = running_mean.shallow_clone().fill_(0.0);
                let _ones = running_var.shallow_clone().fill_(1.0);
            });
        }
        *seen += 1;
        Some(1.0 / *seen as f64)
    })
}

/// The settings of batch norm.
#[derive(Clone, Copy, Debug)]
pub struct BatchNormConfig {
    /// Whether cuDNN may compute it.
    pub cudnn_enabled: bool,
    /// Added to the variance.
    pub eps: f64,
    /// The weight of a batch in the running statistics.
    pub momentum: f64,
    /// Whether there are a weight and a bias.
    pub affine: bool,
    /// The initial values of the weight.
    pub ws_init: Init,
    /// The initial values of the bias.
    pub bs_init: Init,
}

/// The defaults of `torch.nn.BatchNorm2d`: the weight starts at 1. (`tch` draws it from 0 to 1.)
impl Default for BatchNormConfig {
    fn default() -> Self {
        BatchNormConfig {
            cudnn_enabled: true,
            eps: 1e-5,
            momentum: 0.1,
            affine: true,
            ws_init: Init::Const(1.0),
            bs_init: Init::Const(0.0),
        }
    }
}

/// Batch norm over the batch dimension and the spatial dimensions. Of several ranks each has its own statistics in training,
/// unless `dist: (sync_batch_norm: true)` says that they are those of the batch of all ranks.
#[derive(Debug)]
pub struct BatchNorm {
    config: BatchNormConfig,
    /// The running mean, `[features]`.
    pub running_mean: Tensor,
    /// The running variance, `[features]`.
    pub running_var: Tensor,
    /// The weight, `[features]`.
    pub ws: Option<Tensor>,
    /// The bias, `[features]`.
    pub bs: Option<Tensor>,
    /// Dimensions of space.
    space: usize,
}

/// Batch norm of `[n, features]` or `[n, features, l]`.
pub fn batch_norm1d<'a>(vs: impl Borrow<Path<'a>>, features: i64, config: BatchNormConfig) -> BatchNorm {
    BatchNorm::new(vs.borrow(), 1, features, config)
}

/// Batch norm of `[n, features, h, w]`.
pub fn batch_norm2d<'a>(vs: impl Borrow<Path<'a>>, features: i64, config: BatchNormConfig) -> BatchNorm {
    BatchNorm::new(vs.borrow(), 2, features, config)
}

/// Batch norm of `[n, features, d, h, w]`.
pub fn batch_norm3d<'a>(vs: impl Borrow<Path<'a>>, features: i64, config: BatchNormConfig) -> BatchNorm {
    BatchNorm::new(vs.borrow(), 3, features, config)
}

impl BatchNorm {
    fn new(vs: &Path<'_>, space: usize, features: i64, config: BatchNormConfig) -> Self {
        BatchNorm {
            config,
            running_mean: vs.zeros_no_train("running_mean", &[features]),
            running_var: vs.ones_no_train("running_var", &[features]),
            ws: config.affine.then(|| vs.var("weight", &[features], config.ws_init)),
            bs: config.affine.then(|| vs.var("bias", &[features], config.bs_init)),
            space,
        }
    }
}

impl BatchNorm {
    /// Batch norm over the samples of all ranks, of which each may have another number. The running variance takes in the
    /// unbiased one, as everywhere.
    fn over_ranks(&self, xs: &Tensor, size: &[i64], sum: &SumOverRanks) -> Result<Tensor> {
        let kind = xs.kind();
        // 16 bits are too few for sums over a batch
        let wide =
            if matches!(kind, Kind::Half | Kind::BFloat16) { xs.f_to_kind(Kind::Float)? } else { xs.shallow_clone() };
        let (features, count) = (size[1], size.iter().product::<i64>() / size[1].max(1));
        let others: Vec<i64> = (0..size.len() as i64).filter(|dim| *dim != 1).collect();
        let shape: Vec<i64> = (0..size.len()).map(|dim| if dim == 1 { features } else { 1 }).collect();
        let over_others = |x: &Tensor| x.f_sum_dim_intlist(others.as_slice(), false, wide.kind());
        let count = Tensor::f_full([1], count, (wide.kind(), wide.device()))?;
        let sums = sum(&Tensor::f_cat(&[over_others(&wide)?, count], 0)?)?;
        let count = sums.f_narrow(0, features, 1)?;
        let mean = sums.f_narrow(0, 0, features)?.f_div(&count)?;
        let centred = wide.f_sub(&mean.f_reshape(&shape)?)?;
        let variance = sum(&over_others(&centred.f_square()?)?)?.f_div(&count)?;
        let scale = variance.f_add_scalar(self.config.eps)?.f_rsqrt()?;
        let mut normed = centred.f_mul(&scale.f_reshape(&shape)?)?;
        if let Some(weight) = &self.ws {
            normed = normed.f_mul(&weight.f_reshape(&shape)?)?;
        }
        if let Some(bias) = &self.bs {
            normed = normed.f_add(&bias.f_reshape(&shape)?)?;
        }
        let momentum = self.momentum();
        tch::no_grad(|| {
            let unbiased = variance.f_mul(&count)?.f_div(&count.f_sub_scalar(1.0)?.f_clamp_min(1.0)?)?;
            for (running, now) in [(&self.running_mean, &mean), (&self.running_var, &unbiased)] {
                let _written =
                    running.shallow_clone().f_lerp_(&now.f_detach()?.f_to_kind(running.kind())?, momentum)?;
            }
            Ok::<(), Error>(())
        })?;
        Ok(normed.f_to_kind(kind)?)
    }

    /// The weight of the batch of now in the running statistics.
    fn momentum(&self) -> f64 {
        share_of_batch(&self.running_mean, &self.running_var).unwrap_or(self.config.momentum)
    }

    /// What is added to the variance.
    pub(super) fn eps(&self) -> f64 {
        self.config.eps
    }
}

impl ModuleT for BatchNorm {
    /// # Panics
    /// As in PyTorch: in training when there is only one value for each feature, because its variance would be NaN and
    /// would make every later validation NaN; and when the input has the wrong dimensions. In a step, a panic is an
    /// error of the run.
    #[expect(clippy::panic, reason = "`ModuleT` has no errors, and libtorch's operators panic too")]
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let size = xs.size();
        let fits = size.len() == self.space + 2 || (self.space == 1 && size.len() == 2);
        if !fits {
            let expected = if self.space == 1 { "2 or 3".to_owned() } else { (self.space + 2).to_string() };
            panic!("`batch_norm{}d` takes {expected} dimensions, got {size:?}", self.space);
        }
        if train && let Some(sum) = joint::sum_for_batch_norm() {
            return self.over_ranks(xs, &size, &*sum).unwrap_or_else(|error| panic!("{error:#}"));
        }
        if train && size.iter().product::<i64>() == size[1] {
            panic!(
                "batch norm has one value for each feature in {size:?}, and can't compute a variance from it; a loader \
                 whose last batch has one sample leaves it out with `drop_last: true`"
            );
        }
        let BatchNormConfig { momentum, eps, cudnn_enabled, .. } = self.config;
        let momentum = if train { self.momentum() } else { momentum };
        let running = (Some(&self.running_mean), Some(&self.running_var));
        xs.batch_norm(self.ws.as_ref(), self.bs.as_ref(), running.0, running.1, train, momentum, eps, cudnn_enabled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, nn};

    #[test]
    fn norms_start_as_those_of_pytorch() {
        let vs = nn::VarStore::new(Device::Cpu);
        let is = |tensor: &Option<Tensor>, value: f64| {
            assert_eq!((tensor.as_ref().unwrap() - value).abs().sum(Kind::Double).double_value(&[]), 0.0);
        };
        for norm in [
            batch_norm1d(vs.root() / "one", 8, BatchNormConfig::default()),
            batch_norm2d(vs.root() / "two", 8, BatchNormConfig::default()),
            batch_norm3d(vs.root() / "three", 8, BatchNormConfig::default()),
        ] {
            is(&norm.ws, 1.0);
            is(&norm.bs, 0.0);
            is(&Some(norm.running_mean), 0.0);
            is(&Some(norm.running_var), 1.0);
        }
        // these two are right in tch
        let layer = nn::layer_norm(vs.root() / "layer", vec![8], nn::LayerNormConfig::default());
        let group = nn::group_norm(vs.root() / "group", 2, 8, nn::GroupNormConfig::default());
        for (weight, bias) in [(&layer.ws, &layer.bs), (&group.ws, &group.bs)] {
            is(weight, 1.0);
            is(bias, 0.0);
        }
    }

    #[test]
    fn a_batch_of_one_value_for_each_feature_is_refused_in_training() {
        let vs = nn::VarStore::new(Device::Cpu);
        let norm = batch_norm1d(vs.root(), 3, BatchNormConfig::default());
        let one = Tensor::ones([1, 3], (Kind::Float, Device::Cpu));
        let refused = |xs: &Tensor| {
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| norm.forward_t(xs, true)));
            crate::base::panics::message(panicked.unwrap_err().as_ref())
        };
        assert!(refused(&one).contains("`drop_last: true`"));
        assert!(refused(&one.reshape([3])).contains("takes 2 or 3 dimensions, got [3]"));
        assert_eq!(norm.running_var.sum(Kind::Double).double_value(&[]), 3.0);
        // several values in space are enough, and so is one in an evaluation
        let _ = norm.forward_t(&one.unsqueeze(2).expand([1, 3, 4], false), true);
        assert_eq!(norm.forward_t(&one, false).size(), [1, 3]);
    }
}

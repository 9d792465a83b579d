//! A network with everything that makes a run hard to repeat: chance in its forward pass, and buffers.

use crate::data::{CLASSES, NUMBERS};
use engine::prelude::*;
use nn::{Module as _, ModuleT as _};

/// One hidden layer with batch norm and dropout.
#[derive(Debug)]
pub struct Mlp {
    hidden: nn::Linear,
    norm: Option<nn::BatchNorm>,
    out: nn::Linear,
    dropout: f64,
    spare: Option<Tensor>,
}

/// The settings of [`Mlp`].
#[component(model)]
pub struct MlpConfig {
    /// Features of the hidden layer.
    #[config(default = 8, range = 1..=4096)]
    pub hidden: i64,
    /// The share of features that is left out at random in training.
    #[config(default = 0.3, range = 0.0..1.0)]
    pub dropout: f64,
    /// Whether it has batch norm. Without it, the mean gradient over a batch is that over its parts.
    #[config(default = true)]
    pub norm: bool,
    /// Whether it has a parameter that only some batches use.
    #[config(default = false)]
    pub spare: bool,
}

impl Model for Mlp {
    type Config = MlpConfig;

    fn build(vs: &nn::Path<'_>, config: &MlpConfig) -> Result<Self> {
        let hidden = nn::linear(vs / "hidden", NUMBERS, config.hidden, Default::default());
        odd_buffers(&(vs / "odd"), &hidden.ws);
        Ok(Mlp {
            hidden,
            norm: config.norm.then(|| nn::batch_norm1d(vs / "norm", config.hidden, Default::default())),
            out: nn::linear(vs / "out", config.hidden, CLASSES, Default::default()),
            dropout: config.dropout,
            spare: (config.spare || has_spare_here()).then(|| vs.zeros("spare", &[CLASSES])),
        })
    }
}

/// Whether the surroundings of this process make its model another one, as they should never do.
fn has_spare_here() -> bool {
    std::env::var_os("MLP_HAS_SPARE").is_some()
}

impl Net for Mlp {
    /// Points `[n, 4]` to logits `[n, 3]`.
    fn forward(&self, points: &Tensor, train: bool) -> Result<Tensor> {
        let hidden = self.hidden.forward(points);
        let features =
            self.norm.as_ref().map_or_else(|| hidden.shallow_clone(), |norm| norm.forward_t(&hidden, train)).relu();
        let logits = self.out.forward(&features.dropout(self.dropout, train));
        let is_used = points.sum(Kind::Float).double_value(&[]) > 1.5 * points.size()[0] as f64;
        Ok(self.spare.as_ref().filter(|_| is_used).map_or_else(|| logits.shallow_clone(), |spare| &logits + spare))
    }
}

/// Buffers of kinds and layouts that files hold in another way than memory. Nothing reads them: they have to come through
/// checkpoints, averages and resumes as they are.
fn odd_buffers(vs: &nn::Path<'_>, weight: &Tensor) {
    let numbers = Tensor::arange(12, (Kind::Float, vs.device())).reshape([3, 4]);
    let buffers = [
        ("repeated", numbers.slice(1, 0, 1, 1).expand([2, 3, 4], false)),
        ("strided", numbers.transpose(0, 1).slice(0, 1, 4, 2)),
        ("of_a_weight", weight.detach().transpose(0, 1)),
        ("empty", numbers.slice(0, 0, 0, 1)),
        ("flags", numbers.gt(5.0)),
        ("short", numbers.to_kind(Kind::BFloat16)),
        ("turned", Tensor::complex(&numbers, &(&numbers + 0.5)).conj()),
    ];
    for (name, buffer) in buffers {
        let _ = vs.add(name, buffer, false);
    }
}

/// The loss of a batch, with what metrics read.
///
/// # Errors
/// Those of the network.
pub fn judge(net: &dyn Net, points: &Tensor, classes: &Tensor, train: bool) -> Result<Output> {
    let logits = net.forward(points, train)?;
    let loss = logits.cross_entropy_for_logits(classes);
    Ok(Output::new(loss).tensor("logits", &logits).tensor("target", classes))
}

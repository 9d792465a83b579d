//! The traits that a user's model implements.

use crate::base::{ConfigValue, Result};
use std::fmt::Debug;
use tch::{Tensor, nn};

/// A network with settings. It is built once, on the run's device and with the run's seed.
///
/// ```
/// use engine::prelude::*;
///
/// #[derive(Debug)]
/// pub struct Linear {
///     layer: nn::Linear,
/// }
///
/// #[component] // named `Linear` in experiments
/// pub struct LinearConfig {
///     /// Inputs.
///     #[config(default = 64, range = 1..)]
///     pub inputs: i64,
/// }
///
/// impl Model for Linear {
///     type Config = LinearConfig;
///     fn build(vs: &nn::Path<'_>, config: &LinearConfig) -> Result<Self> {
///         Ok(Linear { layer: nn::linear(vs / "layer", config.inputs, 10, Default::default()) })
///     }
/// }
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "not a model",
    note = "a model is a struct of your own that holds its layers, with `impl Model for` it: `type Config = …; fn build(vs: &nn::Path<'_>, config: &Self::Config) -> Result<Self> {{ … }}`"
)]
pub trait Model: Sized + 'static {
    /// The settings: a struct under `#[component]`.
    type Config: ConfigValue + 'static;

    /// Builds the layers. Create all variables with `vs`, so that optimizers and checkpoints find them by name.
    ///
    /// # Errors
    /// When the model refuses its settings.
    fn build(vs: &nn::Path<'_>, config: &Self::Config) -> Result<Self>;
}

/// A network that maps one tensor to one tensor, so that a file can choose among several:
/// a trainer's field `#[model] net: Box<dyn Net>` takes any config under `#[component(model)]`.
///
/// ```
/// use engine::model::ModelConfig;
/// use engine::prelude::*;
///
/// #[derive(Debug)]
/// pub struct Mlp {
///     hidden: nn::Linear,
///     out: nn::Linear,
/// }
///
/// #[component(model)] // `model: Mlp(width: 32)` where the trainer's field is a `Box<dyn Net>`
/// pub struct MlpConfig {
///     #[config(default = 16)]
///     pub width: i64,
/// }
///
/// impl Model for Mlp {
///     type Config = MlpConfig;
///     fn build(vs: &nn::Path<'_>, config: &MlpConfig) -> Result<Self> {
///         let linear = |name: &str, inputs, outputs| nn::linear(vs / name, inputs, outputs, Default::default());
///         Ok(Mlp { hidden: linear("hidden", 2, config.width), out: linear("out", config.width, 3) })
///     }
/// }
///
/// impl Net for Mlp {
///     /// `[n, 2]` to logits `[n, 3]`.
///     fn forward(&self, input: &Tensor, train: bool) -> Result<Tensor> {
///         Ok(input.apply(&self.hidden).relu().dropout(0.1, train).apply(&self.out))
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let chosen: Box<dyn ModelConfig> = engine::config::parse_text("example", "Mlp(width: 32)")?.read()?;
/// let store = nn::VarStore::new(Device::Cpu);
/// let net = chosen.build_model(&store.root())?;
/// let logits = net.forward(&Tensor::zeros([4, 2], (Kind::Float, Device::Cpu)), false)?;
/// assert_eq!(logits.size(), [4, 3]);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be chosen by a file as a `Box<dyn Net>`",
    label = "`Net` is not implemented",
    note = "implement `engine::Net` for it: `fn forward(&self, input: &Tensor, train: bool) -> Result<Tensor>`"
)]
pub trait Net: Debug {
    /// The forward pass. `train` says whether dropout and batch norm work as in training (`cx.is_training()`).
    ///
    /// # Errors
    /// When the network finds its input wrong.
    fn forward(&self, input: &Tensor, train: bool) -> Result<Tensor>;
}

/// The settings of any [`Net`]. `#[component(model)]` implements and registers it.
#[typetag::serde]
pub trait ModelConfig: Debug + Send + Sync {
    /// The network with these settings.
    ///
    /// # Errors
    /// When the model refuses its settings.
    fn build_model(&self, vs: &nn::Path<'_>) -> Result<Box<dyn Net>>;

    /// The same settings once more.
    fn clone_model(&self) -> Box<dyn ModelConfig>;
}

impl Clone for Box<dyn ModelConfig> {
    fn clone(&self) -> Self {
        self.clone_model()
    }
}

/// A model that a file can choose: a [`Model`] that is a [`Net`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be chosen by a file",
    label = "`{Self}` is not both, a `Model` and a `Net`",
    note = "implement `Model`, which builds it, and `Net`, whose `forward` all models have that a file can choose; where a trainer names the model, `#[component]` is enough"
)]
pub trait AnyModel {
    /// [`Model::Config`].
    type Settings;
    /// The model with these settings.
    ///
    /// # Errors
    /// When the model refuses its settings.
    fn build_any(vs: &nn::Path<'_>, settings: &Self::Settings) -> Result<Box<dyn Net>>;
}

#[diagnostic::do_not_recommend]
impl<M: Model + Net> AnyModel for M {
    type Settings = M::Config;
    fn build_any(vs: &nn::Path<'_>, settings: &M::Config) -> Result<Box<dyn Net>> {
        M::build(vs, settings).map(|net| Box::new(net) as Box<dyn Net>)
    }
}

/// Settings under `#[component(model)]`, and the model that they belong to.
pub trait NetPart: Sized {
    /// The model.
    type Model: AnyModel<Settings = Self>;
}

/// [`ModelConfig::build_model`] of a model.
///
/// # Errors
/// When the model refuses its settings.
pub fn build_model<P: NetPart>(vs: &nn::Path<'_>, settings: &P) -> Result<Box<dyn Net>> {
    P::Model::build_any(vs, settings)
}

#[diagnostic::do_not_recommend]
impl Model for Box<dyn Net> {
    type Config = Box<dyn ModelConfig>;
    fn build(vs: &nn::Path<'_>, config: &Self::Config) -> Result<Self> {
        config.build_model(vs)
    }
}

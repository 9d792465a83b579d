//! Several models and optimizers, one chosen by the file, and steps by iters.

use engine::prelude::*;

/// What both models are.
#[derive(Debug)]
pub struct Mlp {
    layer: nn::Linear,
}

// case: the settings of a model that a file can choose
/// Settings.
#[component(model)]
pub struct MlpConfig {
    /// Units.
    pub width: i64,
}

impl Model for Mlp {
    type Config = MlpConfig;
    fn build(vs: &nn::Path<'_>, config: &MlpConfig) -> Result<Self> {
        Ok(Mlp { layer: nn::linear(vs / "layer", config.width, config.width, Default::default()) })
    }
}

impl Net for Mlp {
    fn forward(&self, input: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(input.apply(&self.layer))
    }
}

// case: settings of a model of another name
/// Settings.
#[component(model = WideMlp)]
pub struct Wide {
    /// Units.
    pub width: i64,
}

/// A model whose settings are not called `WideMlpConfig`.
#[derive(Debug)]
pub struct WideMlp(Mlp);

impl Model for WideMlp {
    type Config = Wide;
    fn build(vs: &nn::Path<'_>, config: &Wide) -> Result<Self> {
        Mlp::build(vs, &MlpConfig { width: 4 * config.width }).map(WideMlp)
    }
}

impl Net for WideMlp {
    fn forward(&self, input: &Tensor, train: bool) -> Result<Tensor> {
        self.0.forward(input, train)
    }
}

/// Noise.
#[derive(Debug)]
pub struct Noise;

/// Its settings: none.
#[component(dataset)]
pub struct NoiseConfig {}

impl Dataset for Noise {
    type Config = NoiseConfig;
    type Item = Tensor;
    fn open(_: &NoiseConfig) -> Result<Self> {
        Ok(Noise)
    }
    fn len(&self) -> usize {
        100
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<Tensor> {
        Ok(Tensor::from_slice(&[0.0f32; 8]))
    }
}

// case: two models, each with an optimizer; one optimizer is fixed in code
/// Two models against each other.
#[trainer(by_iter, name = "Adversaries")]
#[derive(Debug)]
pub struct Gan {
    #[model]
    generator: Box<dyn Net>,
    #[model]
    critic: Mlp,
    #[optimizer(generator)]
    opt_generator: AdamW,
    #[optimizer(critic)]
    opt_critic: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Noise>,
}

impl Steps for Gan {
    type Batch = Tensor;
    fn train_step(&mut self, noise: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
        let made = self.generator.forward(noise, cx.is_training())?;
        Ok(self.critic.forward(&made, cx.is_training())?.mean(Kind::Float).into())
    }
}

/// It is a program.
pub fn check() {
    super::trainer_every_role::is_a_program::<Gan>();
}

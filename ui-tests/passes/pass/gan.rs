//! Passes in every form that they may have.

use engine::prelude::*;

/// What both models are.
#[derive(Debug)]
pub struct Layer(pub(crate) nn::Linear);

/// Its settings.
#[component]
pub struct LayerConfig {
    /// Units.
    #[config(default = 8)]
    pub width: i64,
}

impl Model for Layer {
    type Config = LayerConfig;
    fn build(vs: &nn::Path<'_>, config: &LayerConfig) -> Result<Self> {
        Ok(Layer(nn::linear(vs, config.width, config.width, Default::default())))
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
    type Item = (Tensor, i64);
    fn open(_: &NoiseConfig) -> Result<Self> {
        Ok(Noise)
    }
    fn len(&self) -> usize {
        100
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<(Tensor, i64)> {
        Ok((Tensor::from_slice(&[0.0f32; 8]), 0))
    }
}

/// Two models against each other, with a step for a val loader.
#[trainer(by_epoch)]
#[derive(Debug)]
pub struct Gan {
    #[model]
    critic: Layer,
    #[model]
    generator: Layer,
    #[optimizer(critic)]
    opt_c: Box<dyn Optimizer>,
    #[optimizer(generator)]
    r#gen: AdamW,
    #[loader(train)]
    train: Loader<Noise>,
    #[loader(val)]
    val: Loader<Noise>,
}

const TIMES: u64 = 5;
/// The batch under another name.
pub type Pair = (Tensor, Tensor);

#[passes]
impl Gan {
    // case: a number that is no literal, a pattern, a public method
    /// The critic's.
    #[pass(opt_c, times = TIMES)]
    pub fn critic(&mut self, (x, _): &(Tensor, Tensor), cx: &mut Context<'_>) -> Result<Output> {
        let pass = cx.pass().map_or("", |pass| pass.name());
        assert_eq!(pass, "critic");
        Ok(x.apply(&self.critic.0).mean(Kind::Float).into())
    }

    // case: all arguments, a raw name, the batch by another name, nothing used
    #[pass(r#gen, times = 1, every = 2, batches = Same,)]
    fn generator(&mut self, _: &Pair, _: &mut Context<'_>) -> engine::base::Result<Output> {
        Ok(Output::without_loss())
    }

    // case: several optimizers, each of them in another pass too
    #[pass(opt_c, r#gen)]
    fn both(&mut self, (x, _): &Pair, cx: &mut Context<'_>) -> Result<Output> {
        cx.backward(&x.apply(&self.generator.0).apply(&self.critic.0).mean(Kind::Float))?;
        Ok(Output::without_loss())
    }
}

impl ValStep for Gan {
    fn val_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.mean(Kind::Float).into())
    }
}

/// One pass, which gives what it logs its name.
#[trainer(by_iter)]
#[derive(Debug)]
pub struct Single {
    #[model]
    net: Layer,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Noise>,
}

// case: `crate = …`, one pass, phases besides
#[passes(crate = ::engine)]
impl Single {
    #[pass(opt)]
    fn fit(&mut self, (x, _): &(Tensor, Tensor), _: &mut Context<'_>) -> Result<Output> {
        Ok(x.apply(&self.net.0).mean(Kind::Float).into())
    }
}

#[phases]
impl Single {
    fn after_backward(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.log("seen", 1.0);
        Ok(())
    }
}

/// They are programs.
pub fn check() {
    super::trainer_every_role::is_a_program::<Gan>();
    super::trainer_every_role::is_a_program::<Single>();
}

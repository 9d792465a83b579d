use engine::prelude::*;

pub struct Regressor {
    first: nn::Linear,
    last: nn::Linear,
}

#[component]
pub struct RegressorConfig {
    /// Features of the hidden layer.
    #[config(default = 32, range = 1..)]
    hidden: i64,
}

impl Model for Regressor {
    type Config = RegressorConfig;

    fn build(vs: &nn::Path<'_>, config: &RegressorConfig) -> Result<Self> {
        let layer = |name: &str, inputs, outputs| nn::linear(vs / name, inputs, outputs, Default::default());
        Ok(Regressor { first: layer("first", 1, config.hidden), last: layer("last", config.hidden, 1) })
    }
}

impl Regressor {
    fn forward(&self, x: &Tensor) -> Tensor {
        x.apply(&self.first).tanh().apply(&self.last)
    }
}

/// Points of a sine.
pub struct Sine(usize);

#[component(dataset)]
pub struct SineConfig {
    /// How many there are.
    count: usize,
}

impl Dataset for Sine {
    type Config = SineConfig;
    type Item = (Vec<f32>, Vec<f32>);

    fn open(config: &SineConfig) -> Result<Self> {
        Ok(Sine(config.count))
    }

    fn len(&self) -> usize {
        self.0
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, Vec<f32>)> {
        let x = index as f32 / self.0 as f32 * 6.0 - 3.0;
        Ok((vec![x], vec![x.sin()]))
    }
}

/// A callback: the greatest loss of each epoch.
#[hook]
pub struct Greatest {
    #[state] // in the checkpoint: a resumed run goes on with it
    greatest: f64,
}

#[phases]
impl Greatest {
    fn after_val_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        // this reads the device: in a validation it costs little
        self.greatest = self.greatest.max(f64::try_from(cx.output()?.loss()?)?);
        Ok(())
    }

    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.log("greatest_loss", self.greatest);
        self.greatest = 0.0;
        Ok(())
    }
}

#[trainer(by_epoch)]
pub struct Fit {
    #[model]
    net: Regressor,
    #[optimizer]
    opt: AdamW,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Sine>,
    #[loader(val)]
    val: Loader<Sine>,
    #[metric]
    loss: MeanLoss,
    #[hook]
    greatest: Greatest,
    #[hook]
    early_stopping: EarlyStopping,
}

impl Steps for Fit {
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (x, y): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.net.forward(x).mse_loss(y, Reduction::Mean).into())
    }
}

impl ValStep for Fit {
    fn val_step(&mut self, (x, y): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.net.forward(x).mse_loss(y, Reduction::Mean).into())
    }
}

engine::main!(Fit);

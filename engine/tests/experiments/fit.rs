//! A small trainer whose experiments can say almost anything.

use engine::prelude::*;

/// Points on a line.
#[component(dataset)]
pub struct LineConfig {
    /// How many points.
    #[config(range = 1..)]
    pub points: usize,
    /// A file that nobody opens.
    #[config(default)]
    pub path: Option<std::path::PathBuf>,
}

/// See its settings.
#[derive(Debug)]
pub struct Line(usize);

impl Dataset for Line {
    type Config = LineConfig;
    type Item = (Vec<f32>, f32);

    fn open(config: &LineConfig) -> Result<Self> {
        Ok(Line(config.points))
    }
    fn len(&self) -> usize {
        self.0
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, f32)> {
        Ok((vec![index as f32], index as f32))
    }
}

/// A slope.
#[component]
pub struct SlopeConfig {
    /// Where it starts.
    #[config(default = 0.0)]
    pub start: f64,
}

/// See its settings.
#[derive(Debug)]
pub struct Slope(Tensor);

impl Model for Slope {
    type Config = SlopeConfig;
    fn build(vs: &nn::Path<'_>, config: &SlopeConfig) -> Result<Self> {
        Ok(Slope(vs.var("slope", &[1], nn::Init::Const(config.start))))
    }
}

/// Fits a slope to points.
#[trainer(by_epoch)]
pub struct Fit {
    #[model]
    slope: Slope,
    /// Chosen by the file.
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Line>,
    #[loader(val)]
    val: Loader<Line>,
    #[metric]
    loss: MeanLoss,
    #[hook]
    ema: Ema,
    #[hook]
    early: Option<EarlyStopping>,
    /// What the loss is multiplied by.
    #[config(default = 1.0, range = 0.0..=10.0)]
    scale: f64,
}

impl Steps for Fit {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, y): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let loss = (x * &self.slope.0).squeeze_dim(-1).mse_loss(y, Reduction::Mean) * self.scale;
        Ok(loss.into())
    }
}

impl ValStep for Fit {
    fn val_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.train_step(batch, cx)
    }
}

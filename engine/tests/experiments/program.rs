//! A small trainer with a field of almost every kind, and an experiment that says something of every section.

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
    /// Ignored.
    #[config(default)]
    pub noise: Option<f32>,
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
pub struct Slope(pub Tensor);

impl Model for Slope {
    type Config = SlopeConfig;
    fn build(vs: &nn::Path<'_>, config: &SlopeConfig) -> Result<Self> {
        Ok(Slope(vs.var("slope", &[1], nn::Init::Const(config.start))))
    }
}

/// A hook with settings, and a file of its own.
#[hook(priority = "LOW")]
pub struct Worst {
    /// How many.
    #[config(default = 8, range = 1..=100)]
    keep: usize,
    /// Of which metric.
    #[config(default = "val/loss")]
    by: String,
    /// Where to.
    #[config]
    folder: Option<std::path::PathBuf>,
}

#[phases]
impl Worst {
    fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
        let _ = (self.keep, &self.by, &self.folder);
        Ok(())
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
    #[hook]
    worst: Option<Worst>,
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

/// An experiment that says something of every section.
pub const EXPERIMENT: &str = r#"Experiment(
    name: "fit",
    seed: 7,
    device: Cpu,
    threads: Some(1),
    work_dir: Env("NO_SUCH_VARIABLE_IS_SET", "runs"),
    model: (start: 0.5),
    optimizer: AdamW(lr: 3e-4, betas: (0.9, 0.999), weight_decay: 0.01),
    schedule: [Linear(iters: 1_000, start: 0.1), Cosine()],
    loaders: (
        train: (dataset: Line(points: 1_000, noise: 0.5), batch_size: 0x40, shuffle: true, workers: 4),
        val: (dataset: (points: 100, path: "größe.bin"), batch_size: 64, sampler: Some(Sequential())),
    ),
    train: (max_epochs: 1e2, accumulate: 2, clip: Norm(1.0)),
    val: (interval: 1),
    metrics: [MeanLoss(), Accuracy],
    hooks: (
        logger: (interval: 50),
        checkpoint: (interval: 1, keep: 3, save_best: ["val/loss"]),
        ema: (decay: 0.999, level: HIGH),
        early: EarlyStopping(monitor: "val/loss", patience: 5),
        worst: Worst(keep: 10, by: "val/mean_loss", folder: "worst"),
    ),
    trainer: (scale: 2.0),
    custom_hooks: [Ema(decay: 0.5), EarlyStopping(monitor: "val/loss"), Worst(level: 70)], // three
)
"#;

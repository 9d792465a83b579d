//! A program with a field of every kind, whose experiments are read.

use engine::prelude::*;

#[component]
pub struct LineModelConfig {
    #[config(default = 8, range = 1..=4096)]
    pub hidden: i64,
    #[config(default = 0.0, range = 0.0..1.0)]
    pub dropout: f64,
}

pub struct LineModel;

impl Model for LineModel {
    type Config = LineModelConfig;
    fn build(_: &nn::Path<'_>, _: &LineModelConfig) -> Result<Self> {
        Ok(LineModel)
    }
}

#[component(dataset)]
pub struct LineConfig {
    pub points: usize,
    #[config(default = "set.bin")]
    pub file: std::path::PathBuf,
    #[config]
    pub noise: Option<f32>,
}

pub struct Line;

impl Dataset for Line {
    type Config = LineConfig;
    type Item = (Vec<f32>, Vec<f32>);
    fn open(_: &LineConfig) -> Result<Self> {
        Ok(Line)
    }
    fn len(&self) -> usize {
        0
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<Self::Item> {
        Ok((Vec::new(), Vec::new()))
    }
}

#[hook(priority = "LOW")]
pub struct Worst {
    #[config(default = 8, range = 1..=100)]
    keep: usize,
    #[config(default = "val/loss")]
    by: String,
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

#[trainer(by_epoch)]
pub struct Lines {
    #[model]
    net: LineModel,
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
    worst: Option<Worst>,
    #[config(default = 1.0, range = 0.0..=10.0)]
    weight: f64,
}

impl Steps for Lines {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let _ = (&self.net, self.weight);
        Ok(x.mean(None).into())
    }
}

impl ValStep for Lines {
    fn val_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.mean(None).into())
    }
}

/// An experiment that says something of every section.
pub const EXPERIMENT: &str = r#"Experiment(
    name: "lines",
    seed: 7,
    device: Cpu,
    threads: Some(1),
    work_dir: Env("NO_SUCH_VARIABLE_IS_SET", "runs"),
    model: (hidden: 16, dropout: 0.1),
    optimizer: AdamW(lr: 3e-4, betas: (0.9, 0.999), weight_decay: 0.01),
    schedule: [Linear(iters: 1_000, start: 0.1), Cosine()],
    loaders: (
        train: (dataset: Line(points: 1_000, noise: 0.5), batch_size: 0x40, shuffle: true, workers: 4),
        val: (dataset: (points: 100, file: "größe.bin"), batch_size: 64, sampler: Some(Sequential())),
    ),
    train: (max_epochs: 1e2, accumulate: 2, clip: Norm(1.0)),
    val: (interval: 1),
    metrics: [MeanLoss(), Accuracy],
    hooks: (
        logger: (interval: 50),
        checkpoint: (interval: 1, keep: 3, save_best: ["val/loss"]),
        ema: (decay: 0.999, level: HIGH),
        worst: Worst(keep: 10, by: "val/mean_loss", folder: "worst"),
    ),
    trainer: (weight: 2.0),
    custom_hooks: [Ema(decay: 0.5), EarlyStopping(monitor: "val/loss"), Worst(level: 70)], // three
)
"#;

use engine::prelude::*;

// ---- the data ----------------------------------------------------------------------------------

/// Points on two spirals; the target of each point is its spiral, 0 or 1.
pub struct Spirals(SpiralsConfig);

/// The settings of the points.
#[component(dataset)] // `Spirals(points: 1000)` in experiments: the name without `Config`
pub struct SpiralsConfig {
    /// How many points.
    #[config(range = 2..)]
    pub points: usize,
    /// The standard deviation of the noise in each coordinate; drawn again in each epoch.
    #[config(default = 0.0, range = 0.0..)]
    pub noise: f64,
}

impl Dataset for Spirals {
    type Config = SpiralsConfig;
    type Item = (Vec<f32>, i64); // n of them become a batch of [n, 2] f32 and [n] i64

    fn open(config: &SpiralsConfig) -> Result<Self> { Ok(Spirals(config.clone())) }
    fn len(&self) -> usize { self.0.points }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<(Vec<f32>, i64)> {
        let spiral = index % 2;
        let radius = index as f64 / self.0.points as f64;
        let angle = 6.0 * radius + std::f64::consts::PI * spiral as f64;
        let mut noisy = |value: f64| (value + self.0.noise * rng.normal()) as f32;
        Ok((vec![noisy(radius * angle.cos()), noisy(radius * angle.sin())], spiral as i64))
    }
}

// ---- the model ---------------------------------------------------------------------------------

/// One hidden layer.
pub struct Mlp { hidden: nn::Linear, out: nn::Linear }

/// The settings of the model.
#[component]
pub struct MlpConfig {
    /// Units of the hidden layer.
    #[config(default = 64, range = 1..=4096)]
    pub width: i64,
}

impl Model for Mlp {
    type Config = MlpConfig;

    fn build(vs: &nn::Path<'_>, config: &MlpConfig) -> Result<Self> {
        Ok(Mlp {
            hidden: nn::linear(vs / "hidden", 2, config.width, Default::default()),
            out: nn::linear(vs / "out", config.width, 2, Default::default()),
        })
    }
}

// ---- a hook ------------------------------------------------------------------------------------

/// Prints a line when a validation is better than all earlier ones.
#[hook(priority = "LOW")]
pub struct Announce {
    /// The metric; higher is better.
    #[config(default = "val/accuracy", resets_state)] // with another metric, `best` is reset
    metric: MetricName, // an experiment is refused when no validation produces it
    #[state] // saved in every checkpoint, so that a resumed run keeps the best value
    best: Option<f64>,
}

#[phases]
impl Announce {
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(value) = cx.new_metric(&self.metric) else { return Ok(()) };
        if self.best.is_none_or(|best| value > best) {
            self.best = Some(value);
            cx.say(&format!("best so far: {} = {value:.3}", self.metric))?;
        }
        Ok(())
    }
}

// ---- the trainer -------------------------------------------------------------------------------

/// Predicts the spiral of a point.
#[trainer(by_epoch)]
pub struct Classifier {
    #[model]         net: Mlp,
    #[optimizer]     opt: Box<dyn Optimizer>, // the file chooses the type; the type `AdamW` would fix it here
    #[scheduler]     schedule: Schedules,
    #[loader(train)] train: Loader<Spirals>,
    #[loader(val)]   val: Loader<Spirals>,
    #[metric]        accuracy: Accuracy,
    #[hook]          announce: Announce,
}

impl Classifier {
    fn forward(&self, (points, spirals): &(Tensor, Tensor)) -> Output {
        let logits = points.apply(&self.net.hidden).tanh().apply(&self.net.out);
        let loss = logits.cross_entropy_for_logits(spirals);
        Output::new(loss).tensor("logits", &logits).tensor("target", spirals) // `Accuracy` reads these two
    }
}

impl Steps for Classifier {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> { Ok(self.forward(batch)) }
}

impl ValStep for Classifier {
    fn val_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> { Ok(self.forward(batch)) }
}

engine::main!(Classifier);

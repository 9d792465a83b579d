use engine::prelude::*;

/// Finds the centre of a cloud of points.
pub struct Centre {
    each: nn::Linear,
    all: nn::Linear,
}

#[component]
pub struct CentreConfig {
    /// Features of a point.
    #[config(range = 1..)]
    width: i64,
}

impl Model for Centre {
    type Config = CentreConfig;

    fn build(vs: &nn::Path<'_>, config: &CentreConfig) -> Result<Self> {
        let layer = |name: &str, inputs, outputs| nn::linear(vs / name, inputs, outputs, Default::default());
        Ok(Centre { each: layer("each", 3, config.width), all: layer("all", config.width, 3) })
    }
}

impl Centre {
    /// Clouds `[n, points, 3]` to centres `[n, 3]`.
    fn forward(&self, clouds: &Tensor) -> Tensor {
        let features = clouds.apply(&self.each).relu();
        features.mean_dim(1, false, Kind::Float).apply(&self.all)
    }
}

/// Clouds of 16 points around a centre.
pub struct Clouds(usize);

#[component(dataset)]
pub struct CloudsConfig {
    /// How many there are.
    count: usize,
}

impl Dataset for Clouds {
    type Config = CloudsConfig;
    type Item = (Tensor, Vec<f32>);

    fn open(config: &CloudsConfig) -> Result<Self> {
        Ok(Clouds(config.count))
    }

    fn len(&self) -> usize {
        self.0
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<(Tensor, Vec<f32>)> {
        let centre: Vec<f32> = (0..3).map(|axis| ((index + axis) % 5) as f32 / 5.0).collect();
        let points: Vec<f32> = (0..48).map(|place| centre[place % 3] + 0.1 * rng.normal() as f32).collect();
        Ok((Tensor::from_slice(&points).view([16, 3]), centre))
    }
}

#[trainer(by_epoch)]
pub struct Locate {
    #[model]
    net: Centre,
    #[optimizer]
    opt: Adam,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Clouds>,
    #[loader(val)]
    val: Loader<Clouds>,
    #[loader(test)]
    test: Loader<Clouds>,
    #[metric]
    loss: MeanLoss,
}

impl Steps for Locate {
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (clouds, centres): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let found = self.net.forward(clouds);
        let error = (&found - centres).square().sum_dim_intlist(1, false, Kind::Float).sqrt();
        let loss = found.mse_loss(centres, Reduction::Mean);
        // "result_dict": what rows show. "output_dict": tensors for hooks and metrics
        Ok(Output::new(loss).value("error", error.mean(Kind::Float)).tensor("found", &found))
    }
}

impl ValStep for Locate {
    fn val_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.train_step(batch, cx) // in evaluation mode, without gradients
    }
}

impl TestStep for Locate {
    fn test_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.train_step(batch, cx)
    }
}

#[phases]
impl Locate {
    // `after_val_epoch(self, epoch, summary_dict)` of the trainer
    fn after_val_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let epoch = cx.epoch();
        cx.say(&format!("validated after {epoch}"))
    }
}

engine::main!(Locate);

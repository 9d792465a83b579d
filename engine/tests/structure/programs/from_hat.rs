use engine::prelude::*;

/// A backbone with two heads: a class and a depth.
pub struct Perception {
    backbone: nn::Linear,
    class: nn::Linear,
    depth: nn::Linear,
}

#[component]
pub struct PerceptionConfig {
    /// Features of the backbone.
    #[config(range = 1..)]
    width: i64,
}

impl Model for Perception {
    type Config = PerceptionConfig;

    fn build(vs: &nn::Path<'_>, config: &PerceptionConfig) -> Result<Self> {
        let layer = |name: &str, inputs, outputs| nn::linear(vs / name, inputs, outputs, Default::default());
        Ok(Perception {
            backbone: layer("backbone", 4, config.width),
            class: layer("class", config.width, 2),
            depth: layer("depth", config.width, 1),
        })
    }
}

/// Rows of sensor values with a class.
pub struct Objects(usize);
/// Rows of sensor values with a depth.
pub struct Depths(usize);

#[component(dataset)]
pub struct ScansConfig {
    /// How many there are.
    count: usize,
}

fn scan(index: usize) -> Vec<f32> {
    (0..4).map(|place| ((index * 7 + place * 3) % 11) as f32 / 11.0).collect()
}

impl Dataset for Objects {
    type Config = ScansConfig;
    type Item = (Vec<f32>, i64);

    fn open(config: &ScansConfig) -> Result<Self> {
        Ok(Objects(config.count))
    }

    fn len(&self) -> usize {
        self.0
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, i64)> {
        let scan = scan(index);
        let class = i64::from(scan[0] > 0.5);
        Ok((scan, class))
    }
}

impl Dataset for Depths {
    type Config = ScansConfig;
    type Item = (Vec<f32>, Vec<f32>);

    fn open(config: &ScansConfig) -> Result<Self> {
        Ok(Depths(config.count))
    }

    fn len(&self) -> usize {
        self.0
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, Vec<f32>)> {
        let scan = scan(index);
        let depth = scan.iter().sum();
        Ok((scan, vec![depth]))
    }
}

#[trainer(by_epoch)]
pub struct MultiTask {
    #[model]
    net: Perception,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    objects: Loader<Objects>,
    #[loader(train)]
    depths: Loader<Depths>,
    #[loader(val)]
    val_objects: Loader<Objects>,
    #[loader(val)]
    val_depths: Loader<Depths>,
    #[metric]
    loss: MeanLoss,
    /// The weight of the depth's loss.
    #[config(default = 0.5, range = 0.0..)]
    depth_weight: f64,
}

impl MultiTask {
    fn class_loss(&self, (scan, class): &(Tensor, Tensor)) -> Tensor {
        let features = scan.apply(&self.net.backbone).relu();
        features.apply(&self.net.class).cross_entropy_for_logits(class)
    }

    fn depth_loss(&self, (scan, depth): &(Tensor, Tensor)) -> Tensor {
        let features = scan.apply(&self.net.backbone).relu();
        features.apply(&self.net.depth).mse_loss(depth, Reduction::Mean)
    }
}

impl Steps for MultiTask {
    type Batch = ((Tensor, Tensor), (Tensor, Tensor));

    fn train_step(&mut self, (objects, depths): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let (class, depth) = (self.class_loss(objects), self.depth_loss(depths));
        let loss = &class + self.depth_weight * &depth;
        Ok(Output::new(loss).value("class", &class).value("depth", &depth))
    }
}

impl ValStep<(Tensor, Tensor)> for MultiTask {
    fn val_step(&mut self, batch: &(Tensor, Tensor), cx: &mut Context<'_>) -> Result<Output> {
        let loss = if cx.loader() == "val_depths" { self.depth_loss(batch) } else { self.class_loss(batch) };
        Ok(loss.into())
    }
}

engine::main!(MultiTask);

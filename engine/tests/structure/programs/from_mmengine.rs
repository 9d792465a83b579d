use engine::prelude::*;

pub struct Classifier {
    first: nn::Linear,
    last: nn::Linear,
}

#[component]
pub struct ClassifierConfig {
    /// Features of the hidden layer.
    #[config(range = 1..)]
    width: i64,
}

impl Model for Classifier {
    type Config = ClassifierConfig;

    fn build(vs: &nn::Path<'_>, config: &ClassifierConfig) -> Result<Self> {
        let layer = |name: &str, inputs, outputs| nn::linear(vs / name, inputs, outputs, Default::default());
        Ok(Classifier { first: layer("first", 4, config.width), last: layer("last", config.width, 2) })
    }
}

pub struct Points(usize);

#[component(dataset)]
pub struct PointsConfig {
    /// How many there are.
    count: usize,
}

impl Dataset for Points {
    type Config = PointsConfig;
    type Item = (Vec<f32>, i64);

    fn open(config: &PointsConfig) -> Result<Self> {
        Ok(Points(config.count))
    }

    fn len(&self) -> usize {
        self.0
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, i64)> {
        let class = index % 2;
        Ok((vec![class as f32, 1.0, (index / 2) as f32 / 16.0, 0.0], class as i64))
    }
}

#[trainer(by_epoch)]
pub struct Train {
    #[model]
    net: Classifier,
    #[optimizer]
    opt: Box<dyn Optimizer>, // the file chooses; `AdamW` as a type would fix it
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Points>,
    #[loader(val)]
    val: Loader<Points>,
    #[metric]
    accuracy: Accuracy, // reads the tensors `logits` and `target` of the step
    #[hook]
    ema: Ema,
}

impl Train {
    fn logits(&self, inputs: &Tensor) -> Tensor {
        inputs.apply(&self.net.first).relu().apply(&self.net.last)
    }
}

impl Steps for Train {
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (inputs, labels): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.logits(inputs).cross_entropy_for_logits(labels).into())
    }
}

impl ValStep for Train {
    fn val_step(&mut self, (inputs, labels): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let logits = self.logits(inputs);
        let loss = logits.cross_entropy_for_logits(labels);
        Ok(Output::new(loss).tensor("logits", &logits).tensor("target", labels))
    }
}

engine::main!(Train);

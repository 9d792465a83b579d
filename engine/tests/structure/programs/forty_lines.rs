use engine::prelude::*;

#[component(dataset)] // `Spirals(points: 1000)` in experiments
pub struct Spirals { points: usize, #[config(default = 0.0, range = 0.0..)] noise: f64 }

impl Dataset for Spirals {
    type Config = Spirals;
    type Item = (Vec<f32>, i64); // n of them become a batch of [n, 2] f32 and [n] i64
    fn open(config: &Spirals) -> Result<Self> { Ok(config.clone()) }
    fn len(&self) -> usize { self.points }
    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<(Vec<f32>, i64)> {
        let (spiral, radius) = (index % 2, index as f64 / self.points as f64);
        let angle = 6.0 * radius + std::f64::consts::PI * spiral as f64;
        let mut noisy = |value: f64| (value + self.noise * rng.normal()) as f32;
        Ok((vec![noisy(radius * angle.cos()), noisy(radius * angle.sin())], spiral as i64))
    }
}

#[component]
pub struct MlpConfig { #[config(default = 64, range = 1..=4096)] width: i64 }
pub struct Mlp { hidden: nn::Linear, out: nn::Linear }

impl Model for Mlp {
    type Config = MlpConfig;
    fn build(vs: &nn::Path<'_>, config: &MlpConfig) -> Result<Self> {
        let linear = |name: &str, inputs, outputs| nn::linear(vs / name, inputs, outputs, Default::default());
        Ok(Mlp { hidden: linear("hidden", 2, config.width), out: linear("out", config.width, 2) })
    }
}

#[trainer(by_epoch)]
pub struct Classifier { #[model] net: Mlp, #[optimizer] opt: Box<dyn Optimizer>, #[loader(train)] train: Loader<Spirals> }

impl Steps for Classifier {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (points, spirals): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let logits = points.apply(&self.net.hidden).tanh().apply(&self.net.out);
        Ok(logits.cross_entropy_for_logits(spirals).into())
    }
}
engine::main!(Classifier);

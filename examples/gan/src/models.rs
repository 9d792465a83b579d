//! The two networks: three layers each.

use engine::prelude::*;

/// Pixels of an image.
pub const PIXELS: i64 = 64;

/// Scores images: higher where it takes them for real.
#[derive(Debug)]
pub struct Critic([nn::Linear; 3]);

/// The critic.
#[component]
pub struct CriticConfig {
    /// Features of its hidden layers.
    #[config(default = 256, range = 1..=4096)]
    pub width: i64,
}

impl Model for Critic {
    type Config = CriticConfig;

    fn build(vs: &nn::Path<'_>, config: &CriticConfig) -> Result<Self> {
        Ok(Critic(layers(vs, [PIXELS, config.width, config.width, 1])))
    }
}

impl Critic {
    /// Images `[n, 64]` in -1 to 1 to scores `[n, 1]`.
    pub fn score(&self, images: &Tensor) -> Tensor {
        let [first, second, last] = &self.0;
        let slope = |x: Tensor| x.maximum(&(&x * 0.2));
        slope(slope(images.apply(first)).apply(second)).apply(last)
    }
}

/// Draws images from noise.
#[derive(Debug)]
pub struct Generator {
    layers: [nn::Linear; 3],
    noise: i64,
}

/// The generator.
#[component]
pub struct GeneratorConfig {
    /// Numbers that an image is drawn from.
    #[config(default = 32, range = 1..=1024)]
    pub noise: i64,
    /// Features of its hidden layers.
    #[config(default = 256, range = 1..=4096)]
    pub width: i64,
}

impl Model for Generator {
    type Config = GeneratorConfig;

    fn build(vs: &nn::Path<'_>, config: &GeneratorConfig) -> Result<Self> {
        let layers = layers(vs, [config.noise, config.width, config.width, PIXELS]);
        Ok(Generator { layers, noise: config.noise })
    }
}

impl Generator {
    /// New images, `[n, 64]` in -1 to 1.
    pub fn draw(&self, n: i64) -> Tensor {
        let [first, second, last] = &self.layers;
        let noise = Tensor::randn([n, self.noise], (Kind::Float, first.ws.device()));
        noise.apply(first).relu().apply(second).relu().apply(last).tanh()
    }
}

/// Linear layers from each of these sizes to the next.
fn layers(vs: &nn::Path<'_>, sizes: [i64; 4]) -> [nn::Linear; 3] {
    [0, 1, 2].map(|n| nn::linear(vs / format!("layer{n}"), sizes[n], sizes[n + 1], Default::default()))
}

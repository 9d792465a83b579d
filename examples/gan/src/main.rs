//! Draws handwritten digits: a Wasserstein GAN with gradient penalty (Gulrajani et al., 2017), as an example of passes.
//!
//! The critic is updated several times on fresh images, then the generator once; each has its own loss, optimizer,
//! schedule and clipping. How often is in the experiment file.

pub mod data;
pub mod metrics;
pub mod models;

use data::Images;
use engine::prelude::*;
use metrics::PixelMoments;
use models::{Critic, Generator};

/// Two networks against each other.
#[trainer(by_iter)]
pub struct Gan {
    #[model]
    critic: Critic,
    #[model]
    generator: Generator,
    #[optimizer(critic)]
    opt_c: Box<dyn Optimizer>,
    #[optimizer(generator)]
    opt_g: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Images>,
    #[loader(val)]
    val: Loader<Images>,
    #[metric]
    moments: PixelMoments,
    /// How much a slope of the critic other than 1 costs.
    #[config(default = 10.0, range = 0.0..)]
    penalty: f64,
    /// Images that are drawn for each batch of a validation.
    #[config(default = 1000, range = 1..)]
    samples: i64,
}

#[passes]
impl Gan {
    /// Learns to tell drawn images from real ones. Its slope between them is to be 1.
    #[pass(opt_c, times = 5)]
    fn critic(&mut self, real: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        let drawn = self.generator.draw(real.size()[0]);
        let share = Tensor::rand([real.size()[0], 1], (Kind::Float, real.device()));
        let between = (real + share * (&drawn - real)).set_requires_grad(true);
        let score = self.critic.score(&between).sum(Kind::Float);
        let slope = Tensor::run_backward(&[score], &[&between], true, true).remove(0);
        let penalty = (slope.norm_scalaropt_dim(2, 1, false) - 1.0).square().mean(Kind::Float);
        let distance = self.critic.score(real).mean(Kind::Float) - self.critic.score(&drawn).mean(Kind::Float);
        Ok(Output::new(&penalty * self.penalty - &distance).value("distance", distance).value("penalty", penalty))
    }

    /// Learns to draw what the critic takes for real.
    #[pass(opt_g)]
    fn generator(&mut self, real: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        let drawn = self.generator.draw(real.size()[0]);
        Ok((-self.critic.score(&drawn).mean(Kind::Float)).into())
    }
}

impl ValStep for Gan {
    fn val_step(&mut self, real: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
        let drawn = self.generator.draw(self.samples);
        let pictures = drawn.narrow(0, 0, self.samples.min(64)).view([-1, 1, 8, 8]);
        cx.log_image("drawn", &((pictures + 1.0) / 2.0))?;
        Ok(Output::without_loss().tensor("real", real).tensor("drawn", &drawn))
    }
}

engine::main!(Gan);
engine::check_experiments!("experiments/*.ron");

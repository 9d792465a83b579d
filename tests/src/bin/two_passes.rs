//! A trainer with two passes that draw random numbers: one network against another.

use engine::prelude::*;
use engine_tests::data::{NUMBERS, Points};
use engine_tests::faults::mark;
use engine_tests::model::{Mlp, judge};

/// A network that learns heaps, and one that learns to draw points which the first is sure of.
#[trainer(by_iter)]
pub struct Duel {
    #[model]
    net: Mlp,
    #[model]
    forger: Forger,
    #[optimizer(net)]
    opt_net: Box<dyn Optimizer>,
    #[optimizer(forger)]
    opt_forger: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Points>,
    /// Milliseconds that each step sleeps; above 0 it is announced too.
    #[config(default = 0, range = 0..=60_000)]
    pause: u64,
    /// Whether what is forged begins with random numbers, and not with those of the batch.
    #[config(default = true)]
    drawn: bool,
    /// Steps of the whole run.
    #[state]
    steps: u64,
}

/// Draws points from noise.
#[derive(Debug)]
pub struct Forger(nn::Linear);

/// The settings of [`Forger`].
#[component]
pub struct ForgerConfig {}

impl Model for Forger {
    type Config = ForgerConfig;

    fn build(vs: &nn::Path<'_>, _: &ForgerConfig) -> Result<Self> {
        Ok(Forger(nn::linear(vs / "out", 2, NUMBERS, Default::default())))
    }
}

impl Duel {
    /// Points `[n, 4]`, one for each of these.
    fn forged(&mut self, points: &Tensor) -> Tensor {
        self.steps += 1;
        mark("step", self.steps, self.pause);
        let noise = match self.drawn {
            true => Tensor::randn([points.size()[0], 2], (Kind::Float, Device::Cpu)),
            false => points.narrow(1, 0, 2),
        };
        noise.apply(&self.forger.0)
    }
}

#[passes]
impl Duel {
    /// Learns heaps, with a little of what is forged mixed in.
    #[pass(opt_net, times = 2)]
    fn learn(&mut self, (points, heaps): &(Tensor, Tensor), cx: &mut Context<'_>) -> Result<Output> {
        let forged = self.forged(points);
        judge(&self.net, &(points + forged * 0.1), heaps, cx.is_training())
    }

    /// Learns points that the network is sure of.
    #[pass(opt_forger, every = 3)]
    fn forge(&mut self, (points, heaps): &(Tensor, Tensor), cx: &mut Context<'_>) -> Result<Output> {
        let forged = self.forged(points);
        judge(&self.net, &forged, heaps, cx.is_training())
    }
}

engine::main!(Duel);

//! Generic trainers.

use crate::generic_components::{OfLoss, PartOf, SumOf};
use crate::generic_hooks::{Number, Worst};
use crate::trainer_every_role::{Linear, Points};
use engine::prelude::*;

// case: any model, hooks of a parameter, a metric, state
/// Trains any model.
#[trainer(by_epoch, phases, priority = "LOW")]
pub struct Classifier<M, T: Number> {
    #[model]
    net: M,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Points>,
    #[loader(val)]
    val: Option<Loader<Points>>,
    #[loader(predict)]
    cases: Loader<Points>,
    #[metric]
    sum: SumOf<OfLoss>,
    #[hook]
    ema: Option<Ema>,
    #[hook]
    worst: Worst<T>,
    #[config(default = 0.1, range = 0.0..1.0)]
    smoothing: f64,
    #[config]
    limit: Option<u64>,
    #[state]
    seen: Vec<T>,
    #[transient]
    last: Option<T>,
}

/// The forward pass of a model.
pub trait Logits {
    /// Logits `[n, classes]`.
    fn logits(&self, x: &Tensor) -> Tensor;
}

impl Logits for Linear {
    fn logits(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }
}

impl<M: Logits, T: Number> Classifier<M, T> {
    fn forward(&self, (x, y): &(Tensor, Tensor)) -> Output {
        let loss = self.net.logits(x).cross_entropy_loss::<Tensor>(y, None, Reduction::Mean, -100, self.smoothing);
        Output::new(loss)
    }
}

impl<M: Logits, T: Number> Steps for Classifier<M, T> {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        self.last = Some(T::of(self.limit.unwrap_or(1) as f64));
        Ok(self.forward(batch))
    }
}

impl<M: Logits, T: Number> ValStep for Classifier<M, T> {
    fn val_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.forward(batch))
    }
}

impl<M: Logits, T: Number> PredictStep for Classifier<M, T> {
    type Prompt = (Tensor, Tensor);
    fn predict_step(&mut self, (x, _): &Self::Prompt, _: &mut Context<'_>) -> Result<Prediction> {
        Ok(Prediction::new().tensor("class", &self.net.logits(x).argmax(1, false)))
    }
}

#[phases]
impl<M: Logits, T: Number> Classifier<M, T> {
    fn after_train_iter(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.seen.extend(self.last);
        Ok(())
    }
}

// case: the program of a generic trainer
mod program {
    use super::*;
    engine::main!(Classifier<Linear, f32>);

    /// What `main!` makes is a function of its own.
    pub(super) fn of() -> fn() -> engine::trainer::Ended<Classifier<Linear, f32>> {
        main
    }
}

/// The program.
pub fn of() -> fn() -> engine::trainer::Ended<Classifier<Linear, f32>> {
    program::of()
}

// case: any dataset with the batches that the step takes
/// Trains on any points.
#[trainer(by_iter)]
pub struct Fit<D>
where
    D: Dataset + Send + Sync,
{
    #[model]
    net: Linear,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<D>,
    #[loader(train)]
    more: Loader<PartOf<D>>,
}

impl<D: Dataset + Send + Sync> Steps for Fit<D> {
    type Batch = ((Tensor, Tensor), (Tensor, Tensor));
    fn train_step(&mut self, ((x, _), (y, _)): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(self.net.forward(&(x + y))))
    }
}

/// The command of a program that fits points.
pub fn fit() -> std::process::ExitCode {
    engine::cli::main::<Fit<Points>>("1.0.0", ["fit"])
}

// case: passes
/// A network that makes, and one that judges.
#[trainer(by_iter)]
pub struct Gan<G, C> {
    #[model]
    generator: G,
    #[model]
    critic: C,
    #[optimizer(generator)]
    opt_g: AdamW,
    #[optimizer(critic)]
    opt_c: AdamW,
    #[loader(train)]
    train: Loader<Points>,
}

#[passes]
impl<G: Logits, C: Logits> Gan<G, C> {
    #[pass(opt_c, times = 5)]
    fn judge(&mut self, (x, _): &(Tensor, Tensor), _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(self.critic.logits(x).mean(Kind::Float)))
    }

    #[pass(opt_g)]
    fn make(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(self.generator.logits(x).mean(Kind::Float)))
    }
}

mod gan {
    use super::*;
    engine::main!(Gan<Linear, Linear>);

    pub(super) fn of() -> fn() -> engine::trainer::Ended<Gan<Linear, Linear>> {
        main
    }
}

/// The program.
pub fn gan() -> fn() -> engine::trainer::Ended<Gan<Linear, Linear>> {
    gan::of()
}

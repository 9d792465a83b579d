//! The trainer, as `#[trainer]` would write it: two layers with dropout between them.

use super::data::{Points, infinite, loader};
use super::probe::Probe;
use super::{Setup, ema, from_ron};
use engine::base::{Clock, Output, Prediction, Result};
use engine::data::{Loader, Source};
use engine::hook::{Batches, EachState, EngineHooks, HookField as _, Phases, SlotInfo, Slots};
use engine::hooks::Ema;
use engine::loops::{EachMetric, FedStep, Role, Trainer, TrainerInfo, fed};
use engine::metric::{Accuracy, MeanLoss, Metric, MetricComponent};
use engine::optim::PassInfo;
use engine::phase::Phase;
use engine::run::Context;
use std::marker::PhantomData;
use tch::{Tensor, nn, nn::Module as _};

/// What the attribute and the roles of the fields decide.
pub trait Shape: 'static {
    const CLOCK: Clock;
    const VAL: &'static [&'static str];
    const TEST: &'static [&'static str] = &[];
    const PREDICT: &'static [&'static str] = &[];
}

macro_rules! shapes {
    ($($name:ident: $clock:ident, $val:expr, $test:expr, $predict:expr;)*) => { $(
        pub struct $name;
        impl Shape for $name {
            const CLOCK: Clock = Clock::$clock;
            const VAL: &'static [&'static str] = &$val;
            const TEST: &'static [&'static str] = &$test;
            const PREDICT: &'static [&'static str] = &$predict;
        }
    )* };
}

shapes! {
    ByEpoch: Epoch, ["val"], [], [];
    ByIter: Iter, ["val"], [], [];
    TwoVals: Epoch, ["val", "hard"], [], [];
    Everything: Epoch, ["val", "hard"], ["test"], ["cases"];
    Bare: Epoch, [], [], [];
}

/// Changes what a step gives back.
pub type OnStep = Box<dyn FnMut(Output, &mut Context<'_>) -> Result<Output>>;

/// Changes what a prediction gives back.
pub type OnPredict = Box<dyn FnMut(Prediction, &mut Context<'_>) -> Result<Prediction>>;

pub struct Toy<S> {
    first: nn::Linear,
    second: nn::Linear,
    dropout: f64,
    pub train: Loader<Points>,
    val: Vec<Loader<Points>>,
    test: Vec<Loader<Points>>,
    predict: Option<Loader<Points>>,
    loss: Box<dyn Metric>,
    accuracy: Box<dyn Metric>,
    pub probe: Probe,
    pub ema: Option<Ema>,
    /// The index of each sample that a train step has got, of the first eleven samples.
    pub fed: Vec<i64>,
    /// What becomes of a step's output.
    pub on_train: Option<OnStep>,
    pub on_val: Option<OnStep>,
    pub on_predict: Option<OnPredict>,
    shape: PhantomData<S>,
}

/// A metric with its defaults.
pub fn metric<M: MetricComponent>() -> Box<dyn Metric> {
    M::build(&ron::from_str("()").unwrap()).boxed()
}

impl<S: Shape> Toy<S> {
    pub fn new(setup: &Setup, store: &nn::VarStore) -> Self {
        let root = store.root();
        // filled later, without the generator that all tests share
        let zero = nn::Init::Const(0.0);
        let zeros = nn::LinearConfig { ws_init: zero, bs_init: Some(zero), bias: true };
        let evaluated = |names: &[&str], more: usize| {
            names.iter().map(|name| loader(name, setup.val_samples + more, false, |_| ())).collect()
        };
        let train = loader("train", setup.samples, setup.noise, |config| {
            config.batch_size = setup.batch_size;
            config.shuffle = setup.shuffle;
            config.workers = setup.workers.into();
            config.sampler = setup.endless.then(|| Box::new(infinite()) as _);
        });
        Toy {
            first: nn::linear(&root / "first", 4, 8, zeros),
            second: nn::linear(&root / "second", 8, 3, zeros),
            dropout: setup.dropout,
            train,
            val: evaluated(S::VAL, 0),
            test: evaluated(S::TEST, 1),
            predict: S::PREDICT.first().map(|name| loader(name, 3, false, |_| ())),
            loss: metric::<MeanLoss>(),
            accuracy: metric::<Accuracy>(),
            probe: from_ron::<Probe>("()"),
            ema: setup.ema.map(ema),
            fed: Vec::new(),
            on_train: None,
            on_val: None,
            on_predict: None,
            shape: PhantomData,
        }
    }

    fn logits(&self, x: &Tensor, training: bool) -> Tensor {
        self.second.forward(&self.first.forward(x).relu().dropout(self.dropout, training))
    }

    fn output(&self, (x, y): &(Tensor, Tensor), training: bool) -> Output {
        let logits = self.logits(x, training);
        Output::new(logits.cross_entropy_for_logits(y)).tensor("logits", &logits).tensor("target", y)
    }

    /// The step of val and test.
    fn evaluate(&mut self, batch: &(Tensor, Tensor), cx: &mut Context<'_>) -> Result<Output> {
        let output = self.output(batch, cx.is_training());
        match &mut self.on_val {
            Some(change) => change(output, cx),
            None => Ok(output),
        }
    }

    fn predict(&mut self, (x, _): &(Tensor, Tensor), cx: &mut Context<'_>) -> Result<Prediction> {
        let prediction = Prediction::new().tensor("logits", &self.logits(x, cx.is_training()));
        match &mut self.on_predict {
            Some(change) => change(prediction, cx),
            None => Ok(prediction),
        }
    }
}

impl<S: Shape> Batches for Toy<S> {
    type Batch = (Tensor, Tensor);
}

impl<S: Shape> Slots for Toy<S> {
    const SLOTS: &'static [SlotInfo] = &[SlotInfo::of::<Probe>("probe"), SlotInfo::of::<Option<Ema>>("ema")];

    #[inline(always)]
    fn call(&mut self, slot: usize, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        match slot {
            0 => Phases::call(&mut self.probe, phase, cx),
            _ => self.ema.hook_mut().map_or(Ok(()), |ema| Phases::call(ema, phase, cx)),
        }
    }
}

impl<S: Shape> Trainer for Toy<S> {
    const INFO: TrainerInfo =
        TrainerInfo { clock: S::CLOCK, passes: PassInfo::PLAIN, loaders: [&["train"], S::VAL, S::TEST, S::PREDICT] };

    fn train_loader(&mut self, index: usize) -> Option<&mut dyn Source> {
        (index == 0).then_some(&mut self.train as _)
    }

    fn next_train_batch(&mut self) -> Result<Option<Self::Batch>> {
        self.train.next_batch()
    }

    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        // the first number of a point is `7 · index mod 11`, in elevenths; 8 undoes the 7
        let firsts = Vec::<f32>::try_from(batch.0.select(1, 0))?;
        self.fed.extend(firsts.iter().map(|first| (first * 11.0).round() as i64 * 8 % 11));
        let output = self.output(batch, cx.is_training());
        match &mut self.on_train {
            Some(change) => change(output, cx),
            None => Ok(output),
        }
    }

    fn evaluated(role: Role, index: usize) -> Option<Box<dyn FedStep<Self, Output>>> {
        let evaluated = || match role {
            Role::Test => fed(move |toy: &mut Self| Some(&mut toy.test[index]), Self::evaluate),
            _ => fed(move |toy: &mut Self| Some(&mut toy.val[index]), Self::evaluate),
        };
        (index < Self::loaders(role).len()).then(evaluated)
    }

    fn predicted() -> Option<Box<dyn FedStep<Self, Prediction>>> {
        (!S::PREDICT.is_empty())
            .then(|| fed(|toy: &mut Self| toy.predict.as_mut().map(|loader| loader as _), Self::predict))
    }

    fn metrics(&mut self, each: &mut EachMetric<'_>) -> Result<()> {
        each("loss", self.loss.as_mut())?;
        each("accuracy", self.accuracy.as_mut())
    }

    fn states(&mut self, each: &mut EachState<'_>) -> Result<()> {
        match &mut self.ema {
            Some(ema) => each("hooks.ema", ema),
            None => Ok(()),
        }
    }
}

/// No hook of the engine's own.
pub struct NoHooks;

impl Slots for NoHooks {
    const SLOTS: &'static [SlotInfo] = &[];
    fn call(&mut self, _: usize, _: Phase, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

impl EngineHooks for NoHooks {
    fn states(&mut self, _: &mut EachState<'_>) -> Result<()> {
        Ok(())
    }
}

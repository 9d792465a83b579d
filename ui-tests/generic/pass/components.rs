//! Generic components, and the types that a program makes of them.

use engine::metric::Total;
use engine::prelude::*;
use std::fmt::Debug;
use std::marker::PhantomData;

// case: settings within settings
/// Ends of a range.
#[component]
#[derive(PartialEq)]
pub struct EndsConfig<N> {
    /// The lower one.
    pub low: N,
    /// The upper one.
    #[config(default)]
    pub high: Option<N>,
}

// case: settings need not be registered
/// Two ranges.
#[component]
pub struct TwoConfig {
    /// Of numbers.
    pub numbers: EndsConfig<f64>,
    /// Of counts.
    pub counts: EndsConfig<u64>,
}

engine::register!(settings EndsConfig<f64>);

// case: a dataset of another
/// A part of another dataset.
#[component(dataset)]
pub struct PartOfConfig<C> {
    /// The other one.
    pub of: C,
    /// Samples.
    #[config(default = 8, range = 1..)]
    pub samples: usize,
}

/// A part of another dataset.
#[derive(Debug)]
pub struct PartOf<D> {
    of: D,
    samples: usize,
}

impl<D: Dataset + Send + Sync> Dataset for PartOf<D> {
    type Config = PartOfConfig<D::Config>;
    type Item = D::Item;
    fn open(config: &Self::Config) -> Result<Self> {
        Ok(PartOf { of: D::open(&config.of)?, samples: config.samples })
    }
    fn len(&self) -> usize {
        self.samples.min(self.of.len())
    }
    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<D::Item> {
        self.of.get(index, rng)
    }
}

// case: a model that a file chooses
/// A layer of a kind.
pub trait Block: Debug + 'static {
    /// Applies it.
    fn apply(&self, input: &Tensor) -> Tensor;
}

/// Does nothing.
#[derive(Debug)]
pub struct Same;

impl Block for Same {
    fn apply(&self, input: &Tensor) -> Tensor {
        input.shallow_clone()
    }
}

/// Several blocks.
#[component(model)]
pub struct StackConfig<B: Block> {
    /// How many.
    #[config(default = 2, range = 1..)]
    pub depth: i64,
    #[serde(skip)]
    of: PhantomData<fn() -> B>,
}

/// Several blocks.
#[derive(Debug)]
pub struct Stack<B> {
    blocks: Vec<B>,
}

impl<B: Block> Model for Stack<B> {
    type Config = StackConfig<B>;
    fn build(_: &nn::Path<'_>, config: &StackConfig<B>) -> Result<Self> {
        let _ = (config.depth, config.of);
        Ok(Stack { blocks: Vec::new() })
    }
}

impl<B: Block> Net for Stack<B> {
    fn forward(&self, input: &Tensor, _: bool) -> Result<Tensor> {
        Ok(self.blocks.iter().fold(input.shallow_clone(), |input, block| block.apply(&input)))
    }
}

engine::register!(model StackConfig<Same>);

// case: a metric
/// What is summed.
pub trait Part: Debug + Send + 'static {
    /// Its name.
    const NAME: &'static str;
}

/// The loss.
#[derive(Debug, Default)]
pub struct OfLoss;

impl Part for OfLoss {
    const NAME: &'static str = "loss_sum";
}

/// The sum of a part of the output.
#[component(metric)]
#[derive(Debug)]
pub struct SumOf<P: Part> {
    #[config(default = 1.0, range = 0.0..)]
    scale: f64,
    #[state]
    sum: Total,
    #[transient]
    part: PhantomData<P>,
}

impl<P: Part> Metric for SumOf<P> {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        Ok(self.sum.add(&(output.loss()? * self.scale))?)
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![(P::NAME.to_owned(), self.sum.read()?)])
    }
    fn reset(&mut self) {
        self.sum = Total::default();
    }
    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        Ok(self.sum.merge(other.take("sum")?)?)
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(P::NAME, Better::Lower)]
    }
}

engine::register!(metric SumOf<OfLoss>, name = "LossSum");

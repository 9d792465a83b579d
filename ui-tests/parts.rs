//! Parts that trainers in these cases are made of.

use engine::prelude::*;

#[derive(Debug)]
pub struct Cnn;

#[component]
pub struct CnnConfig {}

impl Model for Cnn {
    type Config = CnnConfig;
    fn build(_: &nn::Path<'_>, _: &CnnConfig) -> Result<Self> {
        Ok(Cnn)
    }
}

/// Images with classes: batches of `(Tensor, Tensor)`.
#[derive(Debug)]
pub struct Digits;

/// Images alone: batches of `Tensor`.
#[derive(Debug)]
pub struct Images;

#[component(dataset)]
pub struct DataConfig {}

impl Dataset for Digits {
    type Config = DataConfig;
    type Item = (Tensor, i64);
    fn open(_: &DataConfig) -> Result<Self> {
        Ok(Digits)
    }
    fn len(&self) -> usize {
        1
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<(Tensor, i64)> {
        Ok((Tensor::new(), 0))
    }
}

impl Dataset for Images {
    type Config = DataConfig;
    type Item = Tensor;
    fn open(_: &DataConfig) -> Result<Self> {
        Ok(Images)
    }
    fn len(&self) -> usize {
        1
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<Tensor> {
        Ok(Tensor::new())
    }
}

/// A metric.
#[component(metric)]
#[derive(Debug)]
pub struct Loss {
    #[state]
    sum: f64,
}

impl Metric for Loss {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        self.sum += f64::try_from(output.loss()?)?;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![("mean_loss".into(), self.sum)])
    }
    fn reset(&mut self) {
        self.sum = 0.0;
    }
    fn merge(&mut self, mut other: engine::base::StateMap) -> Result<()> {
        self.sum += other.take::<f64>("sum")?;
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new("mean_loss", Better::Lower)]
    }
}

/// Steps for trainers whose steps are not what the case is about.
#[macro_export]
macro_rules! steps {
    ($($trainer:ident)*) => { $(
        impl Steps for $trainer {
            type Batch = (Tensor, Tensor);
            fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
                Ok(Output::new(Tensor::new()))
            }
        }
    )* };
}

/// Trainers with two models and an optimizer for each, where the case is about their passes.
#[macro_export]
macro_rules! gans {
    ($($trainer:ident)*) => { $(
        #[trainer(by_iter)]
        struct $trainer {
            #[model]
            critic: Cnn,
            #[model]
            generator: Cnn,
            #[optimizer(critic)]
            opt_c: AdamW,
            #[optimizer(generator)]
            opt_g: AdamW,
            #[loader(train)]
            train: Loader<Images>,
        }
    )* };
}

//! Parts of a step alone: updates of many tensors, clipping, batches of samples in memory.

use crate::talk::{Talk, WARM_UP, one_thread_on_the_cpu};
use crate::work::{ELEMENTS, MATRICES, NUMBERS, SAMPLES};
use engine::data::LoaderConfig;
use engine::optim::{Clip, Optim, OptimizerConfig};
use engine::prelude::*;
use std::sync::Arc;

/// Updates by AdamW.
pub(crate) fn adamw(tensors: usize, device: Device) -> Result<()> {
    let mut optim = small_tensors(tensors, device)?;
    answer(device, || Ok(optim.step()?))
}

/// Updates by the optimizer of this recipe.
pub(crate) fn optimizer(recipe: &str, device: Device) -> Result<()> {
    let recipe: Box<dyn OptimizerConfig> = engine::config::parse_text("bench", recipe)?.read()?;
    let mut optim = Optim::new("opt", &*recipe, parameters(MATRICES, &[8, 8], device)?)?;
    answer(device, || Ok(optim.step()?))
}

/// Clipping by the norm.
pub(crate) fn clip(tensors: usize, device: Device) -> Result<()> {
    let mut optim = small_tensors(tensors, device)?;
    answer(device, || {
        optim.clip(&Clip::Norm(1.0))?;
        Ok(())
    })
}

fn small_tensors(tensors: usize, device: Device) -> Result<Optim> {
    Ok(Optim::new("opt", &AdamW::new(1e-3), parameters(tensors, &[ELEMENTS], device)?)?)
}

/// So many parameters of this shape, each with a gradient.
fn parameters(tensors: usize, shape: &[i64], device: Device) -> Result<Vec<(String, Tensor)>> {
    one_thread_on_the_cpu(device);
    let parameter = |place: usize| -> Result<(String, Tensor)> {
        let tensor = Tensor::f_ones(shape, (engine::tch::Kind::Float, device))?.set_requires_grad(true);
        tensor.f_square()?.f_sum(None)?.f_backward()?;
        Ok((format!("weight{place}"), tensor))
    };
    (0..tensors).map(parameter).collect()
}

/// Answers for rounds of this, which has no loss.
fn answer(device: Device, mut iter: impl FnMut() -> Result<()>) -> Result<()> {
    let mut talk = Talk::new(device);
    let mut iters = WARM_UP;
    loop {
        (0..iters).try_for_each(|_| iter())?;
        talk.answer(&Tensor::from(0.0))?;
        match talk.question()? {
            Some(wanted) => iters = wanted,
            None => return Ok(()),
        }
    }
}

/// Samples in memory, each a row of numbers and a class.
struct Rows(Arc<Vec<f32>>);

/// Samples of a pass.
const PASS: usize = 100_000;

impl Dataset for Rows {
    type Config = ();
    type Item = (Vec<f32>, i64);

    fn open((): &()) -> Result<Self> {
        Ok(Rows(Arc::new((0..PASS * NUMBERS).map(|place| place as f32).collect())))
    }

    fn len(&self) -> usize {
        PASS
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, i64)> {
        Ok((self.0[index * NUMBERS..(index + 1) * NUMBERS].to_vec(), (index % 10) as i64))
    }
}

/// Batches of samples, shuffled.
pub(crate) fn samples(workers: usize) -> Result<()> {
    one_thread_on_the_cpu(Device::Cpu);
    let text = format!("(dataset: (), batch_size: {SAMPLES}, shuffle: true, workers: {workers})");
    let config: LoaderConfig<()> = engine::config::parse_text("the bench", &text)?.read()?;
    let mut loader = Loader::<Rows>::open("train", &config, 1)?;
    answer(Device::Cpu, || {
        while loader.next_batch()?.is_none() {
            // the pass is over: the next one
            loader.start(loader.cursor())?;
        }
        Ok(())
    })
}

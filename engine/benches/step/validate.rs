//! Batches of a validation: by the engine, and by a loop without one.

use crate::by_engine::Fixed;
use crate::nets::{BenchNet, Kind, fill};
use crate::talk::{Talk, WARM_UP, one_thread_on_the_cpu};
use engine::folder::Mode;
use engine::prelude::*;
use engine::sinks::Verbosity;
use engine::trainer::{Experiment, TrainOptions, run_train};

/// Takes one step, and then validates for as long as somebody asks.
#[trainer(by_iter)]
pub struct Judge {
    #[model]
    net: BenchNet,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Fixed>,
    #[loader(val)]
    val: Loader<Fixed>,
    #[metric]
    loss: MeanLoss,
}

impl Steps for Judge {
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (inputs, targets): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.net.loss(inputs, targets).into())
    }
}

impl ValStep for Judge {
    fn val_step(&mut self, (inputs, targets): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.net.loss(inputs, targets).into())
    }
}

/// Answers when the batches of a round are done, and waits for the next one.
#[hook(priority = 100)]
pub struct ValRounds {
    #[transient]
    talk: Option<Talk>,
    #[transient]
    left: u64,
}

#[phases]
impl ValRounds {
    fn before_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        (self.talk, self.left) = (Some(Talk::new(cx.device())), WARM_UP);
        Ok(())
    }

    fn after_val_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.left -= 1;
        let Some(talk) = self.talk.as_mut().filter(|_| self.left == 0) else { return Ok(()) };
        talk.answer(cx.output()?.loss()?)?;
        match talk.question()? {
            Some(iters) => self.left = iters,
            // a validation without an end has none to come to
            None => std::process::exit(0),
        }
        Ok(())
    }
}

pub(crate) fn by_engine(device: Device) -> Result<()> {
    one_thread_on_the_cpu(device);
    let folder = tempfile::tempdir()?;
    let cpu = device == Device::Cpu;
    let data = |batches: u64| format!("dataset: Fixed(net: Tiny, cuda: {}, batches: {batches}), batch_size: 64", !cpu);
    let text = format!(
        r#"Experiment(
    name: "bench",
    seed: 1,
    device: {device},
    work_dir: {work_dir:?},
    model: (net: Tiny),
    optimizer: (lr: 1e-3),
    loaders: (train: ({train}), val: ({val})),
    train: (max_iters: 1),
    val: (interval: 1, sanity: 0),
    backend: (flush_denormals: {cpu}),
    hooks: (checkpoint: Off),
    custom_hooks: [ValRounds()],
)"#,
        device = if cpu { "Cpu" } else { "Cuda(0)" },
        work_dir = folder.path().display().to_string(),
        train = data(1000),
        val = data(1_000_000_000),
    );
    let experiment = Experiment::<Judge>::parse("the bench", &text)?;
    run_train(experiment, TrainOptions { console: Verbosity::Quiet.into(), ..Mode::New.into() })?;
    Ok(())
}

/// The mean of the losses, summed on the device, without gradients.
pub(crate) fn by_hand(device: Device) -> Result<()> {
    one_thread_on_the_cpu(device);
    let vs = nn::VarStore::new(device);
    let network = BenchNet::new(&vs.root(), Kind::Tiny);
    let mut variables: Vec<(String, Tensor)> = vs.variables().into_iter().collect();
    variables.sort_by(|a, b| a.0.cmp(&b.0));
    fill(variables.iter().map(|(name, tensor)| (name.as_str(), tensor)));
    let (inputs, targets) = Kind::Tiny.batch(device);
    let mut talk = Talk::new(device);
    let mut iters = WARM_UP;
    let _guard = tch::no_grad_guard();
    loop {
        let mut sum = Tensor::zeros([], (engine::tch::Kind::Float, device));
        for _ in 0..iters {
            sum += network.loss(&inputs, &targets);
        }
        talk.answer(&(sum / iters as f64))?;
        match talk.question()? {
            Some(wanted) => iters = wanted,
            None => return Ok(()),
        }
    }
}

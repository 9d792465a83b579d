//! The step as a program of this engine takes it: a trainer, an experiment, the default hooks, rows into a file.

use crate::nets::{BenchNet, Kind, fill};
use crate::talk::{Talk, WARM_UP, one_thread_on_the_cpu};
use crate::work::Way;
use engine::folder::Mode;
use engine::native::{DeviceReads, NoSyncGuard};
use engine::prelude::*;
use engine::sinks::Verbosity;
use engine::trainer::{Experiment, TrainOptions, run_train};

/// The same batch again and again.
pub struct Fixed {
    inputs: SharedTensor,
    targets: SharedTensor,
    batches: usize,
}

/// The data of a network of the bench.
#[component(dataset)]
pub struct FixedConfig {
    /// Whose data.
    pub net: Kind,
    /// On the first CUDA device instead of the CPU.
    pub cuda: bool,
    /// Batches until a pass begins anew.
    #[config(default = 1000)]
    pub batches: usize,
}

impl FixedConfig {
    fn device(&self) -> Device {
        if self.cuda { Device::Cuda(0) } else { Device::Cpu }
    }
}

impl Dataset for Fixed {
    type Config = FixedConfig;
    type Item = (Tensor, Tensor);

    fn open(config: &FixedConfig) -> Result<Self> {
        let (inputs, targets) = config.net.batch(config.device());
        Ok(Fixed { inputs: inputs.into(), targets: targets.into(), batches: config.batches })
    }

    fn len(&self) -> usize {
        self.inputs.get().size()[0] as usize * self.batches
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Tensor, Tensor)> {
        let (inputs, targets) = (self.inputs.get(), self.targets.get());
        let place = index as i64 % inputs.size()[0];
        Ok((inputs.get(place), targets.get(place)))
    }

    fn batch(&self, _: &Samples) -> Result<(Tensor, Tensor)> {
        Ok((self.inputs.get(), self.targets.get()))
    }
}

/// Takes steps.
#[trainer(by_iter)]
pub struct Stepper {
    #[model]
    net: BenchNet,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Fixed>,
}

impl Steps for Stepper {
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (inputs, targets): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.net.loss(inputs, targets).into())
    }
}

/// Answers when the iters of a round are done, and waits for the next one. After all other hooks, whose work counts.
#[hook(priority = 100)]
pub struct Rounds {
    #[transient]
    talk: Option<Talk>,
    #[transient]
    left: u64,
}

#[phases]
impl Rounds {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        give_weights(cx)?;
        (self.talk, self.left) = (Some(Talk::new(cx.device())), WARM_UP);
        Ok(())
    }

    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.left = self.left.saturating_sub(1);
        let Some(talk) = self.talk.as_mut().filter(|_| self.left == 0 && cx.exception().is_none()) else {
            return Ok(());
        };
        talk.answer(cx.output()?.loss()?)?;
        match talk.question()? {
            Some(iters) => self.left = iters,
            None => cx.stop("nobody asks for another round"),
        }
        Ok(())
    }
}

/// Forbids reads of the device from the first hook of an iter to the first one behind its update, where rows begin.
/// Before all other hooks.
#[hook(priority = 0)]
pub struct NoReads {
    #[transient]
    inside: Option<(DeviceReads, Option<NoSyncGuard>)>,
    #[transient]
    iters: u64,
    #[transient]
    reads: u64,
}

/// Iters of the check, and those before it: libraries may wait when they are first used.
const CHECKED: u64 = 120;
const UNCHECKED: u64 = 10;

#[phases]
impl NoReads {
    /// A check that sees nothing proves nothing: here it has to see a read.
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        give_weights(cx)?;
        let number = Tensor::ones([1], (engine::tch::Kind::Float, cx.device()));
        let reads = DeviceReads::count()?;
        let guard = NoSyncGuard::new().filter(|_| cx.device() != Device::Cpu);
        let watched = guard.is_some();
        let read = number.f_double_value(&[0]);
        drop(guard);
        if reads.so_far() == 0 {
            return Err(Error::msg("the counter of reads does not see a read"));
        }
        match (cx.device(), watched, read) {
            (Device::Cpu, _, _) | (_, true, Err(_)) => Ok(()),
            (_, true, Ok(_)) => Err(Error::msg("libtorch's watch over CUDA does not see a read")),
            (_, false, _) => Err(Error::msg("libtorch's watch over CUDA is not there")),
        }
    }

    fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.iter().get() >= UNCHECKED {
            let guard = NoSyncGuard::new().filter(|_| cx.device() != Device::Cpu);
            self.inside = Some((DeviceReads::count()?, guard));
        }
        Ok(())
    }

    fn before_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
        // fused Adam reads its step counts on the CPU, and there alone
        if cx.device() == Device::Cpu {
            self.count()
        }
        Ok(())
    }

    fn after_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.count();
        Ok(())
    }

    fn after_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.exception().is_some() {
            return Ok(());
        }
        let rows = cx.record().device_reads();
        println!(r#"{{"iters":{},"reads":{},"rows_read":{rows}}}"#, self.iters, self.reads);
        match self.reads {
            0 => Ok(()),
            reads => Err(Error::msg(format!("{reads} values were read from the device in {} iters", self.iters))),
        }
    }
}

impl NoReads {
    /// Ends the watch over an iter.
    fn count(&mut self) {
        if let Some((reads, _)) = self.inside.take() {
            self.iters += 1;
            self.reads += reads.so_far();
        }
    }
}

/// One way of taking steps.
pub(crate) fn serve(net: Kind, device: Device, way: Way) -> Result<()> {
    let step = if way == Way::Captured { "CudaGraph()" } else { "Eager" };
    let logger = if way == Way::Rows { "interval: 1" } else { ROW_EVERY_50 };
    let more = if way == Way::Hooks { "Nothing(), ".repeat(200) } else { String::new() };
    let train = format!("max_iters: 1_000_000_000, step: {step}");
    run_with(net, device, device, &Program { train: &train, hooks: &format!("{more}Rounds()"), logger, profiled: None })
}

/// A hook of a user that has nothing to do.
#[hook]
pub struct Nothing {}

#[phases]
impl Nothing {
    fn after_train_iter(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

/// So many iters in all, and what this process holds at the end of each hundredth.
pub(crate) fn steps(iters: u64) -> Result<()> {
    run(Kind::Tiny, Device::Cpu, Device::Cpu, &format!("max_iters: {iters}"), "Weights(), Memory()")
}

/// Prints what the process holds after 100 iters and at the end.
#[hook]
pub struct Memory {}

#[phases]
impl Memory {
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.iter().get() == 100 {
            println!("{}", memory()?);
        }
        Ok(())
    }

    fn after_train(&mut self, _: &mut Context<'_>) -> Result<()> {
        println!("{}", memory()?);
        Ok(())
    }
}

/// A line of JSON: KiB in memory now, and at most so far.
fn memory() -> Result<String> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let of = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
            .ok_or_else(|| Error::msg(format!("no `{key}` in /proc/self/status")))
    };
    Ok(format!(r#"{{"now":{},"peak":{}}}"#, of("VmRSS:")?, of("VmHWM:")?))
}

/// What the operators and kernels of ten iters cost.
pub(crate) fn profile(net: Kind, device: Device, step: &str) -> Result<()> {
    let train = format!("max_iters: 25, step: {step}");
    let program = Program { train: &train, hooks: "Weights()", logger: ROW_EVERY_50, profiled: Some("11..20") };
    run_with(net, device, device, &program)
}

/// Gives the weights of the bench.
#[hook(priority = 0)]
pub struct Weights {}

#[phases]
impl Weights {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        give_weights(cx)
    }
}

/// Whether nothing between two rows reads or waits for the device.
pub(crate) fn check(net: Kind, device: Device, from_host: bool) -> Result<()> {
    let data = if from_host { Device::Cpu } else { device };
    // with clipping, whose norm has to stay on the device too
    let train = format!("max_iters: {}, clip: Norm(1.0)", UNCHECKED + CHECKED);
    run(net, device, data, &train, "NoReads()")
}

fn run(net: Kind, device: Device, data: Device, train: &str, hooks: &str) -> Result<()> {
    run_with(net, device, data, &Program { train, hooks, logger: ROW_EVERY_50, profiled: None })
}

const ROW_EVERY_50: &str = "interval: 50";

/// What an experiment says beside its network.
struct Program<'a> {
    train: &'a str,
    hooks: &'a str,
    logger: &'a str,
    profiled: Option<&'a str>,
}

fn run_with(net: Kind, device: Device, data: Device, program: &Program<'_>) -> Result<()> {
    one_thread_on_the_cpu(device);
    let Program { train, hooks, logger, profiled } = program;
    let folder = tempfile::tempdir()?;
    let cuda = data != Device::Cpu;
    let (name, size) = (net.variant(), net.batch_size(data));
    let text = format!(
        r#"Experiment(
    name: "bench",
    seed: 1,
    device: {device},
    work_dir: {work_dir:?},
    model: (net: {name}),
    optimizer: (lr: {lr}, weight_decay: 0.01),
    loaders: (train: (dataset: Fixed(net: {name}, cuda: {cuda}), batch_size: {size})),
    train: (precision: {precision}, {train}),
    backend: (channels_last: {channels_last}, flush_denormals: {cpu}),
    hooks: (logger: ({logger}), checkpoint: Off),
    custom_hooks: [{hooks}],
)"#,
        lr = net.lr(),
        precision = net.precision(),
        cpu = device == Device::Cpu,
        channels_last = net.is_channels_last(),
        device = if device == Device::Cpu { "Cpu" } else { "Cuda(0)" },
        work_dir = folder.path().display().to_string(),
    );
    let mut experiment = Experiment::<Stepper>::parse("the bench", &text)?;
    experiment.profile = profiled.map(|window| window.parse().map_err(Error::msg)).transpose()?;
    let console = if profiled.is_some() { Verbosity::Normal } else { Verbosity::Quiet };
    run_train(experiment, TrainOptions { console: console.into(), ..Mode::New.into() })?;
    Ok(())
}

fn give_weights(cx: &mut Context<'_>) -> Result<()> {
    let model = cx.models().get("net")?;
    fill(model.variables().iter().map(|(name, tensor)| (name.as_str(), tensor)));
    Ok(())
}

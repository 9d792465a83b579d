//! What an iter of two ranks costs: this engine, and a loop written by hand over the same `Reducer` and the same fused AdamW.
//!
//! `cargo bench -p engine --bench ranks` lets both take turns, each in two processes, and prints what an iter takes of rank 0:
//!
//! - by the clock on the wall, with all waits for the other rank: run it on a machine that does nothing else;
//! - of the processor, on the thread that runs the steps: waits do not count, nor do other programs. The engine's share is what it
//!   takes more than the loop by hand.
//!
//! The network is many small layers, in which whatever is done besides computing shows most.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench ends when something is wrong")]

use engine::folder::Mode;
use engine::native::{
    AdamOptions, AdamStep, ProcessGroup, Reducer, ReducerOptions, Scaling, Store, TensorList, fused_adam, zero_grad,
};
use engine::nn::{Linear, Module as _};
use engine::prelude::*;
use engine::sinks::Verbosity;
use engine::trainer::{Experiment, TrainOptions, run_train};
use rustix::time::{ClockId, clock_gettime};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const LAYERS: usize = 65;
const WIDTH: i64 = 128;
/// Samples of each rank.
const SAMPLES: i64 = 32;
const WARM_UP: usize = 30;
const ITERS: usize = 300;
const ROUNDS: usize = 5;

/// Linear layers, one after the other.
#[derive(Debug)]
pub struct Tower {
    layers: Vec<Linear>,
}

/// The settings of [`Tower`].
#[component]
pub struct TowerConfig {}

impl Model for Tower {
    type Config = TowerConfig;

    fn build(vs: &nn::Path<'_>, _: &TowerConfig) -> Result<Self> {
        let layer = |place| nn::linear(vs / format!("layer{place}"), WIDTH, WIDTH, Default::default());
        Ok(Tower { layers: (0..LAYERS).map(layer).collect() })
    }
}

impl Tower {
    fn loss(&self, inputs: &Tensor) -> Tensor {
        let outputs = self.layers.iter().fold(inputs.shallow_clone(), |x, layer| layer.forward(&x).relu() + &x);
        outputs.square().mean(Kind::Float)
    }
}

fn inputs() -> Tensor {
    let numbers = (0..SAMPLES * WIDTH).map(|place| (place as f32 * 0.37).sin());
    Tensor::from_slice(&numbers.collect::<Vec<_>>()).reshape([SAMPLES, WIDTH])
}

/// The same batch again and again.
pub struct Fixed {
    inputs: SharedTensor,
}

/// The data of the bench.
#[component(dataset)]
pub struct FixedConfig {}

impl Dataset for Fixed {
    type Config = FixedConfig;
    type Item = Tensor;

    fn open(_: &FixedConfig) -> Result<Self> {
        Ok(Fixed { inputs: inputs().into() })
    }

    fn len(&self) -> usize {
        SAMPLES as usize * 1000
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Tensor> {
        Ok(self.inputs.get().get(index as i64 % SAMPLES))
    }

    fn batch(&self, _: &Samples) -> Result<Tensor> {
        Ok(self.inputs.get())
    }
}

/// Takes steps.
#[trainer(by_iter)]
pub struct Stepper {
    #[model]
    net: Tower,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Fixed>,
}

impl Steps for Stepper {
    type Batch = Tensor;

    fn train_step(&mut self, inputs: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.net.loss(inputs).into())
    }
}

/// Takes the times of whole iters, from the first hook of one to the first hook of the next.
#[hook(priority = 0)]
pub struct Watch {
    #[transient]
    times: Times,
}

#[phases]
impl Watch {
    fn before_train_iter(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.times.iter_begins();
        Ok(())
    }

    fn after_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.is_main() {
            self.times.print();
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Times {
    began: Option<[Duration; 2]>,
    iters: Vec<[Duration; 2]>,
}

impl Times {
    fn iter_begins(&mut self) {
        // by the clock on the wall, and of the processor on this thread
        let now = [ClockId::Monotonic, ClockId::ThreadCPUTime].map(|clock| {
            let now = clock_gettime(clock);
            Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
        });
        self.iters.extend(self.began.map(|began| [now[0] - began[0], now[1] - began[1]]));
        self.began = Some(now);
    }

    /// Of each clock the median, and what one iter in ten stays below; in microseconds.
    fn print(&mut self) {
        for clock in 0..2 {
            let mut counted: Vec<Duration> = self.iters[WARM_UP..].iter().map(|both| both[clock]).collect();
            counted.sort_unstable();
            let at = |part: f64| counted[(counted.len() as f64 * part) as usize].as_secs_f64() * 1e6;
            println!("{} {}", at(0.5), at(0.1));
        }
    }
}

fn by_engine() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let shared = std::env::var("BENCH_FOLDER").unwrap_or_else(|_| folder.path().display().to_string());
    let text = format!(
        r#"Experiment(
    name: "bench", seed: 1, device: Cpu, threads: 1, work_dir: {shared:?},
    model: (),
    optimizer: (lr: 0.001, weight_decay: 0.01),
    loaders: (train: (dataset: Fixed(), batch_size: {SAMPLES})),
    train: (max_iters: {iters}),
    hooks: (logger: (interval: 50), checkpoint: Off),
    custom_hooks: [Watch()],
)"#,
        iters = WARM_UP + ITERS + 1,
    );
    let experiment = Experiment::<Stepper>::parse("the bench", &text)?;
    run_train(experiment, TrainOptions { console: Verbosity::Quiet.into(), ..Mode::New.into() })?;
    Ok(())
}

fn by_hand() -> Result<()> {
    engine::tch::set_num_threads(1);
    let variable = |name| std::env::var(name).expect("the bench sets it");
    let (rank, port): (usize, u16) = (variable("RANK").parse()?, variable("MASTER_PORT").parse()?);
    let soon = Duration::from_secs(60);
    let served = (rank == 0).then(|| Store::serve(TcpListener::bind(("127.0.0.1", port))?, soon).map_err(Error::new));
    let _served = served.transpose()?;
    let store = Store::connect("127.0.0.1", port, soon)?;
    let group = Arc::new(ProcessGroup::gloo(&store, "0", rank, 2, soon, Some("127.0.0.1"))?);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = Tower::build(&vs.root(), &TowerConfig {})?;
    let variables = vs.trainable_variables();
    let parameters = TensorList::new(&variables)?;
    group.broadcast(&parameters, 0)?;
    let names: Vec<String> = (0..variables.len()).map(|place| place.to_string()).collect();
    let options = ReducerOptions { bucket_bytes: 25 << 20, find_unused: false, compress: None, note: 0 };
    let reducer = Reducer::new(&group, &parameters, &names, options)?;
    let undefined = || TensorList::undefined(variables.len());
    let [mut exp_avgs, mut exp_avg_sqs, mut steps] = [undefined()?, undefined()?, undefined()?];
    let (inputs, mut times) = (inputs(), Times::default());
    for _ in 0..WARM_UP + ITERS + 1 {
        times.iter_begins();
        zero_grad(&parameters)?;
        reducer.before_forward(true)?;
        let loss = net.loss(&inputs);
        reducer.before_backward(None)?;
        loss.f_backward()?;
        let options = AdamOptions {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.01,
            decoupled: true,
            amsgrad: false,
            maximize: false,
        };
        fused_adam(AdamStep {
            parameters: &parameters,
            exp_avgs: &mut exp_avgs,
            exp_avg_sqs: &mut exp_avg_sqs,
            max_exp_avg_sqs: None,
            steps: &mut steps,
            options,
            scaling: Scaling::default(),
        })?;
    }
    if rank == 0 {
        times.print();
    }
    Ok(())
}

/// Median and tenth of the iters of one way, in two processes: by the clock on the wall, then of the processor.
fn round(way: &str) -> [f64; 4] {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let start = |rank: usize| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(way).env("RANK", rank.to_string()).env("WORLD_SIZE", "2");
        command.env("MASTER_ADDR", "127.0.0.1").env("MASTER_PORT", port.to_string());
        command.env("BENCH_FOLDER", folder.path()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let ranks = [start(0), start(1)];
    let [main, other] = ranks.map(|rank| rank.wait_with_output().unwrap());
    assert!(main.status.success() && other.status.success(), "{way}: {main:?} {other:?}");
    let text = String::from_utf8(main.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

fn compare() {
    let mut all = [Vec::new(), Vec::new()];
    println!("µs per iter: median (tenth)");
    println!("      {:>34} {:>34}", "by the clock", "of the processor");
    println!("round {:>16} {:>17} {:>16} {:>17}", "by hand", "by engine", "by hand", "by engine");
    for place in 0..ROUNDS {
        let both = ["hand", "engine"].map(round);
        let [wall, processor] =
            [0, 2].map(|clock| both.map(|way| format!("{:.0} ({:.0})", way[clock], way[clock + 1])));
        println!("{place:>5} {:>16} {:>17} {:>16} {:>17}", wall[0], wall[1], processor[0], processor[1]);
        all.iter_mut().zip(both).for_each(|(all, one)| all.push(one));
    }
    let of = ["median by the clock", "tenth by the clock", "median of the processor", "tenth of the processor"];
    for (place, name) in of.into_iter().enumerate() {
        let [hand, engine] = [&all[0], &all[1]].map(|rounds| {
            let mut numbers: Vec<f64> = rounds.iter().map(|round| round[place]).collect();
            numbers.sort_by(f64::total_cmp);
            numbers[numbers.len() / 2]
        });
        println!("{name}: ratio {:.3}, engine's share {:.0} µs", engine / hand, engine - hand);
    }
}

fn main() {
    let way = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let done = match way.as_deref() {
        Some("hand") => by_hand(),
        Some("engine") => by_engine(),
        _ => {
            compare();
            Ok(())
        }
    };
    done.unwrap();
}

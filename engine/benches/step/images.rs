//! Batches of images on their way to the device: that every way gives the same bits and waits for nothing, and how fast each
//! is. Each batch is made by a thread, as large as those of ImageNet, and only then copied to the device.

use crate::nets::{BenchNet, image_sizes, numbers, spread};
use crate::prove::differences;
use crate::talk::one_thread_on_the_cpu;
use crate::work::Way;
use engine::data::BatchOf;
use engine::folder::Mode;
use engine::prelude::*;
use engine::sinks::Verbosity;
use engine::trainer::{Experiment, TrainOptions, run_train};
use std::path::{Path, PathBuf};

/// Batches of a pass.
const BATCHES: usize = 1000;
/// Iters of a training that is compared with others, and where one of them is stopped and resumed.
const ITERS: u64 = 120;
const STOP: u64 = 70;
/// Threads that make batches.
const WORKERS: usize = 8;

/// Images of a batch that is compared, and their height and width: 6 MB, so that a step that came before its copy would be seen.
fn compared_sizes(device: Device) -> (i64, i64) {
    if device == Device::Cpu { (4, 32) } else { (32, 128) }
}

/// Batches of images `[batch, 3, side, side]` and classes: all the same but for a factor, which differs from batch to batch.
pub struct Images {
    inputs: SharedTensor,
    targets: SharedTensor,
    batch: usize,
}

/// The images of a batch, and their size.
#[component(dataset)]
pub struct ImagesConfig {
    /// Images of a batch.
    pub batch: i64,
    /// Their height and width.
    pub side: i64,
}

impl Images {
    /// A batch by its number, in memory of its own.
    fn at(&self, batch: usize) -> Result<(Tensor, Tensor)> {
        Ok((self.inputs.get().f_mul_scalar(1.0 + batch as f64 * 1e-3)?, self.targets.get()))
    }
}

impl Dataset for Images {
    type Config = ImagesConfig;
    type Item = (Tensor, Tensor);

    fn open(&ImagesConfig { batch, side }: &ImagesConfig) -> Result<Self> {
        let inputs = spread(&[batch, 3, side, side], 1000);
        let targets = numbers(&[batch], 1001, 10);
        Ok(Images { inputs: inputs.into(), targets: targets.into(), batch: batch as usize })
    }

    fn len(&self) -> usize {
        self.batch * BATCHES
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Tensor, Tensor)> {
        let (inputs, targets) = self.at(index / self.batch)?;
        let place = (index % self.batch) as i64;
        Ok((inputs.get(place), targets.get(place)))
    }

    fn batch(&self, samples: &Samples) -> Result<BatchOf<Self>> {
        self.at(samples.indices()[0] / self.batch)
    }
}

/// Takes steps on them.
#[trainer(by_iter)]
pub struct Viewer {
    #[model]
    net: BenchNet,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Images>,
}

impl Steps for Viewer {
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (inputs, targets): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.net.loss(inputs, targets).into())
    }
}

/// What a training says besides its data.
struct Program<'a> {
    name: &'a str,
    loader: &'a str,
    train: &'a str,
    hooks: &'a str,
    checkpoint: &'a str,
    /// Rows show every loss where runs are compared.
    rows: u64,
    deterministic: &'a str,
    sizes: (i64, i64),
}

fn experiment(device: Device, folder: &Path, program: &Program<'_>) -> Result<Experiment<Viewer>> {
    let Program { name, loader, train, hooks, checkpoint, rows, deterministic, .. } = program;
    let cpu = device == Device::Cpu;
    let (batch, side) = program.sizes;
    let text = format!(
        r#"Experiment(
    name: "{name}",
    seed: 1,
    device: {device},
    deterministic: {deterministic},
    work_dir: {work_dir:?},
    model: (net: Conv),
    optimizer: (lr: 1e-3, weight_decay: 0.01),
    loaders: (train: (dataset: (batch: {batch}, side: {side}), batch_size: {batch}, {loader})),
    train: ({train}),
    backend: (flush_denormals: {cpu}),
    hooks: (logger: (interval: {rows}), checkpoint: {checkpoint}),
    custom_hooks: [{hooks}],
)"#,
        device = if cpu { "Cpu" } else { "Cuda(0)" },
        work_dir = folder.display().to_string(),
    );
    Ok(Experiment::parse("the bench", &text)?)
}

fn run(experiment: Experiment<Viewer>, mode: Mode) -> Result<()> {
    run_train(experiment, TrainOptions { console: Verbosity::Quiet.into(), ..mode.into() })?;
    Ok(())
}

/// Steps for as long as somebody asks, with batches that come in one of the ways.
pub(crate) fn serve(device: Device, way: Way) -> Result<()> {
    one_thread_on_the_cpu(device);
    let folder = tempfile::tempdir()?;
    let transfer = match way {
        Way::Pageable => "pin_memory: false",
        Way::Ahead => "transfer_ahead: true",
        _ => "pin_memory: true",
    };
    let program = Program {
        name: "images",
        loader: &format!("workers: {WORKERS}, {transfer}"),
        train: "max_iters: 1_000_000_000",
        hooks: "Rounds()",
        checkpoint: "Off",
        rows: 50,
        deterministic: "Off",
        sizes: image_sizes(device),
    };
    run(experiment(device, folder.path(), &program)?, Mode::New)
}

/// A training that is compared with the plain one: both have to give the same bits.
struct Case {
    name: &'static str,
    loader: &'static str,
    train: &'static str,
    resumed: bool,
}

const PLAIN: &str = "pin_memory: false";
const AHEAD: &str = "workers: 3, transfer_ahead: true";
const CASES: [Case; 7] = [
    Case { name: "pinned, no workers", loader: "", train: "", resumed: false },
    Case { name: "pinned, workers", loader: "workers: 3", train: "", resumed: false },
    Case { name: "ahead", loader: AHEAD, train: "", resumed: false },
    Case { name: "ahead, stopped and resumed", loader: AHEAD, train: "", resumed: true },
    Case { name: "ahead, 3 batches an update", loader: AHEAD, train: ", accumulate: 3", resumed: true },
    Case { name: "ahead, as a CUDA graph", loader: AHEAD, train: ", step: CudaGraph()", resumed: false },
    Case { name: "ahead, as a CUDA graph, resumed", loader: AHEAD, train: ", step: CudaGraph()", resumed: true },
];

/// Compares all cases with plain trainings, looks for waits, and prints a line of JSON for each.
pub(crate) fn prove(device: Device) -> Result<()> {
    one_thread_on_the_cpu(device);
    let folder = tempfile::tempdir()?;
    let plain = trained(device, folder.path(), "plain", PLAIN, "", &[ITERS])?;
    let accumulated = trained(device, folder.path(), "accumulated", PLAIN, ", accumulate: 3", &[ITERS])?;
    let mut failed = 0;
    let mut told = |name: &str, found: Result<Vec<String>>, good: &str| {
        let found = found.unwrap_or_else(|error| vec![format!("{error:#}")]);
        failed += i32::from(!found.is_empty());
        let text = if found.is_empty() { good.to_owned() } else { found.join("; ") };
        println!("{}", serde_json::json!({ "case": name, "good": found.is_empty(), "found": text }));
    };
    for (place, Case { name, loader, train, resumed }) in CASES.iter().enumerate() {
        let stops: &[u64] = if *resumed { &[STOP, ITERS] } else { &[ITERS] };
        let found = trained(device, folder.path(), &format!("case{place}"), loader, train, stops).and_then(|run| {
            let expected = if train.contains("accumulate") { &accumulated } else { &plain };
            let mut found = differences(expected, &run, ITERS)?;
            found.extend(notices(&run)?);
            Ok(found)
        });
        told(name, found, "the same bytes");
    }
    for (name, loader) in [("no wait, pinned", "workers: 3"), ("no wait, no workers", ""), ("no wait, ahead", AHEAD)] {
        let program = Program {
            name: &name.replace([',', ' '], "_"),
            loader,
            train: &format!("max_iters: {}, clip: Norm(1.0)", ITERS + 10),
            hooks: "NoReads()",
            checkpoint: "Off",
            rows: 50,
            deterministic: "Off",
            sizes: compared_sizes(device),
        };
        let found = experiment(device, folder.path(), &program).and_then(|experiment| run(experiment, Mode::New));
        told(name, found.map(|()| Vec::new()), "0 reads, no wait");
    }
    match failed {
        0 => Ok(()),
        failed => Err(Error::msg(format!("{failed} cases failed"))),
    }
}

/// Trains to each of these iters, each time in a run that goes on from the last; the folder of the run.
fn trained(device: Device, folder: &Path, name: &str, loader: &str, train: &str, stops: &[u64]) -> Result<PathBuf> {
    let train = format!("max_iters: {ITERS}{train}");
    let program = Program {
        name,
        loader,
        train: &train,
        hooks: "",
        checkpoint: "()",
        rows: 1,
        deterministic: "Strict",
        sizes: compared_sizes(device),
    };
    for (place, stop) in stops.iter().enumerate() {
        let mut experiment = experiment(device, folder, &program)?;
        experiment.stop_after = Some(*stop);
        run(experiment, if place == 0 { Mode::New } else { Mode::Resume })?;
    }
    Ok(folder.join(name))
}

/// What a run has said of batches that did not go the way that was asked for.
fn notices(run: &Path) -> Result<Vec<String>> {
    let said = std::fs::read_to_string(run.join("log.txt"))?;
    let is_notice = |line: &&str| line.contains("pageable memory") || line.contains("copied ahead");
    Ok(said.lines().filter(is_notice).map(str::to_owned).collect())
}

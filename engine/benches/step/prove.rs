//! Whether recorded steps compute the bits of eager ones: whole trainings are compared, with all that makes a recorded step
//! go wrong in other engines: a learning rate that changes in every iter, dropout, batches of two sizes, an infinite
//! gradient, accumulation, 16 bits, weights that thaw, hooks within an update, a run that goes on from a checkpoint.

use engine::folder::Mode;
use engine::native::replays;
use engine::prelude::*;
use engine::sinks::Verbosity;
use engine::trainer::{Experiment, TrainOptions, run_train};
use std::path::{Path, PathBuf};

const BATCH: usize = 64;
/// Batches of a pass, of which the last is smaller.
const BATCHES: usize = 71;
const SAMPLES: usize = BATCH * (BATCHES - 1) + 17;
const ITERS: u64 = 200;
/// The batch whose inputs are too large: its gradient is infinite.
const INFINITE: usize = 40;

/// Samples that look like noise.
pub struct Noise;

/// Samples that look like noise.
#[component(dataset)]
pub struct NoiseConfig {}

impl Dataset for Noise {
    type Config = NoiseConfig;
    type Item = (Vec<f32>, i64);

    fn open(_: &NoiseConfig) -> Result<Self> {
        Ok(Noise)
    }

    fn len(&self) -> usize {
        SAMPLES
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, i64)> {
        let large = if index / BATCH == INFINITE { f32::MAX } else { 1.0 };
        let pixel = |place: usize| ((index * 64 + place) as f32 * 12.9898).sin() * large;
        Ok(((0..64).map(pixel).collect(), (index % 10) as i64))
    }
}

/// A network with dropout and batch norm.
#[derive(Debug)]
pub struct Noisy {
    up: nn::Linear,
    norm: nn::BatchNorm,
    down: nn::Linear,
}

/// A network with dropout and batch norm.
#[component]
pub struct NoisyConfig {}

impl Model for Noisy {
    type Config = NoisyConfig;

    fn build(vs: &nn::Path<'_>, _: &NoisyConfig) -> Result<Self> {
        Ok(Noisy {
            up: nn::linear(vs / "up", 64, 128, Default::default()),
            norm: nn::batch_norm1d(vs / "norm", 128, Default::default()),
            down: nn::linear(vs / "down", 128, 10, Default::default()),
        })
    }
}

/// Trains it.
#[trainer(by_iter)]
pub struct Prover {
    #[model]
    net: Noisy,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Noise>,
    /// Read the loss in the step.
    #[config(default = false)]
    reads: bool,
    /// Make the loss depend on the iter.
    #[config(default = false)]
    counts: bool,
}

impl Steps for Prover {
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (inputs, targets): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let hidden = inputs.apply(&self.net.up).apply_t(&self.net.norm, true).relu().dropout(0.3, true);
        let logits = hidden.apply(&self.net.down);
        let mut loss = logits.cross_entropy_for_logits(targets);
        if self.reads && loss.f_double_value(&[])? > 1e9 {
            loss *= 0.5;
        }
        if self.counts {
            loss *= 1.0 + cx.iter().get() as f64 * 1e-3;
        }
        cx.log("confidence", logits.softmax(-1, engine::tch::Kind::Float).amax([-1i64], false).mean(None));
        Ok(loss.into())
    }
}

/// Looks at the gradient before an update.
#[hook]
pub struct Norms {}

#[phases]
impl Norms {
    fn before_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let norm = cx.grad_norm()?;
        cx.log("norm_before", norm);
        Ok(())
    }
}

/// Thaws the first layer after 60 iters.
#[hook]
pub struct Thaw {}

#[phases]
impl Thaw {
    fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.iter().get() == 60 {
            for (name, tensor) in cx.model("net")?.variables() {
                if name.starts_with("up") {
                    let _ = tensor.set_requires_grad(true);
                }
            }
        }
        Ok(())
    }
}

/// A training to be compared.
struct Case {
    name: &'static str,
    optimizer: &'static str,
    train: &'static str,
    more: &'static str,
    /// A part of the line that says why steps are not recorded; `None` when they must be.
    eager: Option<&'static str>,
}

const ADAM: &str = "AdamW(lr: 3e-3, weight_decay: 0.05)";
const SGD: &str = "Sgd(lr: 0.05, momentum: 0.9, nesterov: true, weight_decay: 1e-3)";

const CASES: [Case; 9] = [
    Case { name: "AdamW, clipped", optimizer: ADAM, train: "clip: Norm(1.0)", more: "", eager: None },
    Case { name: "SGD, 2 batches an update", optimizer: SGD, train: "accumulate: 2", more: "", eager: None },
    Case { name: "Bf16", optimizer: ADAM, train: "precision: Bf16, clip: Value(0.1)", more: "", eager: None },
    Case { name: "F16, scaled", optimizer: ADAM, train: "precision: F16", more: "", eager: None },
    Case { name: "a hook within the update", optimizer: ADAM, train: "", more: "custom_hooks: [Norms()]", eager: None },
    Case {
        name: "a layer that thaws",
        optimizer: ADAM,
        train: "",
        more: r#"freeze: ["up.*"], custom_hooks: [Thaw()]"#,
        eager: None,
    },
    Case {
        name: "an average of weights",
        optimizer: SGD,
        train: "",
        more: "custom_hooks: [Ema(decay: 0.9)]",
        eager: None,
    },
    Case {
        name: "a step that reads",
        optimizer: ADAM,
        train: "",
        more: "trainer: (reads: true)",
        eager: Some("it reads a value from the device"),
    },
    Case {
        name: "a step that counts",
        optimizer: ADAM,
        train: "",
        more: "trainer: (counts: true)",
        eager: Some("it calls `cx.iter()`"),
    },
];

/// Compares all cases, and prints a line of JSON for each.
pub(crate) fn prove(device: Device) -> Result<()> {
    let mut failed = 0;
    for case in &CASES {
        let line = match of_case(case, device) {
            Ok(line) => line,
            Err(error) => serde_json::json!({ "case": case.name, "good": false, "found": format!("{error:#}") }),
        };
        failed += i32::from(line["good"] != true);
        println!("{line}");
    }
    match failed {
        0 => Ok(()),
        failed => Err(Error::msg(format!("{failed} of {} cases failed", CASES.len()))),
    }
}

fn of_case(case: &Case, device: Device) -> Result<serde_json::Value> {
    let folder = tempfile::tempdir()?;
    let eager = train(case, device, folder.path(), "eager", "Eager", &[ITERS])?;
    let before = replays();
    let recorded = train(case, device, folder.path(), "recorded", "CudaGraph()", &[ITERS])?;
    let replayed = replays() - before;
    let resumed = train(case, device, folder.path(), "resumed", "CudaGraph()", &[130, ITERS])?;
    let said = std::fs::read_to_string(recorded.join("log.txt"))?;
    let said: Vec<&str> = said.lines().filter_map(|line| Some(line.split_once("CUDA graphs: ")?.1)).collect();
    let mut found = Vec::new();
    for (name, other) in [("recorded", &recorded), ("resumed", &resumed)] {
        found.extend(differences(&eager, other, ITERS)?.into_iter().map(|file| format!("{name}: {file} differs")));
    }
    if rows(&eager)?.last().is_none_or(|row| row["skipped_updates"].as_f64() < Some(1.0)) {
        found.push("no update was skipped".to_owned());
    }
    match case.eager {
        _ if device == Device::Cpu && said.iter().any(|line| line.contains("the device is no CUDA device")) => {}
        _ if device == Device::Cpu => {
            found.push(format!("it does not say that the device is no CUDA device: {said:?}"));
        }
        None if replayed < ITERS / 2 => found.push(format!("only {replayed} graphs were replayed: {said:?}")),
        Some(why) if !said.iter().any(|line| line.contains(why)) => {
            found.push(format!("it does not say why: {said:?}"))
        }
        Some(_) if replayed > 0 => found.push(format!("{replayed} graphs were replayed")),
        _ => {}
    }
    let told = if said.is_empty() { String::new() } else { format!(", \"{}\"", said.join("; ")) };
    let good = found.is_empty();
    let found = if good { format!("the same bytes, {replayed} replays{told}") } else { found.join("; ") };
    Ok(serde_json::json!({ "case": case.name, "good": good, "found": found }))
}

/// Trains to each of these iters, each time in a run that goes on from the last; the folder of the run.
fn train(case: &Case, device: Device, folder: &Path, name: &str, step: &str, stops: &[u64]) -> Result<PathBuf> {
    let Case { optimizer, train, more, .. } = case;
    let comma = if train.is_empty() { "" } else { ", " };
    // a row in every iter shows every loss
    let rows = "hooks: (logger: (interval: 1)";
    let text = format!(
        r#"Experiment(
    name: "{name}",
    seed: 3,
    deterministic: Strict,
    device: {device},
    work_dir: {work_dir:?},
    model: (),
    optimizer: {optimizer},
    schedule: [Cosine()],
    loaders: (train: (dataset: Noise(), batch_size: {BATCH})),
    train: (max_iters: {ITERS}, non_finite: Skip, step: {step}{comma}{train}),
    {rows}),
    {more}
)"#,
        device = if device == Device::Cpu { "Cpu" } else { "Cuda(0)" },
        work_dir = folder.display().to_string(),
    );
    for (place, stop) in stops.iter().enumerate() {
        let mut experiment = Experiment::<Prover>::parse("the proof", &text)?;
        experiment.stop_after = Some(*stop);
        let mode = if place == 0 { Mode::New } else { Mode::Resume };
        run_train(experiment, TrainOptions { console: Verbosity::Quiet.into(), ..mode.into() })?;
    }
    Ok(folder.join(name))
}

/// What differs between two runs of so many iters: the files of tensors of the last checkpoint, and the rows.
pub(crate) fn differences(left: &Path, right: &Path, iters: u64) -> Result<Vec<String>> {
    let checkpoint = format!("checkpoints/iter_{iters:09}");
    let mut differ = Vec::new();
    for file in ["net.safetensors", "run/state.safetensors", "ranks/0/state.safetensors"] {
        let bytes = |run: &Path| std::fs::read(run.join(&checkpoint).join(file));
        if bytes(left)? != bytes(right)? {
            differ.push(file.to_owned());
        }
    }
    let (left, right) = (rows(left)?, rows(right)?);
    if left.len() != right.len() || left.len() < iters as usize {
        differ.push(format!("the number of rows ({}, {})", left.len(), right.len()));
    } else if let Some(place) = left.iter().zip(&right).position(|(left, right)| left != right) {
        differ.push(format!("row {place} ({} and {})", left[place], right[place]));
    }
    Ok(differ)
}

/// The rows of a run, without what the clock and the memory say.
fn rows(run: &Path) -> Result<Vec<serde_json::Value>> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl"))?;
    let row = |line: &str| -> Result<serde_json::Value> {
        let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)?;
        let kept =
            ["phase", "epoch", "iter", "loss", "confidence", "lr", "grad_norm", "norm_before", "skipped_updates"];
        Ok(row.into_iter().filter(|(key, _)| kept.contains(&key.as_str())).collect::<serde_json::Map<_, _>>().into())
    };
    text.lines().map(row).collect()
}

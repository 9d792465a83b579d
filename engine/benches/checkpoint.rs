//! What a checkpoint costs: a model of 100 M parameters with AdamW, 1.2 GB, beside `torch.save` of the same state.
//!
//! ```text
//! cargo bench --workspace --bench checkpoint -- --python PYTHON [--rounds N] [--spans N] [--seconds S] [--dir DIR]
//! ```
//! `PYTHON` is a Python that can `import torch`; without it the engine's numbers stand alone. Rounds of both follow each
//! other, so that a disk or a machine that is slower for a while is so for both.

use engine::base::{Epoch, Iter, State as _, StateMap};
use engine::checkpoint::{Job, Meta, Saver, Snapshot, Weights, iter_name};
use engine::optim::{AdamW, Optim};
use engine::prelude::*;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Square matrices of the model, and their width: 24 · 2048² = 100.7 M parameters.
const LAYERS: i64 = 24;
const WIDTH: i64 = 2048;
const BATCH: i64 = 16;

fn main() -> Result<()> {
    let options = Options::read();
    // `cargo test` runs benches too, with a flag of its own
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let mut training = Training::new()?;
    training.iters(2)?;
    let dir = tempfile::tempdir_in(&options.dir)?;
    let mut saves = Saves { dir: dir.path().to_owned(), saver: Saver::default(), iter: 0 };

    println!("state: {:.2} GB; {} threads", training.bytes()? / 1e9, tch::get_num_threads());
    let before = resident();
    let first = saves.blocking(&training)?;
    saves.wait()?;
    println!("first save: blocks {first:.3} s, memory of its own {:.2} GB", (resident() - before) / 1e9);

    let mut torch = options.python.as_deref().map(|python| Torch::start(python, dir.path())).transpose()?;
    let (mut blocking, mut whole, mut save, mut synced) = (vec![], vec![], vec![], vec![]);
    let mut processor = [vec![], vec![], vec![]];
    for round in 0..options.rounds {
        // in turn, so that none always follows the same one: what one leaves to the disk, the next has to wait for
        for turn in 0..3 {
            match ((round + turn) % 3, &mut torch) {
                (0, _) => {
                    let (begun, used) = (Instant::now(), processor_seconds());
                    blocking.push(saves.blocking(&training)?);
                    saves.wait()?;
                    whole.push(begun.elapsed().as_secs_f64());
                    processor[0].push(processor_seconds() - used);
                    saves.delete()?;
                }
                (1, Some(torch)) => note(torch.ask("save")?, &mut save, &mut processor[1]),
                (_, Some(torch)) => note(torch.ask("sync")?, &mut synced, &mut processor[2]),
                _ => {}
            }
        }
    }
    let (blocking, whole) = (median(blocking), median(whole));
    let [of_whole, of_save, of_synced] = processor.map(median);
    println!("medians of {} rounds, in seconds:", options.rounds);
    println!("  blocking of the training       {blocking:.3}");
    println!("  whole save, on the disk        {whole:.3}   of the processor {of_whole:.3}");
    if torch.is_some() {
        let (save, synced) = (median(save), median(synced));
        println!(
            "  torch.save, not synced         {save:.3}   of the processor {of_save:.3}   ratio of blocking {:.3}",
            blocking / save
        );
        println!(
            "  torch.save and fsync           {synced:.3}   of the processor {of_synced:.3}   ratio of the whole {:.3}",
            whole / synced
        );
    }
    drop(torch);
    slowdown(&mut training, &mut saves, &options)
}

/// How much slower a training is that saves itself once in each span. Spans with a save and without one are neighbours, each
/// first in every other pair, and are compared with each other alone: a machine that becomes slower is so for both.
fn slowdown(training: &mut Training, saves: &mut Saves, options: &Options) -> Result<()> {
    let (mut with, mut without) = (vec![], vec![]);
    for pair in 0..options.spans {
        for saving in [pair % 2 == 1, pair % 2 == 0] {
            let begun = Instant::now();
            let mut iters = 0;
            if saving {
                saves.blocking(training)?;
            }
            while begun.elapsed() < options.span {
                training.iters(1)?;
                iters += 1;
            }
            let seconds = begun.elapsed().as_secs_f64() / f64::from(iters);
            saves.wait()?;
            if saving {
                with.push(seconds);
                saves.delete()?;
            } else {
                without.push(seconds);
            }
        }
    }
    let slower: Vec<f64> = with.iter().zip(&without).map(|(with, without)| 100.0 * (with / without - 1.0)).collect();
    println!("seconds an iter in {} pairs of spans of {} s each:", options.spans, options.span.as_secs());
    println!("  without a save {}", shown(&without));
    println!("  with one       {}", shown(&with));
    println!("  slower by, in per cent, pair by pair: {}", shown(&slower));
    // what the spans without a save differ among themselves, in the same way
    let apart: Vec<f64> = without.windows(2).map(|pair| 100.0 * (pair[1] / pair[0] - 1.0).abs()).collect();
    println!(
        "  median of the pairs: {:.1} %; neighbouring spans without a save differ by {:.1} % (median)",
        median(slower),
        median(apart)
    );
    Ok(())
}

struct Options {
    python: Option<String>,
    dir: PathBuf,
    rounds: usize,
    spans: usize,
    span: Duration,
}

impl Options {
    fn read() -> Options {
        let words: Vec<String> = std::env::args().collect();
        let after = |name: &str| words.iter().position(|word| word == name).and_then(|place| words.get(place + 1));
        let number = |name: &str, default: usize| after(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        Options {
            python: after("--python").cloned(),
            dir: after("--dir").map_or_else(std::env::temp_dir, PathBuf::from),
            rounds: number("--rounds", 7),
            spans: number("--spans", 7),
            span: Duration::from_secs(number("--seconds", 30) as u64),
        }
    }
}

/// A model that is trained, so that its state is real.
struct Training {
    variables: Vec<(String, Tensor)>,
    optim: Optim,
    input: Tensor,
}

impl Training {
    fn new() -> Result<Training> {
        let options = (Kind::Float, Device::Cpu);
        let layer = |index: i64| {
            let weight = Tensor::randn([WIDTH, WIDTH], options) / (WIDTH as f64).sqrt();
            (format!("layers.{index}.weight"), weight.set_requires_grad(true))
        };
        let variables: Vec<(String, Tensor)> = (0..LAYERS).map(layer).collect();
        let parameters = variables.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        let optim = Optim::new("opt", &AdamW::new(1e-4), parameters)?;
        Ok(Training { variables, optim, input: Tensor::randn([BATCH, WIDTH], options) })
    }

    fn iters(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            let mut output = self.input.shallow_clone();
            for (_, weight) in &self.variables {
                output = output.matmul(weight).tanh();
            }
            self.optim.zero_grad()?;
            output.square().mean(Kind::Float).backward();
            self.optim.step()?;
        }
        Ok(())
    }

    fn snapshot(&self, iter: u64) -> Snapshot {
        let weights = self.variables.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        let mut state = StateMap::new();
        state.put("optimizer", &self.optim.save_state());
        let models = vec![Weights::new("net", weights)];
        Snapshot { meta: Meta::new(Epoch(0), Iter(iter)), models, state, ranks: vec![StateMap::new()] }
    }

    /// Bytes of weights and optimizer: of the latter two tensors for each weight.
    fn bytes(&self) -> Result<f64> {
        Ok(3.0 * self.variables.iter().map(|(_, tensor)| tensor.numel() as f64 * 4.0).sum::<f64>())
    }
}

/// The saves of a run.
struct Saves {
    dir: PathBuf,
    saver: Saver,
    iter: u64,
}

impl Saves {
    /// Begins a save; the seconds for which it keeps the training.
    fn blocking(&mut self, training: &Training) -> Result<f64> {
        self.wait()?;
        self.iter += 1;
        let begun = Instant::now();
        let snapshot = training.snapshot(self.iter);
        let job = Job { dir: self.dir.join("checkpoints"), names: vec![iter_name(Iter(self.iter))], retention: None };
        self.saver.begin(job, &snapshot)?;
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Deletes what is there, as `torch.save` is measured too: its old file is deleted before.
    fn delete(&self) -> Result<()> {
        Ok(std::fs::remove_dir_all(self.dir.join("checkpoints"))?)
    }

    fn wait(&mut self) -> Result<()> {
        self.saver.wait().map_or(Ok(()), |saved| Ok(saved.written.map(drop)?))
    }
}

/// PyTorch in a process of its own, with a state of the same size.
struct Torch {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Torch {
    fn start(python: &str, dir: &Path) -> Result<Torch> {
        let script = TORCH.replace("LAYERS", &LAYERS.to_string()).replace("WIDTH", &WIDTH.to_string());
        let mut command = Command::new(python);
        command.args(["-c", &script]).arg(dir.join("torch.pt")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let questions = process.stdin.take().ok_or_else(|| Error::msg("Python has no stdin"))?;
        let answers = process.stdout.take().ok_or_else(|| Error::msg("Python has no stdout"))?;
        let mut torch = Torch { process, questions, answers: BufReader::new(answers) };
        // the first one finds its memory and its file
        torch.ask("save")?;
        Ok(torch)
    }

    /// The seconds that it has taken, and those of the processor.
    fn ask(&mut self, what: &str) -> Result<(f64, f64)> {
        writeln!(self.questions, "{what}")?;
        self.questions.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (seconds, used) = line.trim().split_once(' ').ok_or_else(|| Error::msg("Python gave no two numbers"))?;
        Ok((seconds.parse()?, used.parse()?))
    }
}

impl Drop for Torch {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const TORCH: &str = r#"
import os, sys, time, torch
weights = {f"layers.{i}.weight": torch.randn(WIDTH, WIDTH) for i in range(LAYERS)}
moments = {i: {"step": torch.tensor(2.0), "exp_avg": torch.randn(WIDTH, WIDTH), "exp_avg_sq": torch.randn(WIDTH, WIDTH)}
           for i in range(LAYERS)}
state = {"model": weights, "optimizer": {"state": moments}}
path = sys.argv[1]
for line in sys.stdin:
    if os.path.exists(path):
        os.remove(path)
    begun, used = time.perf_counter(), time.process_time()
    torch.save(state, path)
    if line.strip() == "sync":
        with open(path, "rb") as file:
            os.fsync(file.fileno())
    print(time.perf_counter() - begun, time.process_time() - used, flush=True)
    if line.strip() != "sync":
        with open(path, "rb") as file:
            os.fsync(file.fileno())
"#;

fn note((seconds, used): (f64, f64), all: &mut Vec<f64>, processor: &mut Vec<f64>) {
    all.push(seconds);
    processor.push(used);
}

/// Seconds that the processor has worked for this process: on a machine with other work they tell more than those of a clock.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // behind the name of the program, which may hold spaces: ticks in the program and in the system, of which a second has 100
    let ticks = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn shown(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(" ")
}

/// Bytes of memory that the process holds now.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or(f64::NAN) * 4096.0
}

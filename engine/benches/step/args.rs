//! The command line.

use crate::nets::Kind;
use crate::work::{Way, Work};
use engine::prelude::Device;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
usage: step [options]                    compares the ways
       step serve WORK WAY --device D    one way, which reads numbers of iters and answers with times
       step process                      what a process of few steps costs, and what many steps leave in memory
       step figures FILE… --to DIR       a table and a picture of the numbers in these files
       step profile NET WAY --device D   what the operators and kernels of some iters cost
       step prove --device D             fails when recorded steps don't compute the bits of eager ones
       step loader --device D            fails when pinned or early transfers change a bit, or make a step wait
       step check NET --device D         fails when a step between two rows reads or waits for the device

  --device cpu|cuda   where (default: cpu)
  --nets A,B          which WORK (default: tiny,conv,gpt)
  --rounds N          rounds of each way (default: 7)
  --seconds S         how long one round takes about (default: 0.3)
  --limit S           nothing new is begun after so many seconds (default: none)
  --peers COMMAND     what runs PyTorch: it is given WORK WAY DEVICE, as `serve` is
  --engines COMMAND   what runs engines of Python, in the same way
  --from-host         of check: the batches come from the host, as a loader's do
  --out FILE          where the numbers go too, as JSON

WORK is a NET, adamw1000 and adamw10000 (updates of so many tensors of 64 numbers), optim_NAME (updates of 1,000 matrices by
an optimizer that PyTorch has too: optim_sgd, optim_rmsprop, …), clip1000 (their gradients clipped by
the norm), validation (batches of tiny), samples (batches of 64 samples in memory) or images (batches of images that come
from the host, each through a small conv net).
NET is tiny (64-128-10, batch 64), conv (three convolutions, 32 x 32), gpt (4 blocks of width 256, 256 tokens), gpt2
(GPT-2 of 124 M parameters in Bf16) or resnet50 (ResNet-50 in Bf16, channels last).
WAY is engine, rows (with a row in every iter), hooks (with 200 hooks more), captured (the engine's steps as CUDA graphs),
hand (the loop without an engine), foreach (the same, counting updates as `torch._foreach_add_` does) or workers (two
threads read); of images pinned, pageable or ahead (how batches come to the device); of the peers eager, item (the loss is read in every iter), graph (a CUDA graph), compile (torch.compile) or
processes (two of a DataLoader), torch or torch_pin (a DataLoader without and with pin_memory); of the engines ignite, mmengine or lightning.";

/// What is asked for.
pub(crate) enum Command {
    Help,
    Compare(Options),
    Serve {
        work: Work,
        way: Way,
        device: Device,
    },
    Process,
    Figures {
        files: Vec<PathBuf>,
        to: PathBuf,
    },
    /// The parts of `Process`, each in a process of its own.
    Steps {
        iters: u64,
    },
    Profile {
        net: Kind,
        way: Way,
        device: Device,
    },
    Prove {
        device: Device,
    },
    Loader {
        device: Device,
    },
    Check {
        net: Kind,
        device: Device,
        from_host: bool,
    },
}

/// A comparison.
pub(crate) struct Options {
    pub(crate) device: Device,
    pub(crate) works: Vec<Work>,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) limit: Option<f64>,
    pub(crate) peers: Option<String>,
    pub(crate) engines: Option<String>,
    pub(crate) out: Option<PathBuf>,
}

pub(crate) fn parse(words: &[String]) -> Result<Command, String> {
    let mut options = Options {
        device: Device::Cpu,
        works: Kind::SMALL.map(Work::Net).to_vec(),
        rounds: 7,
        seconds: 0.3,
        limit: None,
        // `cargo xtask bench` says them so
        peers: std::env::var("ENGINE_BENCH_PEERS").ok(),
        engines: std::env::var("ENGINE_BENCH_ENGINES").ok(),
        out: None,
    };
    let (mut plain, mut from_host, mut to) = (Vec::new(), false, None);
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word {
            // cargo bench says so to every bench
            "--bench" => {}
            "-h" | "--help" => return Ok(Command::Help),
            "--device" => options.device = device(value()?)?,
            "--nets" => options.works = value()?.split(',').map(work).collect::<Result<_, _>>()?,
            "--rounds" => options.rounds = number(word, value()?)?,
            "--seconds" => options.seconds = number(word, value()?)?,
            "--limit" => options.limit = Some(number(word, value()?)?),
            "--peers" => options.peers = Some(value()?.to_owned()),
            "--engines" => options.engines = Some(value()?.to_owned()),
            "--to" => to = Some(PathBuf::from(value()?)),
            "--from-host" => from_host = true,
            "--out" => options.out = Some(value()?.into()),
            _ if word.starts_with('-') => return Err(format!("unknown option `{word}`")),
            _ => plain.push(word),
        }
    }
    match plain.as_slice() {
        [] if options.rounds == 0 => Err("`--rounds` has to be at least 1".to_owned()),
        [] => Ok(Command::Compare(options)),
        ["serve", name, way] => Ok(Command::Serve { work: work(name)?, way: self::way(way)?, device: options.device }),
        ["process"] => Ok(Command::Process),
        ["steps", iters] => Ok(Command::Steps { iters: number("steps", iters)? }),
        ["figures", files @ ..] if !files.is_empty() => Ok(Command::Figures {
            files: files.iter().map(PathBuf::from).collect(),
            to: to.ok_or("`figures` needs `--to DIR`")?,
        }),
        ["profile", name, way @ ("engine" | "captured")] => {
            let way = if *way == "captured" { Way::Captured } else { Way::Engine };
            Ok(Command::Profile { net: net(name)?, way, device: options.device })
        }
        ["prove"] => Ok(Command::Prove { device: options.device }),
        ["loader"] => Ok(Command::Loader { device: options.device }),
        ["check", name] => Ok(Command::Check { net: net(name)?, device: options.device, from_host }),
        _ => Err(format!("`{}` is not understood", plain.join(" "))),
    }
}

pub(crate) fn device_word(device: Device) -> &'static str {
    if device == Device::Cpu { "cpu" } else { "cuda" }
}

fn device(word: &str) -> Result<Device, String> {
    match word {
        "cpu" => Ok(Device::Cpu),
        "cuda" => Ok(Device::Cuda(0)),
        _ => Err(format!("unknown device `{word}`; there are `cpu` and `cuda`")),
    }
}

fn work(word: &str) -> Result<Work, String> {
    let names = || Work::all().map(Work::name).collect::<Vec<_>>().join(", ");
    Work::all().find(|work| work.name() == word).ok_or_else(|| format!("unknown work `{word}`; there are {}", names()))
}

fn way(word: &str) -> Result<Way, String> {
    let names = || Way::ALL.map(|(name, _)| name).join(", ");
    let found = Way::ALL.into_iter().find(|(name, _)| *name == word);
    found.map(|(_, way)| way).ok_or_else(|| format!("unknown way `{word}`; there are {}", names()))
}

fn net(word: &str) -> Result<Kind, String> {
    Kind::ALL.into_iter().find(|net| net.name() == word).ok_or_else(|| format!("unknown net `{word}`"))
}

fn number<N: std::str::FromStr>(option: &str, word: &str) -> Result<N, String> {
    word.parse().map_err(|_| format!("`{option}` takes a number, not `{word}`"))
}

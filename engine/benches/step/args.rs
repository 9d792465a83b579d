//! The command line.

use crate::nets::Kind;
use engine::prelude::Device;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
usage: step [options]                    compares the ways
       step serve NET WAY --device D     one way, which reads numbers of iters and answers with times
       step profile NET WAY --device D   what the operators and kernels of some iters cost
       step prove --device D             fails when recorded steps don't compute the bits of eager ones
       step check NET --device D         fails when a step between two rows reads or waits for the device

  --device cpu|cuda   where (default: cpu)
  --nets A,B          of tiny, conv, gpt (default: these), gpt2, resnet50
  --rounds N          rounds of each way (default: 7)
  --seconds S         how long one round takes about (default: 0.3)
  --limit S           no new net is begun after so many seconds (default: none)
  --peers COMMAND     what runs PyTorch: it is given NET WAY DEVICE, as `serve` is
  --from-host         of check: the batches come from the host, as a loader's do
  --out FILE          where the numbers go too, as JSON

NET is tiny (64-128-10, batch 64), conv (three convolutions, 32 x 32), gpt (4 blocks of width 256, 256 tokens), gpt2
(GPT-2 of 124 M parameters in Bf16) or resnet50 (ResNet-50 in Bf16, channels last).
WAY is engine, captured (the engine's steps as CUDA graphs) or hand; of the peers eager, item (the loss is read in every
iter), graph (a CUDA graph) or compile (torch.compile).";

/// What is asked for.
pub(crate) enum Command {
    Help,
    Compare(Options),
    Serve { net: Kind, way: Way, device: Device },
    Profile { net: Kind, way: Way, device: Device },
    Prove { device: Device },
    Check { net: Kind, device: Device, from_host: bool },
}

/// How a step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Engine,
    Captured,
    Hand,
}

/// A comparison.
pub(crate) struct Options {
    pub(crate) device: Device,
    pub(crate) nets: Vec<Kind>,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) limit: Option<f64>,
    pub(crate) peers: Option<String>,
    pub(crate) out: Option<PathBuf>,
}

pub(crate) fn parse(words: &[String]) -> Result<Command, String> {
    let mut options = Options {
        device: Device::Cpu,
        nets: Kind::SMALL.to_vec(),
        rounds: 7,
        seconds: 0.3,
        limit: None,
        peers: None,
        out: None,
    };
    let (mut plain, mut from_host) = (Vec::new(), false);
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word {
            // cargo bench says so to every bench
            "--bench" => {}
            "-h" | "--help" => return Ok(Command::Help),
            "--device" => options.device = device(value()?)?,
            "--nets" => options.nets = value()?.split(',').map(net).collect::<Result<_, _>>()?,
            "--rounds" => options.rounds = number(word, value()?)?,
            "--seconds" => options.seconds = number(word, value()?)?,
            "--limit" => options.limit = Some(number(word, value()?)?),
            "--peers" => options.peers = Some(value()?.to_owned()),
            "--from-host" => from_host = true,
            "--out" => options.out = Some(value()?.into()),
            _ if word.starts_with('-') => return Err(format!("unknown option `{word}`")),
            _ => plain.push(word),
        }
    }
    match plain.as_slice() {
        [] if options.rounds == 0 => Err("`--rounds` has to be at least 1".to_owned()),
        [] => Ok(Command::Compare(options)),
        ["serve", name, "engine"] => Ok(Command::Serve { net: net(name)?, way: Way::Engine, device: options.device }),
        ["serve", name, "captured"] => {
            Ok(Command::Serve { net: net(name)?, way: Way::Captured, device: options.device })
        }
        ["profile", name, way @ ("engine" | "captured")] => {
            let way = if *way == "captured" { Way::Captured } else { Way::Engine };
            Ok(Command::Profile { net: net(name)?, way, device: options.device })
        }
        ["prove"] => Ok(Command::Prove { device: options.device }),
        ["serve", name, "hand"] => Ok(Command::Serve { net: net(name)?, way: Way::Hand, device: options.device }),
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

fn net(word: &str) -> Result<Kind, String> {
    Kind::ALL.into_iter().find(|net| net.name() == word).ok_or_else(|| format!("unknown net `{word}`"))
}

fn number<N: std::str::FromStr>(option: &str, word: &str) -> Result<N, String> {
    word.parse().map_err(|_| format!("`{option}` takes a number, not `{word}`"))
}

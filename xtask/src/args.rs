//! The command line: what can be asked, and the answer to what cannot be understood.
//!
//! Parsing never looks at the machine; the same arguments always give the same [`Command`].

use std::path::PathBuf;

/// One thing that can be asked of `cargo xtask`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Bring libtorch and point the checkout to it.
    Setup(Option<Device>),
    /// Set up, then train the digits example.
    Demo(Option<Device>),
    /// Set up, then run all tests.
    Test(Option<Device>, Peers),
    /// Everything that must pass before a change lands.
    Ci(Peers),
    /// Kill trainings and resume them: how often, and from which seed, if that was said.
    Torture(Torture),
    /// Measure what the engine costs.
    Bench(Bench),
    /// Say what is there and what is missing.
    Doctor,
    /// Make a package outside this workspace build.
    Link(PathBuf),
    /// Build a folder that proves CUDA on another machine; where to, if that was said.
    GpuBundle(Option<PathBuf>),
    /// Explain all commands, or one.
    Help(Option<&'static Topic>),
}

/// For which device libtorch is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    /// CUDA where an NVIDIA driver is found, otherwise the CPU.
    Auto,
    /// Never CUDA.
    Cpu,
    /// CUDA, also where no driver is found (an image that is built elsewhere, say).
    Cuda,
}

impl Device {
    /// The word on the command line and in the written settings.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    /// The device that `word` names.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Auto, Self::Cpu, Self::Cuda].into_iter().find(|device| device.word() == word)
    }
}

/// Whether the tests that compare with programs of others run too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Peers {
    /// Only what needs nothing but this checkout.
    #[default]
    LeftOut,
    /// These too; what they need is brought.
    Wanted,
}

/// How trainings are killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Torture {
    /// Whether trainings in two ranks are meant, instead of those in one process.
    pub(crate) ranks: bool,
    /// How often; without it as often as in every run of the tests.
    pub(crate) kills: Option<u64>,
    /// Where the choice of instants begins; without it with another number each time.
    pub(crate) seed: Option<u64>,
}

/// Every part of `bench`, in the order in which they run, and whether it runs when none is named.
const PARTS: [(&str, bool); 8] = [
    ("step", true),
    ("parts", true),
    ("process", true),
    ("optimizers", false),
    ("dispatch", false),
    ("orders", false),
    ("config", false),
    ("checkpoint", false),
];

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bench {
    /// The parts, as [`PARTS`] names them.
    pub(crate) parts: Vec<&'static str>,
    /// Whether PyTorch and engines of Python are measured beside it.
    pub(crate) peers: Peers,
    /// Whether the figures go into the documents.
    pub(crate) write: bool,
}

/// The help of one command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    name: &'static str,
    usage: &'static str,
    brief: &'static str,
    text: &'static str,
}

/// Reads the arguments after `cargo xtask`; the error is a text for the person who typed them.
pub(crate) fn parse(args: &[String]) -> Result<Command, String> {
    let Some((name, rest)) = args.split_first() else {
        return Ok(Command::Help(None));
    };
    if matches!(name.as_str(), "-h" | "--help") {
        return Ok(Command::Help(None));
    }
    let topic = topic(name)?;
    if rest.iter().any(|arg| matches!(arg.as_str(), "-h" | "--help")) {
        return Ok(Command::Help(Some(topic)));
    }
    match topic.name {
        "setup" => options(topic, &["--device"], rest).map(|options| Command::Setup(options.device)),
        "demo" => options(topic, &["--device"], rest).map(|options| Command::Demo(options.device)),
        "test" => {
            options(topic, &["--device", "--peers"], rest).map(|options| Command::Test(options.device, options.peers))
        }
        "ci" => options(topic, &["--peers"], rest).map(|options| Command::Ci(options.peers)),
        "torture" => torture(topic, rest).map(Command::Torture),
        "bench" => bench(topic, rest).map(Command::Bench),
        "doctor" => options(topic, &[], rest).map(|_| Command::Doctor),
        "link" => match rest {
            [dir] if !dir.starts_with('-') => Ok(Command::Link(PathBuf::from(dir))),
            _ => Err(format!("`link` takes one folder\n  usage: {}", topic.usage)),
        },
        "gpu-bundle" => match rest {
            [] => Ok(Command::GpuBundle(None)),
            [option, dir] if option == "--out" && !dir.starts_with('-') => Ok(Command::GpuBundle(Some(dir.into()))),
            [option] if option.starts_with("--out=") => Ok(Command::GpuBundle(Some(option["--out=".len()..].into()))),
            [option] if option == "--out" => Err(format!("`--out` needs a folder\n  usage: {}", topic.usage)),
            [option, _, other, ..] if option == "--out" => Err(unexpected(topic, other)),
            [other, ..] => Err(unexpected(topic, other)),
        },
        _ => match rest {
            [] => Ok(Command::Help(None)),
            [name] => Ok(Command::Help(Some(self::topic(name)?))),
            _ => Err(format!("`help` takes one command\n  usage: {}", topic.usage)),
        },
    }
}

/// The text of `cargo xtask help`, or of the help of one command.
pub(crate) fn help(topic: Option<&Topic>) -> String {
    if let Some(topic) = topic {
        return format!("{}\n\nusage: {}\n\n{}\n", topic.brief, topic.usage, topic.text.trim());
    }
    let mut text = String::from("set-up and chores of this repository\n\nusage: cargo xtask COMMAND\n\n");
    for topic in TOPICS {
        text.push_str(&format!("  {:<12}{}\n", topic.name, topic.brief));
    }
    text.push_str("\n`cargo xtask help COMMAND` explains one of them.\n");
    text
}

/// Every command, in the order in which help shows them.
const TOPICS: &[Topic] = &[
    Topic {
        name: "setup",
        usage: "cargo xtask setup [--device auto|cpu|cuda]",
        brief: "bring libtorch, and point this checkout to it",
        text: "
Afterwards plain `cargo build`, `cargo test`, `cargo run`, `cargo doc` and an editor work, with no
variable set. Done once it costs nothing to do again.

Which libtorch is taken, the first that applies:
  LIBTORCH_USE_PYTORCH=1   the torch of the Python in use
  LIBTORCH=DIR             the libtorch in DIR, with DIR/lib and DIR/include
  otherwise                the user's cache, `~/.cache/engine/libtorch` (or $XDG_CACHE_HOME), into
                           which pip brings it: 0.6 GB to download for the CPU, 2.5 GB for CUDA
The choice is remembered in `.cargo/libtorch.toml`; delete that file to choose anew.

  --device cpu    never the CUDA build
  --device cuda   the CUDA build, also where no NVIDIA driver is found
  --device auto   the CUDA build where an NVIDIA driver is found (what happens if nothing was said)",
    },
    Topic {
        name: "demo",
        usage: "cargo xtask demo [--device auto|cpu|cuda]",
        brief: "set up, then train the digits example and say where to look",
        text: "
Trains `examples/digits` on its real data and prints the accuracy it reached. The first time it
compiles the bindings of libtorch, which takes some minutes; the dev profile is used, so that they
are compiled once for this, for the tests and for an editor. `--device` is that of `setup`.",
    },
    Topic {
        name: "test",
        usage: "cargo xtask test [--peers] [--device auto|cpu|cuda]",
        brief: "set up, then run all tests",
        text: "
All tests of the workspace, then those of `ui-tests` (what must and must not compile), which is a
workspace of its own. The later ones run also when earlier ones fail. `--device` is that of `setup`.

  --peers         also the tests that compare with programs of others, such as TensorBoard. Each is
                  installed once into a Python environment of its own in the user's cache,
                  `~/.cache/engine/peers` (2.6 GB to download), in the versions and with the hashes of
                  `xtask/src/peers`. Needs Python 3.11 to 3.14 with pip.",
    },
    Topic {
        name: "ci",
        usage: "cargo xtask ci [--peers]",
        brief: "formatting, lints, documentation, then all tests",
        text: "
What must pass before a change lands, the cheap checks first; it stops at the first that fails.
`--peers` is that of `test`.",
    },
    Topic {
        name: "torture",
        usage: "cargo xtask torture [--ranks] [--kills N] [--seed S]",
        brief: "kill trainings at any instant, resume them, and compare what they come to",
        text: "
Small trainings of every kind are killed (SIGKILL) at instants that are functions of the seed, over their
whole life and inside of saves, and resumed with other numbers of workers until they are done. Each has to
end with the bytes of one that nothing has disturbed. The first that does not is told with its seed.

With `--ranks` a training in two ranks is disturbed instead: a rank or the launcher is killed, stopped or told
to end. All processes have to end in time, with the right exit code and an error that names the rank.

  --ranks     two ranks instead of one process
  --kills N   how often (28, with `--ranks` 5, as in every run of the tests, if nothing was said); 1000 take a
              quarter of an hour, and 100 with `--ranks` about ten minutes
  --seed S    the seed; another one each time if nothing was said",
    },
    Topic {
        name: "bench",
        usage: "cargo xtask bench [--peers] [--write] [PART…]",
        brief: "measure what the engine costs, beside a loop by hand and PyTorch",
        text: "
Builds in release mode (some minutes the first time). What is compared runs in turn, in processes of its own, on one
thread; the table has medians of the processor's time. On a machine that others use too, wait until it is quiet.

  step          training steps of three small networks
  parts         updates of many tensors, clipping, validation, samples in memory
  process       a process of ten steps, and the memory of one of 60,000
  optimizers    updates by every optimizer that PyTorch has too (with --peers beside `foreach=True`)
  dispatch      calls of hooks               orders        the order of a shuffled pass
  config        reading an experiment        checkpoint    saving 1.2 GB (with --peers beside torch.save)
Without PART: the first three.

  --peers       PyTorch, Ignite, MMEngine and Lightning take part; they are brought into the user's cache,
                `~/.cache/engine/peers` (2.6 GB to download)
  --write       table and picture go into docs/performance.md and docs/performance.svg",
    },
    Topic {
        name: "doctor",
        usage: "cargo xtask doctor",
        brief: "say what is there and what is missing, each with the command that mends it",
        text: "
Changes nothing. The exit code is 1 if something needed is missing.",
    },
    Topic {
        name: "link",
        usage: "cargo xtask link DIR",
        brief: "make a package outside this workspace build with the same libtorch",
        text: "
Writes `DIR/.cargo/config.toml`, which tells cargo where libtorch lies for the build and where the
programs find it when they run. A file with other content is left alone, and what to add is printed.",
    },
    Topic {
        name: "gpu-bundle",
        usage: "cargo xtask gpu-bundle [--out DIR]",
        brief: "build a folder that proves CUDA on a machine with a GPU and no Rust",
        text: "
Builds programs, experiments and scripts into one folder below 60 MB, `target/gpu-bundle/bundle` if none
is named. No GPU is needed here: the CUDA build of libtorch is brought into the cache if it is not there
(2.5 GB to download), beside the one for the CPU, and this checkout goes on with the libtorch that it has.

On Linux with an NVIDIA driver and Python with the same torch, `./run.sh` in that folder runs the checks
in parts, writes what it finds as it goes, and prints a table. docs/gpu.md says what each part proves.",
    },
    Topic { name: "help", usage: "cargo xtask help [COMMAND]", brief: "this text, or that of one command", text: "" },
];

fn bench(topic: &Topic, args: &[String]) -> Result<Bench, String> {
    let mut bench = Bench { parts: Vec::new(), peers: Peers::LeftOut, write: false };
    for arg in args {
        match arg.as_str() {
            "--peers" => bench.peers = Peers::Wanted,
            "--write" => bench.write = true,
            option if option.starts_with('-') => return Err(unexpected(topic, option)),
            name => {
                let names: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
                let part = names.iter().find(|part| **part == name);
                bench.parts.push(part.ok_or_else(|| format!("unknown part `{name}`; {}", suggestion(name, &names)))?);
            }
        }
    }
    if bench.parts.is_empty() {
        bench.parts = PARTS.iter().filter(|(_, by_default)| *by_default).map(|(name, _)| *name).collect();
    }
    Ok(bench)
}

fn topic(name: &str) -> Result<&'static Topic, String> {
    TOPICS.iter().find(|topic| topic.name == name).ok_or_else(|| {
        let names: Vec<_> = TOPICS.iter().map(|topic| topic.name).collect();
        format!("unknown command `{name}`; {}", suggestion(name, &names))
    })
}

/// What the options of a command say.
#[derive(Debug, Default)]
struct Options {
    device: Option<Device>,
    peers: Peers,
}

/// Reads options, of which the command takes these.
fn options(topic: &Topic, takes: &[&str], rest: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = rest.iter();
    while let Some(arg) = rest.next() {
        let (option, value) = match arg.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (arg.as_str(), None),
        };
        match option {
            _ if !takes.contains(&option) => return Err(unexpected(topic, arg)),
            "--device" if options.device.is_none() => {
                let word = value.or_else(|| rest.next().map(String::as_str));
                let word = word.ok_or_else(|| format!("`--device` needs a value\n  usage: {}", topic.usage))?;
                let unknown = || format!("unknown device `{word}`; {}", suggestion(word, &["auto", "cpu", "cuda"]));
                options.device = Some(Device::from_word(word).ok_or_else(unknown)?);
            }
            "--peers" if value.is_none() => options.peers = Peers::Wanted,
            _ => return Err(unexpected(topic, arg)),
        }
    }
    Ok(options)
}

/// Reads the options of `torture`.
fn torture(topic: &Topic, rest: &[String]) -> Result<Torture, String> {
    let mut torture = Torture::default();
    let mut rest = rest.iter();
    while let Some(arg) = rest.next() {
        let (option, value) = match arg.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (arg.as_str(), None),
        };
        let place = match option {
            "--ranks" if value.is_none() && !torture.ranks => {
                torture.ranks = true;
                continue;
            }
            "--kills" => &mut torture.kills,
            "--seed" => &mut torture.seed,
            _ => return Err(unexpected(topic, arg)),
        };
        let number = value.or_else(|| rest.next().map(String::as_str)).and_then(|text| text.parse().ok());
        let number = number.ok_or_else(|| format!("`{option}` needs a number\n  usage: {}", topic.usage))?;
        if place.replace(number).is_some() {
            return Err(unexpected(topic, arg));
        }
    }
    Ok(torture)
}

fn unexpected(topic: &Topic, arg: &str) -> String {
    format!("unexpected argument `{arg}`\n  usage: {}", topic.usage)
}

fn suggestion(word: &str, known: &[&str]) -> String {
    let near = |name: &&&str| strsim::jaro_winkler(word, name);
    match known.iter().max_by(|a, b| near(a).total_cmp(&near(b))) {
        Some(best) if near(&best) > 0.8 => format!("did you mean `{best}`?"),
        _ => format!("there are `{}`", known.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn device_is_read_in_both_spellings() {
        assert_eq!(parsed("setup --device cuda"), Ok(Command::Setup(Some(Device::Cuda))));
        assert_eq!(parsed("demo --device=cpu"), Ok(Command::Demo(Some(Device::Cpu))));
    }

    #[test]
    fn peers_take_part_where_they_are_asked_for() {
        assert_eq!(parsed("test"), Ok(Command::Test(None, Peers::LeftOut)));
        assert_eq!(parsed("ci"), Ok(Command::Ci(Peers::LeftOut)));
        assert_eq!(parsed("ci --peers"), Ok(Command::Ci(Peers::Wanted)));
        for line in ["test --peers --device cpu", "test --device=cpu --peers"] {
            assert_eq!(parsed(line), Ok(Command::Test(Some(Device::Cpu), Peers::Wanted)), "`{line}`");
        }
    }

    #[test]
    fn the_folder_of_a_bundle_may_be_named() {
        assert_eq!(parsed("gpu-bundle"), Ok(Command::GpuBundle(None)));
        for line in ["gpu-bundle --out some/where", "gpu-bundle --out=some/where"] {
            assert_eq!(parsed(line), Ok(Command::GpuBundle(Some("some/where".into()))));
        }
        for line in ["gpu-bundle --out", "gpu-bundle here", "gpu-bundle --out a b", "gpu-bundle --out --help-me"] {
            assert!(parsed(line).is_err(), "`{line}` was accepted");
        }
    }

    #[test]
    fn torture_takes_its_numbers_in_both_spellings() {
        assert_eq!(parsed("torture"), Ok(Command::Torture(Torture::default())));
        let said = |ranks| Ok(Command::Torture(Torture { ranks, kills: Some(2000), seed: Some(7) }));
        assert_eq!(parsed("torture --kills 2000 --seed=7"), said(false));
        assert_eq!(parsed("torture --kills 2000 --ranks --seed=7"), said(true));
        for line in
            ["torture --kills", "torture --kills many", "torture --seed 1 --seed 2", "torture 5", "torture --ranks=2"]
        {
            assert!(parsed(line).is_err(), "`{line}` was accepted");
        }
    }

    #[test]
    fn near_miss_is_told_the_command_that_was_meant() {
        assert_eq!(parsed("docter"), Err("unknown command `docter`; did you mean `doctor`?".into()));
        assert_eq!(parsed("setup --device cud"), Err("unknown device `cud`; did you mean `cuda`?".into()));
    }

    #[test]
    fn word_like_no_command_is_told_all_of_them() {
        let text = parsed("frobnicate").unwrap_err();
        for topic in TOPICS {
            assert!(text.contains(topic.name), "{text}");
        }
    }

    #[test]
    fn argument_that_is_not_understood_is_never_ignored() {
        for line in [
            "ci --fast",
            "ci --device cpu",
            "doctor x",
            "setup cpu",
            "setup --peers",
            "setup --device cpu more",
            "setup --device cpu --device cuda",
            "setup --device",
            "test --peers=all",
            "link",
            "link a b",
        ] {
            assert!(parsed(line).is_err(), "`{line}` was accepted");
        }
    }

    #[test]
    fn every_command_but_help_itself_explains_itself() {
        for topic in TOPICS {
            let asked = parsed(&format!("{} --help", topic.name));
            assert_eq!(asked, Ok(Command::Help(Some(topic))));
            assert!(help(Some(topic)).contains(topic.usage));
        }
    }
}

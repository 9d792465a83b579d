//! `batch-find`: the largest batch that fits into memory, and how fast batches of each size are.
//!
//! Each size is tried in a process of its own, which may run out of memory in any way. The search doubles or halves the size,
//! and then halves the way between one that fits and one that does not. Nothing is written.

mod probe;
mod search;

use crate::base::{Error, ErrorContext as _, Result};
use crate::cli::checkpoints::text::bytes;
use crate::cli::experiment_args::ExperimentArgs;
use crate::cli::failure::Failure;
use crate::cli::loaded::Loaded;
use crate::cli::out;
use crate::config::{Given, Kind, Node};
use crate::loops::Role;
use crate::trainer::{BatchProbe, Build, Purpose, run_batch_probe};
use probe::Tried;
use search::{Next, Search};
use std::process::ExitCode;
use tch::Device;

/// What is tried.
#[derive(Debug, clap::Args)]
pub(super) struct BatchFindArgs {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// The memory that the process may take, on the CPU: `8GB`, `500MB`; a GPU has its own limit
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// The train loader whose batches grow, where there are several
    #[arg(long, value_name = "NAME")]
    loader: Option<String>,
    /// The largest batch to try; none has more samples than a pass
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    most: Option<u64>,
    /// Updates of each size, the first of which is not measured
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(2..=10_000))]
    updates: u64,
    /// Tries one size and prints what it took, as JSON
    #[arg(long, value_name = "N", hide = true)]
    probe: Option<u64>,
}

impl BatchFindArgs {
    /// Whether one size is tried here, and not each in a process of its own.
    pub(super) fn is_probe(&self) -> bool {
        self.probe.is_some()
    }
}

/// A number of bytes as it is written: `8GB`, `1.5GiB`.
fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, f64); 8] = [
        ("KiB", 1024.0),
        ("MiB", 1048576.0),
        ("GiB", 1073741824.0),
        ("TiB", 1099511627776.0),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
    ];
    let wrong = || format!("`{text}` is no size; write `8GB`, `500MB` or `1.5GiB`");
    let (number, unit) =
        UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit))).ok_or_else(wrong)?;
    let bytes = number.trim().parse::<f64>().map_err(|_| wrong())? * unit;
    if (1.0..1e18).contains(&bytes) { Ok(bytes as u64) } else { Err(wrong()) }
}

/// Searches; the exit code is 1 when no size fits.
pub(super) fn run<T: Build>(args: &BatchFindArgs) -> Result<ExitCode, Failure> {
    let loader = loader::<T>(args.loader.as_deref()).map_err(Failure::Usage)?;
    if let Some(size) = args.probe {
        return probe_one::<T>(args, loader, size);
    }
    // mistakes are told once, and not by each process
    let mut search = Search::new(first_size::<T>(args, loader)?, args.most);
    while let Next::Try(size) = search.next() {
        match probe::try_size(size)? {
            Tried::Fits(BatchProbe { samples, samples_per_second, peak }) => {
                // of a larger size, the batches had all samples that there are
                let size = samples.map_or(size, |samples| size.min(samples));
                if let Some(samples) = samples {
                    search.limit(samples);
                }
                let peak = peak.map_or(String::new(), |peak| format!(", {} of memory", bytes(peak)));
                out::line(format_args!("batch_size {size}: {samples_per_second:.0} samples/s{peak}"))?;
                search.note(size, Some(samples_per_second));
            }
            Tried::TooLarge => {
                out::line(format_args!("batch_size {size}: does not fit"))?;
                search.note(size, None);
            }
            Tried::Ended(code) => return Ok(ExitCode::from(code)),
        }
    }
    out::line(search.result(loader))?;
    Ok(if search.fits() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The loader whose batches grow.
fn loader<T: Build>(wanted: Option<&str>) -> Result<&'static str, String> {
    let names = T::loaders(Role::Train);
    let known = names.join("`, `");
    match (wanted, names) {
        (None, [one]) => Ok(one),
        (None, _) => Err(format!("the trainer has the train loaders `{known}`; choose one with `--loader`")),
        (Some(wanted), _) => names
            .iter()
            .find(|name| **name == wanted)
            .copied()
            .ok_or_else(|| format!("there is no train loader `{wanted}`; the trainer has `{known}`")),
    }
}

/// The batch size of the experiment.
fn first_size<T: Build>(args: &BatchFindArgs, loader: &str) -> Result<u64, Failure> {
    let loaded = Loaded::<T>::read(&args.experiment, Purpose::Run)?;
    if args.memory.is_none() && loaded.experiment.device.resolve() == Ok(Device::Cpu) {
        let text = "on the CPU a training takes all memory that there is; say how much it may take, `--memory 8GB`";
        return Err(Failure::Usage(text.to_owned()));
    }
    let root = loaded.experiment.to_node()?;
    let field =
        |node: &Node, key: &str| node.fields().iter().find(|field| field.key == key).map(|field| field.value.clone());
    let settings = field(&root, "loaders").and_then(|loaders| field(&loaders, loader));
    let batch = settings.and_then(|settings| match field(&settings, "batch_size")?.kind {
        Kind::Int(batch) => u64::try_from(batch).ok(),
        _ => None,
    });
    Ok(batch.ok_or_else(|| Error::msg(format!("the experiment says no `batch_size` of the loader `{loader}`")))?)
}

/// The work of a process of its own.
fn probe_one<T: Build>(args: &BatchFindArgs, loader: &str, size: u64) -> Result<ExitCode, Failure> {
    probe::follow_parent();
    let given = Given {
        option: "--probe",
        text: size.to_string(),
        path: format!("loaders.{loader}.batch_size"),
        value: Node::new(Kind::Int(size.into())),
    };
    let loaded = Loaded::<T>::read_with(&args.experiment, vec![given], Purpose::Run)?;
    match loaded.used_by(|experiment| run_batch_probe(experiment, loader, args.updates, args.memory))? {
        Ok(probe) => {
            out::line(serde_json::to_string(&probe).context("the result can't be printed")?)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(signal) => Ok(ExitCode::from(signal.exit_code())),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("8GB"), Ok(8_000_000_000));
        assert_eq!(size("1.5GiB"), Ok(1_610_612_736));
        assert_eq!(size("500 MB"), Ok(500_000_000));
        for wrong in ["", "8", "GB", "-1GB", "NaNGB", "infGB", "1e30GB", "0kB", "8gb"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}

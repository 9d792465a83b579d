//! `batch-find`: whether some updates of one batch size fit into memory, and how fast they are.

use crate::base::{Error, ErrorContext as _, Result};
use crate::data::Source;
use crate::loops::{End, Role};
use crate::phase::Phase;
use crate::run::Signal;
use crate::trainer::run::bare::{build_bare, train_bare, watch};
use crate::trainer::{Build, BuildErrors, Experiment};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;
use tch::{Cuda, Device};

/// What some updates have taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchProbe {
    /// The samples of the loader, where it has an end: no batch can have more.
    pub samples: Option<u64>,
    /// Samples in a second, without those of the first update.
    pub samples_per_second: f64,
    /// The most bytes of the host's memory that the process has had, where the system tells.
    pub peak: Option<u64>,
}

/// Makes so many updates and measures all but the first, which takes longer: memory is taken, and kernels are chosen. On the
/// CPU the process has at most `memory` bytes from then on, and libtorch fails where a tensor takes more. No file is written,
/// and nothing is validated. `loader` is the train loader whose samples are told. `Err` within: a signal has ended it.
///
/// # Errors
/// When `memory` is missing on the CPU, given on another device, or less than the program takes before its first update; what
/// goes wrong while building and training, a lack of memory too.
pub fn run_batch_probe<T: Build>(
    experiment: Experiment<T>,
    loader: &str,
    updates: u64,
    memory: Option<u64>,
) -> Result<Result<BatchProbe, Signal>> {
    let (mut program, _) = build_bare(experiment, "batch-find", updates.max(2))?;
    let device = program.run.device;
    match (device, memory) {
        (Device::Cpu, Some(memory)) => limit_memory(memory)?,
        (Device::Cpu, None) => {
            let why = "on the CPU a training takes all memory that there is; say how much it may take, `--memory 8GB`";
            return Err(BuildErrors::at("device", why));
        }
        (_, Some(_)) => {
            return Err(BuildErrors::at("device", "`--memory` limits the CPU; other devices have limits of their own"));
        }
        (_, None) => {}
    }
    let place = T::loaders(Role::Train).iter().position(|name| *name == loader);
    let samples = place.and_then(|place| samples_of(program.trainer.train_loader(place)?));
    let taken = Rc::new(RefCell::new(Taken::default()));
    let notes = Rc::clone(&taken);
    watch(&mut program, &[Phase::AfterTrainBatch, Phase::AfterTrainIter], move |phase, cx| {
        let mut taken = notes.borrow_mut();
        match phase {
            Phase::AfterTrainBatch => taken.samples += cx.batch_size() as u64,
            _ => taken.note_update(device),
        }
        Ok(())
    });
    if let End::Signal(signal) = train_bare(&mut program, |_| false)? {
        return Ok(Err(signal));
    }
    let samples_per_second = taken.borrow().rate();
    Ok(Ok(BatchProbe { samples, samples_per_second, peak: status("VmHWM") }))
}

/// The samples in a pass, with those that fill no batch where the loader tells them.
fn samples_of(loader: &dyn Source) -> Option<u64> {
    if let Some(samples) = loader.samples() {
        return Some(samples);
    }
    let before = loader.batches()?.checked_sub(1)?.checked_mul(loader.batch_samples()?)?;
    before.checked_add(loader.tail()?)
}

/// The samples and the time since the end of the first update.
#[derive(Default)]
struct Taken {
    begun: Option<Instant>,
    samples: u64,
    seconds: f64,
}

impl Taken {
    fn note_update(&mut self, device: Device) {
        if let Device::Cuda(index) = device {
            // what it has been told to compute it may not have computed yet
            Cuda::synchronize(index as i64);
        }
        match self.begun {
            None => (self.begun, self.samples) = (Some(Instant::now()), 0),
            Some(begun) => self.seconds = begun.elapsed().as_secs_f64(),
        }
    }

    fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.samples as f64 / self.seconds } else { 0.0 }
    }
}

/// Limits the memory of the process. What it has now counts as resident, because much of what a program maps it never
/// touches; what it takes from now on counts when it is mapped, because that is what the system can refuse.
fn limit_memory(most: u64) -> Result<()> {
    let (Some(resident), Some(data)) = (status("VmRSS"), status("VmData")) else {
        return Err(Error::msg(
            "the memory of a process can be limited on Linux alone: `/proc/self/status` tells nothing",
        ));
    };
    let Some(left) = most.checked_sub(resident).filter(|left| *left > 0) else {
        return Err(Error::msg(format!(
            "the program takes {} MB before its first update, and may take {} MB; allow more with `--memory`",
            resident / 1_000_000,
            most / 1_000_000
        )));
    };
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Data).maximum;
        let current = Some(data.saturating_add(left));
        setrlimit(Resource::Data, Rlimit { current, maximum }).context("the memory of the process can't be limited")?;
    }
    let _ = (left, data);
    Ok(())
}

/// A number of bytes in `/proc/self/status`.
fn status(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

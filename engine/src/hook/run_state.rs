//! What a run owns: everything that hooks and steps can touch, apart from the trainer's own fields.

use crate::base::libtorch::is_out_of_memory;
use crate::base::{Clock, Error, Iter, Output, Result};
use crate::folder::RunFolder;
use crate::hook::clocks::Clocks;
use crate::hook::flow::{Exception, Flow};
use crate::metric::Measure;
use crate::model::Models;
use crate::optim::{Optim, Schedules};
use crate::phase::Phase;
use crate::record::Sink as _;
use crate::record::{Record, Sinks};
use std::io::Write as _;
use std::time::Instant;
use tch::Device;

/// Of how many iters a row shows the mean at most; the memory of a run whose logger is off.
const RECORD_WINDOW: usize = 1000;

/// The run's property. Who builds a program fills the public fields; loops lend the whole to hooks and steps as a
/// [`crate::hook::Context`].
pub struct RunState {
    pub(crate) phase: Phase,
    pub(crate) clocks: Clocks,
    pub(crate) device: Device,
    pub(crate) seed: u64,
    pub(crate) training: bool,
    /// The models, by the name of their field.
    pub models: Models,
    /// The optimizers, in field order.
    pub optimizers: Vec<Optim>,
    /// What changes with the clock.
    pub schedules: Schedules,
    pub(crate) output: Option<Output>,
    pub(crate) batch_size: usize,
    pub(crate) loader: &'static str,
    /// Whether the loader is a further one of its role, so that its metrics are named after it.
    pub(crate) further_loader: bool,
    /// The finished batches of the loader that is being evaluated; none while none is.
    pub(crate) evaluated: Option<u64>,
    pub(crate) record: Record,
    /// Where rows and lines go.
    pub sinks: Sinks,
    pub(crate) started: Instant,
    /// Seconds of the runs that this one continues.
    pub(crate) time_before: f64,
    /// The metrics of evaluations.
    pub results: Results,
    /// Where checkpoints go; without one, none is written.
    pub folder: Option<RunFolder>,
    pub(crate) flow: Flow,
    pub(crate) exception: Option<Exception>,
    /// The iter of the newest checkpoint, while that holds everything.
    pub(crate) saved_at: Option<Iter>,
}

/// The metrics of evaluations: what will be measured, and what was measured last.
#[derive(Debug, Default)]
pub struct Results {
    /// What each evaluation measures, under its monitored name (`val/accuracy`), known before anything runs.
    pub measures: Vec<Measure>,
    /// The values of the loader that was evaluated last, under plain names.
    pub(crate) current: Vec<(String, f64)>,
    /// The latest value under each monitored name.
    pub(crate) latest: std::collections::BTreeMap<String, f64>,
}

impl RunState {
    /// A run at its start, without models.
    pub fn new(clock: Clock, device: Device, seed: u64) -> Self {
        RunState {
            phase: Phase::BeforeRun,
            clocks: Clocks::new(clock),
            device,
            seed,
            training: false,
            models: Models::default(),
            optimizers: Vec::new(),
            schedules: Schedules::default(),
            output: None,
            batch_size: 0,
            loader: "",
            further_loader: false,
            evaluated: None,
            record: Record::new(RECORD_WINDOW),
            sinks: Sinks::new(),
            started: Instant::now(),
            time_before: 0.0,
            results: Results::default(),
            folder: None,
            flow: Flow::default(),
            exception: None,
            saved_at: None,
        }
    }

    /// Where the run is, and how far it goes.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// What has been recorded.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The latest value of a metric under its monitored name, `val/accuracy`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.results.latest.get(name).copied()
    }

    /// Says at which batch a step has failed. As everywhere, what is counted is what was finished before.
    #[cold]
    pub(crate) fn step_failed(&self, step: &str) -> String {
        let clocks = &self.clocks;
        let batch = match self.evaluated {
            None => format!("batch {}", clocks.batch.get()),
            Some(batch) => format!("batch {batch} of `{}`", self.loader),
        };
        let epoch = match clocks.clock {
            Clock::Epoch => format!(" (epoch {})", clocks.epoch.get()),
            Clock::Iter => String::new(),
        };
        format!("{step} failed at iter {}, {batch}{epoch}", clocks.iter.get())
    }

    /// Says what has filled the memory, when that is what an error is about.
    #[cold]
    pub(crate) fn told_of_memory(&self, error: Error) -> Error {
        if !error.chain().iter().any(|text| is_out_of_memory(text)) {
            return error;
        }
        let device = match self.device {
            Device::Cuda(index) => format!("cuda:{index}"),
            _ => "the host".to_owned(),
        };
        let models = self.models.iter();
        let models: Vec<String> =
            models.map(|model| format!("`{}` of {} parameters", model.name(), model.parameter_count())).collect();
        let (phase, clocks, batch) = (self.phase.name(), &self.clocks, self.batch_size);
        error.context(format!(
            "{device} is out of memory in iter {}, after the phase `{phase}`, with a batch of {batch} samples and {}; a smaller `batch_size` takes less, and `train.accumulate` makes the same update of several",
            clocks.iter.get() + 1,
            models.join(", "),
        ))
    }

    /// Seconds since the run's start, those before a resume included.
    pub(crate) fn elapsed(&self) -> f64 {
        self.time_before + self.started.elapsed().as_secs_f64()
    }

    /// A line for a person, to every sink.
    pub(crate) fn say(&mut self, text: &str) -> Result<()> {
        self.sinks.line(text)
    }

    /// A line about something that failed while the run was ending: it must not hide what ended it.
    #[cold]
    pub(crate) fn tell(&mut self, text: &str) {
        if let Err(error) = self.say(text) {
            // the one place that is left, if it is
            let _ = writeln!(std::io::stderr(), "{text}\n{error:#}");
        }
    }
}

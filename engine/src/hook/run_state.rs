//! What a run owns: everything that hooks and steps can touch, apart from the trainer's own fields.

use crate::base::{Clock, ErrorContext as _, Iter, Output, Result, Scalar};
use crate::folder::RunFolder;
use crate::hook::clocks::Clocks;
use crate::hook::flow::{Exception, Flow};
use crate::metric::Measure;
use crate::model::Models;
use crate::optim::{Optim, Schedules};
use crate::phase::Phase;
use crate::record::{Event, Moment, Record, RowPhase, Sinks, Value, ValueKind};
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
    /// Whether its role has several loaders, so that what is recorded of this one is named after it.
    pub(crate) named_loader: bool,
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
            named_loader: false,
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

    /// Seconds since the run's start, those before a resume included.
    pub(crate) fn elapsed(&self) -> f64 {
        self.time_before + self.started.elapsed().as_secs_f64()
    }

    /// Now, for what is recorded.
    pub(crate) fn moment(&self) -> Moment {
        Moment { epoch: self.clocks.epoch.get(), iter: self.clocks.iter.get(), time: self.elapsed() }
    }

    /// The name of the loader in what is recorded: only where its role has several, and while it is read.
    pub(crate) fn recorded_loader(&self) -> Option<&'static str> {
        (self.named_loader && self.evaluated.is_some()).then_some(self.loader)
    }

    /// Records a number for the next row of the phase; in an evaluation it counts by the samples of its batch.
    pub(crate) fn log(&mut self, name: &str, value: Scalar) {
        let weight = match self.evaluated {
            Some(_) => self.batch_size.max(1) as f64,
            None => 1.0,
        };
        self.record.log(RowPhase::of(self.phase), name, value, weight);
    }

    /// Hands a value to the sinks, now. It is made, and what it is made of read from the device, only when one of them
    /// takes it; that none does is told once.
    pub(crate) fn emit(
        &mut self,
        name: &str,
        kind: ValueKind,
        make: impl FnOnce(&mut Record) -> Result<Value>,
    ) -> Result<()> {
        let (phase, loader) = (RowPhase::of(self.phase), self.recorded_loader().map(str::to_owned));
        if !self.sinks.takes(kind) {
            return match self.sinks.is_first_untaken(kind) {
                true => self.say(&format!(
                    "{kind} are recorded nowhere, as `{}`: no sink takes them; `sinks: [TensorBoard()]` in the experiment adds one that does",
                    phase.key(loader.as_deref(), name)
                )),
                false => Ok(()),
            };
        }
        let value = make(&mut self.record).with_context(|| format!("`{name}` can't be recorded"))?;
        let event = Event { phase, loader, at: self.moment(), name: name.to_owned(), value };
        self.sinks.event(&event)
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

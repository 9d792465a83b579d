//! What a run records and shows: numbers, lines, metrics, time.

use crate::base::{Result, Scalar};
use crate::metric::{Measure, Metric};
use crate::record::{Record, RowPhase, Sinks};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Instant;

/// Of how many iters a row shows the mean at most. It bounds the memory of a run whose logger is off.
const RECORD_WINDOW: usize = 1000;

/// What the run records and shows.
pub struct Seen {
    pub(crate) record: Record,
    /// Where rows and lines go.
    pub sinks: Sinks,
    /// The metrics of evaluations.
    pub results: Results,
    /// The name that is logged now, with that of its pass before it: kept, so that logging allocates nothing.
    name: String,
    /// How often the record had read a device at the last safe point.
    pub(crate) reads_seen: u64,
    started: Instant,
    /// Seconds of the runs that this one continues.
    time_before: f64,
}

/// The metrics of evaluations: the declared ones, and their last values.
#[derive(Default)]
pub struct Results {
    /// The values that evaluations measure, with their monitored names (`val/accuracy`); known before anything runs.
    pub measures: Vec<Measure>,
    /// For each of them, the metric with its settings that measures it, and which direction is better.
    pub measured_by: BTreeMap<String, String>,
    /// The metrics that only the file names; those of fields belong to the trainer.
    pub file_metrics: Vec<Box<dyn Metric>>,
    /// The values of the loader that was evaluated last, under plain names.
    pub(crate) current: Vec<(String, f64)>,
    /// The latest value under each monitored name.
    pub(crate) latest: BTreeMap<String, f64>,
    /// The monitored names that the evaluation under way has given a value, or the last one.
    pub(crate) produced: BTreeSet<String>,
}

impl Seen {
    /// Nothing yet; the time runs from now on.
    pub(crate) fn new() -> Self {
        Seen {
            record: Record::new(RECORD_WINDOW),
            sinks: Sinks::new(),
            results: Results::default(),
            name: String::new(),
            reads_seen: 0,
            started: Instant::now(),
            time_before: 0.0,
        }
    }

    /// Records a number, under `prefix/name` where there is a prefix.
    pub(crate) fn log(&mut self, phase: RowPhase, prefix: Option<&str>, name: &str, value: Scalar, weight: f64) {
        let Seen { record, name: joined, .. } = self;
        record.log(phase, join(joined, prefix, name), value, weight);
    }

    /// As [`Seen::log`], for numbers of which a row shows the last and not the mean.
    pub(crate) fn log_last(&mut self, phase: RowPhase, prefix: Option<&str>, name: &str, value: Scalar) {
        let Seen { record, name: joined, .. } = self;
        record.log_last(phase, join(joined, prefix, name), value);
    }

    /// Seconds since the run's start, those before a resume included.
    pub(crate) fn elapsed(&self) -> f64 {
        self.time_before + self.started.elapsed().as_secs_f64()
    }

    /// Goes on from the time that a checkpoint tells.
    pub(crate) fn continue_time(&mut self, time_before: f64) {
        self.time_before = time_before;
    }

    /// A line for a person, to every sink.
    pub(crate) fn say(&mut self, text: &str) -> Result<()> {
        self.sinks.line(text)
    }

    /// A line about something that failed while the run was ending: it must not hide what ended it.
    #[cold]
    pub(crate) fn tell(&mut self, text: &str) {
        if let Err(error) = self.say(text) {
            // the sinks are what fails: stderr is the last place to say so, and may fail too
            let _ = writeln!(std::io::stderr(), "{text}\n{error:#}");
        }
    }
}

/// `prefix/name` in a text that is used again and again.
fn join<'a>(joined: &'a mut String, prefix: Option<&str>, name: &'a str) -> &'a str {
    let Some(prefix) = prefix else { return name };
    joined.clear();
    joined.extend([prefix, "/", name]);
    joined
}

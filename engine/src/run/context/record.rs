//! What is seen of a run: recorded numbers, rows, lines, metrics.

use crate::base::Scalar;
use crate::base::error::{Error, Result};
use crate::base::suggest::meant;
use crate::metric::{Better, Measure};
use crate::record::{Progress, Record, Row, Sink as _};
use crate::run::Context;

/// What is seen of it.
impl Context<'_> {
    /// Records a number under a name. A tensor is not read from the device until a log line needs it; numbers that
    /// come every iter are averaged over the line's window. In the updates of a trainer with `#[passes]` the name of the
    /// pass comes first: `critic/loss`.
    pub fn log(&mut self, name: &str, value: impl Into<Scalar>) {
        self.run.log(name, value.into());
    }

    /// As [`Context::log`], for numbers of which a line shows the last and not the mean.
    pub fn log_last(&mut self, name: &str, value: impl Into<Scalar>) {
        self.run.log_last(name, value.into());
    }

    /// What has been recorded.
    pub fn record(&self) -> &Record {
        &self.run.seen.record
    }

    /// What has been recorded, to read a window of it or to write rows.
    pub(crate) fn record_mut(&mut self) -> &mut Record {
        &mut self.run.seen.record
    }

    /// A line for the console and `log.txt`.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn say(&mut self, text: &str) -> Result<()> {
        self.run.say(text)
    }

    /// Writes a row to every sink.
    ///
    /// # Errors
    /// When a sink can't write.
    pub fn write_row(&mut self, row: &Row) -> Result<()> {
        self.run.seen.record.publish(row);
        self.run.seen.sinks.row(row)
    }

    /// How far a loop is, for sinks that show it.
    pub fn show_progress(&mut self, progress: Progress) {
        self.run.seen.sinks.progress(progress);
    }

    /// Seconds since the run's start, those before a resume included.
    pub fn elapsed(&self) -> f64 {
        self.run.seen.elapsed()
    }

    /// The latest value of a metric under its monitored name, `val/accuracy`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.run.seen.results.latest.get(name).copied()
    }

    /// The metrics of the loader that was evaluated last, under plain names.
    pub fn metrics(&self) -> &[(String, f64)] {
        &self.run.seen.results.current
    }

    /// What every val and test loader measures, under monitored names.
    pub(crate) fn measures(&self) -> &[Measure] {
        &self.run.seen.results.measures
    }

    /// Which direction of a monitored metric is better, by the metric's own declaration.
    ///
    /// # Errors
    /// When nothing produces a metric of this name; the message lists those that are.
    pub fn better(&self, name: &str) -> Result<Better> {
        let measures = &self.run.seen.results.measures;
        measures.iter().find(|measure| measure.name == name).map(|measure| measure.better).ok_or_else(|| {
            let known: Vec<&str> = measures.iter().map(|measure| measure.name.as_str()).collect();
            Error::msg(match known.is_empty() {
                true => format!("nothing produces `{name}`: there is no metric with a val or test loader"),
                false => format!("nothing produces `{name}`{}", meant(name, &known)),
            })
        })
    }
}

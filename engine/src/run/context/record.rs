//! What is seen of a run: recorded numbers, rows, lines, metrics.

use crate::base::Scalar;
use crate::base::error::{Error, Result};
use crate::base::suggest::meant;
use crate::metric::{Better, Measure};
use crate::record::{Figure, Histogram, Image, Moment, Progress, Record, Row, Table, Value, ValueKind};
use crate::run::Context;
use tch::Tensor;

/// What is seen of it.
impl Context<'_> {
    /// Records a number under a name, for the next row of the phase: `train/NAME`, `val/NAME` or `test/NAME`, by where
    /// it is called. A tensor of one element is not read from the device until that row is written.
    ///
    /// A row of training shows the mean of what was logged since the last row, a row of an evaluation the mean over all
    /// batches of the loader. In a mean each value counts by the weight of its batch
    /// ([`Batch::weight`](crate::data::Batch::weight)); one that is logged where no batch is in work, as in
    /// `after_train_iter`, counts 1. In a prediction nothing is recorded. In the updates of a trainer with `#[passes]` the
    /// name of the pass comes first: `train/critic/loss`.
    ///
    /// ```
    /// # use engine::prelude::*;
    /// # fn step(logits: &Tensor, cx: &mut Context<'_>) {
    /// cx.log("confidence", logits.softmax(-1, Kind::Float).amax([-1i64], false).mean(Kind::Float));
    /// cx.log("temperature", 0.7);
    /// # }
    /// ```
    pub fn log(&mut self, name: &str, value: impl Into<Scalar>) {
        self.run.log(name, value.into());
    }

    /// As [`Context::log`], for numbers of which a row shows the last and not the mean.
    ///
    /// ```
    /// # use engine::prelude::*;
    /// # fn hook(queue_length: usize, cx: &mut Context<'_>) {
    /// cx.log_last("queue", queue_length as f64);
    /// # }
    /// ```
    pub fn log_last(&mut self, name: &str, value: impl Into<Scalar>) {
        self.run.log_last(name, value.into());
    }

    /// Records a picture, now: a tensor `[h, w]`, `[c, h, w]`, or `[n, c, h, w]`, which becomes a grid. `Uint8`, `Bool`,
    /// or floats from 0 to 1; see [`Image::from_tensor`].
    ///
    /// It costs one wait for the device and one copy of its bytes, and what the sinks make of it (TensorBoard compresses
    /// it, some milliseconds for 256 × 256). When no sink takes images it costs nothing; that is told once.
    ///
    /// # Errors
    /// When the tensor is no picture, or a sink fails that is required.
    ///
    /// ```
    /// # use engine::prelude::*;
    /// # struct Digits;
    /// # impl Digits {
    /// fn after_val_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
    ///     let Some(pictures) = cx.output()?.get("pictures").map(Tensor::shallow_clone) else { return Ok(()) };
    ///     cx.log_image("first", &pictures.narrow(0, 0, 16.min(pictures.size()[0])))
    /// }
    /// # }
    /// ```
    pub fn log_image(&mut self, name: &str, image: &Tensor) -> Result<()> {
        self.run.emit(name, ValueKind::Image, |record| {
            record.count_read();
            Ok(Value::Image(Image::from_tensor(image)?))
        })
    }

    /// Records how the elements of a tensor are distributed, now: of any shape, in TensorBoard's buckets; see
    /// [`Histogram::from_tensor`].
    ///
    /// It is counted on the device and costs one wait for it. When no sink takes histograms it costs nothing; that is told
    /// once.
    ///
    /// # Errors
    /// When the elements are complex numbers, or a sink fails that is required.
    ///
    /// ```
    /// # use engine::prelude::*;
    /// # struct Weights;
    /// # impl Weights {
    /// fn after_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
    ///     let bias = cx.model("net")?.variables().iter().find(|(name, _)| name == "out.bias");
    ///     let Some(bias) = bias.map(|(_, tensor)| tensor.shallow_clone()) else { return Ok(()) };
    ///     cx.log_histogram("out.bias", &bias)
    /// }
    /// # }
    /// ```
    pub fn log_histogram(&mut self, name: &str, values: &Tensor) -> Result<()> {
        self.run.emit(name, ValueKind::Histogram, |record| {
            record.count_read();
            Ok(Value::Histogram(Histogram::from_tensor(values)?))
        })
    }

    /// Records a text, now. `log.txt` has it too; [`Context::say`] is for messages.
    ///
    /// # Errors
    /// When a sink fails that is required.
    ///
    /// ```
    /// # use engine::prelude::*;
    /// # fn hook(sample: &str, cx: &mut Context<'_>) -> Result<()> {
    /// cx.log_text("sample", sample)
    /// # }
    /// ```
    pub fn log_text(&mut self, name: &str, text: impl Into<String>) -> Result<()> {
        self.run.emit(name, ValueKind::Text, |_| Ok(Value::Text(text.into())))
    }

    /// Records a plot or drawing, now: pixels, or the SVG document of a plotting library.
    ///
    /// # Errors
    /// When a sink fails that is required.
    ///
    /// ```
    /// # use engine::prelude::*;
    /// # fn hook(cx: &mut Context<'_>) -> Result<()> {
    /// use engine::record::{Figure, Image};
    ///
    /// let red = Image::new(2, 1, 3, vec![255, 0, 0, 128, 0, 0])?;
    /// cx.log_figure("colours", red)?;
    /// cx.log_figure("line", Figure::Svg("<svg xmlns='http://www.w3.org/2000/svg'>…</svg>".to_owned()))
    /// # }
    /// ```
    pub fn log_figure(&mut self, name: &str, figure: impl Into<Figure>) -> Result<()> {
        let figure = figure.into();
        self.run.emit(name, figure.kind(), |_| Ok(Value::Figure(figure)))
    }

    /// Records a table, now. `log.txt` has it too.
    ///
    /// # Errors
    /// When a sink fails that is required.
    ///
    /// ```
    /// # use engine::prelude::*;
    /// # fn hook(cx: &mut Context<'_>) -> Result<()> {
    /// use engine::record::Table;
    ///
    /// let table = Table::new(["digit", "right"]).row(["0".into(), 0.99.into()]).row(["8".into(), 0.87.into()]);
    /// cx.log_table("by_digit", table)
    /// # }
    /// ```
    pub fn log_table(&mut self, name: &str, table: Table) -> Result<()> {
        self.run.emit(name, ValueKind::Table, |_| Ok(Value::Table(table)))
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

    /// The loader's name in rows: only where its role has several, and while it is evaluated.
    pub(crate) fn recorded_loader(&self) -> Option<String> {
        self.run.current.recorded_loader().map(str::to_owned)
    }

    /// Now, for what is recorded.
    pub(crate) fn moment(&self) -> Moment {
        self.run.moment()
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
    ///
    /// # Errors
    /// When a sink panics that is required.
    pub fn show_progress(&mut self, progress: Progress) -> Result<()> {
        self.run.seen.sinks.progress(progress)
    }

    /// Seconds since the run's start, those before a resume included.
    pub fn elapsed(&self) -> f64 {
        self.run.seen.elapsed()
    }

    /// The value that the evaluation under way, or the one that has just ended, has given a metric under its monitored
    /// name, `val/accuracy`. `None` when it gave none, as with a metric that is measured only sometimes: a hook that waits
    /// for a better value then has no new one to judge. [`Context::metric`] tells the value of an earlier evaluation too.
    ///
    /// ```
    /// # use engine::prelude::*;
    /// # struct Best { best: f64 }
    /// # impl Best {
    /// fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
    ///     if let Some(value) = cx.new_metric("val/accuracy") {
    ///         self.best = self.best.max(value);
    ///     }
    ///     Ok(())
    /// }
    /// # }
    /// ```
    pub fn new_metric(&self, name: &str) -> Option<f64> {
        let results = &self.run.seen.results;
        results.latest.get(name).copied().filter(|_| results.produced.contains(name))
    }

    /// The latest value of a metric under its monitored name, `val/accuracy`, whichever evaluation has given it.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.run.seen.results.latest.get(name).copied()
    }

    /// The metrics of the loader that was evaluated last, under plain names.
    pub fn metrics(&self) -> &[(String, f64)] {
        &self.run.seen.results.current
    }

    /// What gives a metric under its monitored name its values, as a text to be compared with that of an earlier process:
    /// the metric with its settings, and which direction is better. Empty where nobody has said.
    pub(crate) fn measured_by(&self, name: &str) -> &str {
        self.run.seen.results.measured_by.get(name).map_or("", String::as_str)
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

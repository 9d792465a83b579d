//! What a run records and shows: numbers, rows, lines, metrics.

use crate::base::Scalar;
use crate::base::error::{Error, Result};
use crate::base::suggest::meant;
use crate::metric::{Better, Measure};
use crate::record::{Figure, Histogram, Image, Moment, Progress, Record, Row, Table, Value, ValueKind};
use crate::run::Context;
use tch::Tensor;

/// Recording, and what was recorded.
impl Context<'_> {
    /// Records a number under a name for the next row. The current phase decides whether it is `train/NAME`,
    /// `val/NAME` or `test/NAME`. A tensor of one element is read from the device only when that row is written. A row
    /// of training shows the mean of the values since the last row, a row of an evaluation the mean over all batches
    /// of the loader. In a mean each value counts by the weight of its batch
    /// ([`Batch::weight`](crate::data::Batch::weight)); a value that is logged outside of a batch, for example in
    /// `after_train_iter`, has the weight 1. In a prediction nothing is recorded. In the updates of a trainer with
    /// `#[passes]` the name of the pass comes first: `train/critic/loss`.
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

    /// Like [`Context::log`], but a row shows the last value instead of the mean.
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

    /// Records an image immediately: a tensor `[h, w]`, `[c, h, w]`, or `[n, c, h, w]`, which becomes a grid. `Uint8`,
    /// `Bool`, or floats from 0 to 1; see [`Image::from_tensor`].
    ///
    /// It costs one wait for the device, one copy of its bytes, and the work of the sinks (TensorBoard compresses the
    /// image, which takes some milliseconds for 256 × 256). When no sink accepts images it costs nothing, and a
    /// message says so once.
    ///
    /// # Errors
    /// When the tensor can't be shown as an image, or a required sink fails.
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

    /// Records a histogram of the elements of a tensor immediately. The tensor can have any shape; the buckets are
    /// those of TensorBoard, see [`Histogram::from_tensor`].
    ///
    /// The elements are counted on the device, which costs one wait for the device. When no sink accepts histograms it
    /// costs nothing, and a message says so once.
    ///
    /// # Errors
    /// When the elements are complex numbers, or a required sink fails.
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

    /// Records a text immediately, also in `log.txt`. For messages use [`Context::say`].
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

    /// Records a plot or drawing immediately: pixels, or the SVG document of a plotting library.
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

    /// Records a table immediately, also in `log.txt`.
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

    /// Reads numbers together: it waits once for each device, however many they are. `name` is for the message.
    ///
    /// ```
    /// # use engine::base::Scalar;
    /// # use engine::prelude::*;
    /// # struct Watch { losses: Vec<Scalar> }
    /// # impl Watch {
    /// fn after_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
    ///     let losses = cx.read_all("loss", &std::mem::take(&mut self.losses))?;
    ///     cx.say(&format!("the losses of this epoch: {losses:?}"))
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a tensor does not have exactly one element, or libtorch fails.
    pub fn read_all(&mut self, name: &str, numbers: &[Scalar]) -> Result<Vec<f64>> {
        Ok(self.run.seen.record.read_all(name, numbers)?)
    }

    /// What has been recorded.
    pub fn record(&self) -> &Record {
        &self.run.seen.record
    }

    /// Prints a line on the console and in `log.txt`.
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

    /// Reports the progress of a loop to sinks that show it.
    ///
    /// # Errors
    /// When a required sink panics.
    pub fn show_progress(&mut self, progress: Progress) -> Result<()> {
        self.run.seen.sinks.progress(progress)
    }

    /// Seconds since the start of the run, including the time before a resume.
    pub fn elapsed(&self) -> f64 {
        self.run.step.uses("elapsed");
        self.run.seen.elapsed()
    }

    /// The value of a metric (`val/accuracy`) from the current evaluation, or from the one that has just ended. `None`
    /// when this evaluation did not measure it, for example a metric that is measured only sometimes; then a hook has
    /// no new value to compare. [`Context::metric`] also returns the value of an earlier evaluation.
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
        self.run.step.uses("new_metric");
        let results = &self.run.seen.results;
        results.latest.get(name).copied().filter(|_| results.produced.contains(name))
    }

    /// The latest value of a metric (`val/accuracy`), also when it is from an earlier evaluation.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.run.step.uses("metric");
        self.run.seen.results.latest.get(name).copied()
    }

    /// The metrics of the loader that was evaluated last, with names without a prefix: `accuracy`.
    pub fn metrics(&self) -> &[(String, f64)] {
        self.run.step.uses("metrics");
        &self.run.seen.results.current
    }

    /// What gives a metric under its monitored name its values, as a text to be compared with that of an earlier process:
    /// the metric with its settings, and which direction is better. Empty where nobody has said.
    pub(crate) fn measured_by(&self, name: &str) -> &str {
        self.run.seen.results.measured_by.get(name).map_or("", String::as_str)
    }

    /// The values that all val and test loaders measure, with their monitored names: `val/accuracy`.
    pub(crate) fn measures(&self) -> &[Measure] {
        &self.run.seen.results.measures
    }

    /// Whether higher or lower is better for a monitored metric, as the metric declares it.
    ///
    /// # Errors
    /// When nothing produces a metric of this name; the message lists the existing ones.
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

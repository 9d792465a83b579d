//! The one thing a hook and a step see of a run.

use crate::base::error::{Error, Result};
use crate::base::suggest::meant;
use crate::base::{Epoch, Iter, Output, Scalar};
use crate::folder::RunFolder;
use crate::hook::clocks::Clocks;
use crate::hook::flow::{Exception, Save, Stop};
use crate::hook::run_state::RunState;
use crate::metric::{Better, Measure};
use crate::model::{ModelEntry, Models};
use crate::optim::{Optim, Schedules};
use crate::phase::Phase;
use crate::random::{Stream, tag_of};
use crate::record::{Figure, Histogram, Image, Moment, Progress, Record, Row, RowPhase, Table, Value, ValueKind};
use tch::Device;

/// The run, as hooks and steps read and steer it.
///
/// One type for every phase, so that a hook works in any trainer without knowing its type. What a phase can't
/// offer yet (the output before the forward pass) is an error that says when it can be had.
///
/// ```
/// use engine::prelude::*;
///
/// /// Stops when the gradient vanishes.
/// #[hook(priority = "LOW")]
/// pub struct Plateau {
///     /// Below this norm the training ends.
///     #[config(default = 1e-6, range = 0.0..)]
///     norm: f64,
/// }
///
/// #[phases]
/// impl Plateau {
///     fn before_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
///         if cx.iter().get() % 100 == 0 {
///             let norm = cx.optimizers_mut()[0].grad_norm()?;
///             if norm.read()? < self.norm {
///                 cx.stop("the gradient has vanished");
///             }
///         }
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
pub struct Context<'a> {
    run: &'a mut RunState,
}

/// Where the run is.
impl<'a> Context<'a> {
    /// A context over a run; loops make one for each call, and tests of hooks can.
    pub fn new(run: &'a mut RunState) -> Self {
        Context { run }
    }

    /// The phase that is running; in a step, the one before it.
    pub fn phase(&self) -> Phase {
        self.run.phase
    }

    /// All clocks: finished and planned epochs, iters, batches.
    pub fn clocks(&self) -> &Clocks {
        &self.run.clocks
    }

    /// Finished epochs.
    pub fn epoch(&self) -> Epoch {
        self.run.clocks.epoch()
    }

    /// Finished updates.
    pub fn iter(&self) -> Iter {
        self.run.clocks.iter()
    }

    /// Whether dropout and batch norm should work as in training: pass it to `forward_t`.
    pub fn is_training(&self) -> bool {
        self.run.training
    }

    /// Where batches and models lie.
    pub fn device(&self) -> Device {
        self.run.device
    }

    /// The loader that the current batch is from: its field's name.
    pub fn loader(&self) -> &'static str {
        self.run.loader
    }

    /// The number of samples in the current batch; 0 before the first.
    pub fn batch_size(&self) -> usize {
        self.run.batch_size
    }

    /// Says at which batch a step has failed.
    #[cold]
    pub(crate) fn step_failed(&self, step: &str) -> String {
        self.run.step_failed(step)
    }

    pub(crate) fn set_batch_size(&mut self, size: usize) {
        self.run.batch_size = size;
    }

    /// The loader's name in rows: only where its role has several, and while it is read.
    pub(crate) fn recorded_loader(&self) -> Option<String> {
        self.run.recorded_loader().map(str::to_owned)
    }

    /// Now, for what is recorded.
    pub(crate) fn moment(&self) -> Moment {
        self.run.moment()
    }
}

/// What it works on.
impl Context<'_> {
    /// The models, by the name of their field.
    pub fn models(&self) -> &Models {
        &self.run.models
    }

    /// The models, to swap weights or set modes.
    pub fn models_mut(&mut self) -> &mut Models {
        &mut self.run.models
    }

    /// The model of a field.
    ///
    /// # Errors
    /// When no `#[model]` field has this name.
    pub fn model(&mut self, name: &str) -> Result<&mut ModelEntry> {
        Ok(self.run.models.get_mut(name)?)
    }

    /// The optimizers, in field order.
    pub fn optimizers(&self) -> &[Optim] {
        &self.run.optimizers
    }

    /// The optimizers, to read and set what their groups are set to.
    pub fn optimizers_mut(&mut self) -> &mut [Optim] {
        &mut self.run.optimizers
    }

    /// The optimizer of a field.
    ///
    /// # Errors
    /// When no `#[optimizer]` field has this name.
    pub fn optimizer(&mut self, name: &str) -> Result<&mut Optim> {
        match self.run.optimizers.iter().position(|optim| optim.name() == name) {
            Some(index) => Ok(&mut self.run.optimizers[index]),
            None => {
                let known: Vec<&str> = self.run.optimizers.iter().map(Optim::name).collect();
                Err(Error::msg(format!("no optimizer is named `{name}`{}", meant(name, &known))))
            }
        }
    }

    /// The schedules of the experiment.
    pub fn schedules(&self) -> &Schedules {
        &self.run.schedules
    }

    /// Sets every scheduled setting to its value at the current clock.
    ///
    /// # Errors
    /// When a schedule gives a value that is not finite.
    pub(crate) fn apply_schedules(&mut self) -> Result<()> {
        let progress = self.run.clocks.progress();
        Ok(self.run.schedules.apply(&mut self.run.optimizers, &progress)?)
    }

    /// The output of the step: its loss, values and tensors. Nothing is read from the device.
    ///
    /// # Errors
    /// Outside `after_forward` to `after_train_iter`, `after_val_iter` and `after_test_iter`: a batch has no output
    /// before its forward pass.
    pub fn output(&self) -> Result<&Output> {
        let phase = self.run.phase;
        self.run.output.as_ref().ok_or_else(|| {
            Error::msg(match self.exception() {
                Some(_) => format!("there is no output in `{phase}`: the step has failed; look at `cx.exception()` first"),
                None => format!(
                    "there is no output in `{phase}`; take it in `after_forward` to `after_train_iter`, or in `after_val_iter` or `after_test_iter`"
                ),
            })
        })
    }

    /// A generator of random numbers for this purpose, the same in every run with this seed at this iter and batch, and
    /// another one for each batch of each loader.
    pub fn generator(&self, purpose: &'static str) -> Stream {
        let batch = match self.run.evaluated {
            None => self.run.clocks.batch.get(),
            Some(batch) => tag_of(self.run.loader).wrapping_add(batch),
        };
        Stream::new(self.run.seed, purpose, self.run.clocks.iter.get(), batch)
    }

    /// The experiment's seed.
    pub fn seed(&self) -> u64 {
        self.run.seed
    }

    /// The run's folder; `None` when only an evaluation runs.
    pub fn folder(&self) -> Option<&RunFolder> {
        self.run.folder.as_ref()
    }
}

/// What is seen of it.
impl Context<'_> {
    /// Records a number under a name, for the next row of the phase: `train/NAME`, `val/NAME` or `test/NAME`, by where
    /// it is called. A tensor of one element is not read from the device until that row is written.
    ///
    /// A row of training shows the mean of what was logged since the last row. A row of an evaluation shows the mean over
    /// all batches of the loader, in which each value counts by the samples of its batch. In a prediction nothing is
    /// recorded.
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
        let phase = RowPhase::of(self.run.phase);
        self.run.record.log_last(phase, name, value.into());
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
    ///     let variables = cx.model("net")?.variables().to_vec();
    ///     variables.iter().try_for_each(|(name, weight)| cx.log_histogram(name, weight))
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
        &self.run.record
    }

    /// What has been recorded, to read a window of it or to write rows.
    pub(crate) fn record_mut(&mut self) -> &mut Record {
        &mut self.run.record
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
        self.run.record.publish(row);
        self.run.sinks.row(row)
    }

    /// How far a loop is, for sinks that show it.
    ///
    /// # Errors
    /// When a sink panics that is required.
    pub fn show_progress(&mut self, progress: Progress) -> Result<()> {
        self.run.sinks.progress(progress)
    }

    /// Seconds since the run's start, those before a resume included.
    pub fn elapsed(&self) -> f64 {
        self.run.elapsed()
    }

    /// The latest value of a metric under its monitored name, `val/accuracy`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.run.results.latest.get(name).copied()
    }

    /// The metrics of the loader that was evaluated last, under plain names.
    pub fn metrics(&self) -> &[(String, f64)] {
        &self.run.results.current
    }

    /// What every val and test loader measures, under monitored names.
    pub(crate) fn measures(&self) -> &[Measure] {
        &self.run.results.measures
    }

    /// Which direction of a monitored metric is better, by the metric's own declaration.
    ///
    /// # Errors
    /// When nothing produces a metric of this name; the message lists those that are.
    pub fn better(&self, name: &str) -> Result<Better> {
        let measures = &self.run.results.measures;
        measures.iter().find(|measure| measure.name == name).map(|measure| measure.better).ok_or_else(|| {
            let known: Vec<&str> = measures.iter().map(|measure| measure.name.as_str()).collect();
            Error::msg(match known.is_empty() {
                true => format!("nothing produces `{name}`: there is no metric with a val or test loader"),
                false => format!("nothing produces `{name}`{}", meant(name, &known)),
            })
        })
    }
}

/// Requests: the loop answers them at the next safe point.
impl Context<'_> {
    /// Ends the training after this iter, or before the first one. The first reason is the one that is told.
    pub fn stop(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        self.run.flow.stop.get_or_insert(Stop::Requested { reason });
    }

    /// Why the training is ending, once it is.
    pub fn stopping(&self) -> Option<&Stop> {
        self.run.flow.stop.as_ref()
    }

    /// Runs the validation after this iter (asked for in `before_train`: of the weights as they are). Weights that
    /// were validated already are not validated again; without a val loader nothing happens.
    pub fn validate(&mut self) {
        self.run.flow.validate = true;
    }

    /// Writes a checkpoint after this iter, after the validation that is due then. It holds the whole run.
    pub fn save(&mut self, save: Save) {
        if !self.run.flow.saves.contains(&save) {
            self.run.flow.saves.push(save);
        }
    }

    /// Leaves out the coming update: the gradients are dropped, the iter counts, and [`Clocks::skipped_updates`] too.
    /// Called up to and in `before_optimizer_step` it is the update of this iter, later that of the next one.
    pub fn skip_update(&mut self, reason: impl Into<String>) {
        self.run.flow.skip_update = Some(reason.into());
    }

    /// Whether the update of this iter was left out, from `after_optimizer_step` on.
    pub fn is_update_skipped(&self) -> bool {
        self.run.flow.skipped
    }

    /// The iter of the newest checkpoint, while it holds everything that has happened.
    pub fn saved_at(&self) -> Option<Iter> {
        self.run.saved_at
    }

    /// A line about something that must not hide what is under way.
    pub(crate) fn tell(&mut self, text: &str) {
        self.run.tell(text);
    }

    /// The error or signal that is on its way out, in `on_exception` and the closing phases after it.
    pub fn exception(&self) -> Option<&Exception> {
        self.run.exception.as_ref()
    }
}

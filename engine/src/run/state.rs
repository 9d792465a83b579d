//! What a run owns: everything that hooks and steps can touch, apart from the trainer's own fields.

use crate::base::libtorch::is_out_of_memory;
use crate::base::{Clock, Error, ErrorContext as _, Result, Scalar};
use crate::dist::Process;
use crate::model::Models;
use crate::optim::{Pass, Updates};
use crate::record::{Event, Moment, Record, RowPhase, Value, ValueKind, check_name};
use crate::run::{
    Clocks, Current, Decision, Dumps, EvalWeights, Exception, Numerics, Requests, Rollbacks, Scheduled, Seen, Signals,
    StepState, StepWatch, Storage,
};
use std::collections::BTreeMap;
use tch::Device;

/// Everything that a run owns, in groups. The code that builds a program fills the public fields; the loops lend it to
/// hooks and steps as a [`Context`](crate::run::Context).
pub struct RunState {
    pub(crate) device: Device,
    pub(crate) seed: u64,
    /// Whether it is one of several processes that train together.
    pub process: Process,
    /// What runs now.
    pub(crate) current: Current,
    /// How far the run is, and how far it goes.
    pub(crate) clocks: Clocks,
    /// The models, by the name of their field.
    pub models: Models,
    /// Everything that updates do: optimizers, schedules, passes.
    pub updates: Updates,
    /// In which kinds of numbers and in which layouts it computes.
    pub numerics: Numerics,
    /// Which weights evaluations use.
    pub eval_weights: EvalWeights,
    /// What the current step takes and gives.
    pub(crate) step: StepState,
    /// What the run records and shows: numbers, lines, metrics, time.
    pub seen: Seen,
    /// The run on disk.
    pub storage: Storage,
    /// The settings of each hook and of the trainer, as one line of text under its path: `hooks.ema`,
    /// `custom_hooks.0`, `trainer`. A program that is built in code may leave it empty.
    pub settings: BTreeMap<String, String>,
    /// Settings of hooks, metrics and the trainer that schedules change.
    pub(crate) scheduled: Vec<Scheduled>,
    /// Signals to end the process.
    pub signals: Signals,
    /// What hooks and steps have asked of the loop.
    pub(crate) requests: Requests,
    /// Whether updates can be dumped.
    pub(crate) dumps: Dumps,
    /// Where the run went back to an earlier state.
    pub(crate) rollbacks: Rollbacks,
    /// What the loop has made of it.
    pub(crate) decision: Decision,
    /// The error or signal that is on its way out.
    pub(crate) exception: Option<Exception>,
}

impl RunState {
    /// A run at its start, without models.
    pub fn new(clock: Clock, device: Device, seed: u64) -> Self {
        RunState {
            device,
            seed,
            process: Process::Alone,
            current: Current::new(),
            clocks: Clocks::new(clock),
            models: Models::default(),
            updates: Updates::default(),
            numerics: Numerics::default(),
            eval_weights: EvalWeights::default(),
            step: StepState::default(),
            seen: Seen::new(),
            storage: Storage::default(),
            settings: BTreeMap::new(),
            scheduled: Vec::new(),
            signals: Signals::default(),
            requests: Requests::default(),
            dumps: Dumps::default(),
            rollbacks: Rollbacks::default(),
            decision: Decision::default(),
            exception: None,
        }
    }

    /// What the batch in work counts in the gradient of its update. In a group of ranks it may wait for the weights of the
    /// others.
    ///
    /// # Errors
    /// When a rank is gone.
    pub(crate) fn share_of_batch(&mut self) -> Result<f64> {
        let StepState { shares, batch_weight, whole_weight, .. } = &mut self.step;
        let (part, whole) = (*batch_weight, *whole_weight);
        let share = shares.of_one(&self.process, whole)?;
        Ok(match part == whole {
            true => share,
            // of a batch that counts for nothing each part does too
            false => share * if whole > 0.0 { part / whole } else { 0.0 },
        })
    }

    /// How far the run is, and how far it goes.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// What has been recorded.
    pub fn record(&self) -> &Record {
        &self.seen.record
    }

    /// The latest value of a metric by its monitored name, `val/accuracy`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.seen.results.latest.get(name).copied()
    }

    /// What the experiment says of the hook of this name; of several in `custom_hooks` all of it. The trainer answers for
    /// its steps and its own phases.
    pub(crate) fn settings_of(&self, name: &str) -> String {
        if let Some(settings) = self.settings.get(&format!("hooks.{name}")) {
            return settings.clone();
        }
        // `EarlyStopping(monitor: "val/loss")`
        let is_called =
            |settings: &str| settings.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('('));
        let custom =
            self.settings.iter().filter(|(path, settings)| path.starts_with("custom_hooks.") && is_called(settings));
        let custom: Vec<&str> = custom.map(|(_, settings)| settings.as_str()).collect();
        match custom.is_empty() {
            true => self.settings.get("trainer").cloned().unwrap_or_default(),
            false => custom.join(", "),
        }
    }

    /// Says at which batch a step has failed.
    #[cold]
    pub(crate) fn step_failed(&self, step: &str) -> String {
        self.current.step_failed(step, &self.clocks)
    }

    /// The pass whose update is under way.
    pub(crate) fn pass(&self) -> Option<&Pass> {
        self.current.pass.map(|place| &self.updates.passes()[place.pass])
    }

    /// Now, for what is recorded.
    pub(crate) fn moment(&self) -> Moment {
        Moment { epoch: self.clocks.epoch.get(), iter: self.clocks.iter.get(), time: self.seen.elapsed() }
    }

    /// Records a number for the next row of the phase; within a pass, under the pass's name: `critic/loss`. While a batch
    /// is in work it counts by the weight of that batch.
    pub(crate) fn log(&mut self, name: &str, value: Scalar) {
        if let Some(watch) = &mut self.step.watch
            && watch.log(true, name, &value)
        {
            return;
        }
        let weight = match self.current.is_batch_in_work() {
            true => self.step.batch_weight,
            false => 1.0,
        };
        let prefix = self.current.pass.and_then(|place| self.updates.passes()[place.pass].prefix());
        self.seen.log(RowPhase::of(self.current.phase), prefix, name, value, weight);
    }

    /// As [`RunState::log`], for numbers of which a row shows the last and not the mean.
    pub(crate) fn log_last(&mut self, name: &str, value: Scalar) {
        if let Some(watch) = &mut self.step.watch
            && watch.log(false, name, &value)
        {
            return;
        }
        let prefix = self.current.pass.and_then(|place| self.updates.passes()[place.pass].prefix());
        self.seen.log_last(RowPhase::of(self.current.phase), prefix, name, value);
    }

    /// Hands a value to the sinks, now. It is made, and what it is made of read from the device, only when one of them
    /// takes it; that none does is told once.
    pub(crate) fn emit(
        &mut self,
        name: &str,
        kind: ValueKind,
        make: impl FnOnce(&mut Record) -> Result<Value>,
    ) -> Result<()> {
        check_name(name)?;
        self.step.notice("it records something other than a number");
        if self.step.watch.as_ref().is_some_and(StepWatch::is_recording) {
            return Ok(());
        }
        let (phase, loader) = (RowPhase::of(self.current.phase), self.current.recorded_loader().map(str::to_owned));
        let name = match self.pass().and_then(Pass::prefix) {
            Some(pass) => format!("{pass}/{name}"),
            None => name.to_owned(),
        };
        if !self.seen.sinks.takes(kind) {
            return match self.seen.sinks.is_first_untaken(kind) {
                true => self.say(&format!(
                    "{kind} are not recorded (`{}`): no sink of this run accepts them; add one that does, such as `sinks: [TensorBoard()]`",
                    phase.key(loader.as_deref(), &name)
                )),
                false => Ok(()),
            };
        }
        let value = make(&mut self.seen.record).with_context(|| format!("`{name}` can't be recorded"))?;
        let event = Event { phase, loader, at: self.moment(), name, value };
        self.seen.sinks.event(&event)
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
        // none is in work while one is read
        let batch = match self.step.batch_size {
            0 => String::new(),
            samples => format!("a batch of {samples} samples and "),
        };
        error.context(format!(
            "{device} is out of memory in iter {}, after the phase `{}`, with {batch}{}; set a smaller `batch_size`, and a larger `train.accumulate` for the same update from several batches, or `step_processor: FitMemory()`",
            self.clocks.iter.get() + 1,
            self.current.phase.name(),
            models.join(", "),
        ))
    }

    /// A line for a person, to every sink.
    pub(crate) fn say(&mut self, text: &str) -> Result<()> {
        self.step.notice("it prints a line");
        self.seen.say(text)
    }

    /// A line about something that failed while the run was ending: it must not hide what ended it.
    #[cold]
    pub(crate) fn tell(&mut self, text: &str) {
        self.seen.tell(text);
    }
}

//! Val and test: the same loop with other phases, without gradients.

use crate::base::{Error, Output, Result};
use crate::data::{Batch as _, Cursor, checked_weight};
use crate::hook::EngineHooks;
use crate::loops::names::{monitored, monitored_name, produced_twice};
use crate::loops::program::Program;
use crate::loops::trainer::{Feed, Role, Trainer};
use crate::metric::Measure;
use crate::model::ModelEntry;
use crate::phase::{At, at};
use crate::random;
use crate::record::RowPhase;
use crate::run::Context;
use crate::run::Generators;

/// The values of an evaluation, under their monitored names.
pub type Report = Vec<(String, f64)>;

/// What differs between val and test.
trait Stage<T: Trainer> {
    const ROLE: Role;
    const PHASE: RowPhase;
    type Before: At;
    type BeforeEpoch: At;
    type BeforeIter: At;
    type AfterIter: At;
    type AfterEpoch: At;
    type After: At;
    fn step(trainer: &mut T, batch: &T::Batch, cx: &mut Context<'_>) -> Result<Output>;
}

struct Val;
impl<T: Trainer> Stage<T> for Val {
    const ROLE: Role = Role::Val;
    const PHASE: RowPhase = RowPhase::Val;
    type Before = at::BeforeVal;
    type BeforeEpoch = at::BeforeValEpoch;
    type BeforeIter = at::BeforeValIter;
    type AfterIter = at::AfterValIter;
    type AfterEpoch = at::AfterValEpoch;
    type After = at::AfterVal;
    fn step(trainer: &mut T, batch: &T::Batch, cx: &mut Context<'_>) -> Result<Output> {
        trainer.val_step(batch, cx)
    }
}

struct Test;
impl<T: Trainer> Stage<T> for Test {
    const ROLE: Role = Role::Test;
    const PHASE: RowPhase = RowPhase::Test;
    type Before = at::BeforeTest;
    type BeforeEpoch = at::BeforeTestEpoch;
    type BeforeIter = at::BeforeTestIter;
    type AfterIter = at::AfterTestIter;
    type AfterEpoch = at::AfterTestEpoch;
    type After = at::AfterTest;
    fn step(trainer: &mut T, batch: &T::Batch, cx: &mut Context<'_>) -> Result<Output> {
        trainer.test_step(batch, cx)
    }
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Validates with every val loader; what was measured, in the order of loaders and metrics. A signal ends it
    /// before its end, and the loader under way has no values then; a resumed run does the whole of it again, so
    /// its rows go on where they were before. (What hooks have changed by then stays changed.)
    ///
    /// What it draws from libtorch's generators is a function of (seed, iter, loader), and moves no draw of the training.
    ///
    /// # Errors
    /// The first error of a step, a hook, a metric or a loader.
    pub fn val(&mut self) -> Result<Report> {
        let sinks = self.run.seen.sinks.states();
        let (report, complete) = self.evaluate::<Val>()?;
        self.run.models.check_own_weights()?;
        if complete {
            self.run.clocks.last_val = Some(self.run.clocks.iter);
            // asked for by what the validation has called: these weights are done
            self.run.requests.validate = false;
            self.run.decision.validate = false;
            // what hooks make of the new values is in no checkpoint yet
            self.run.storage.saved_at = None;
        } else {
            self.run.storage.sinks_before_val = Some(sinks);
        }
        Ok(report)
    }

    /// Tests with every test loader; otherwise as [`Program::val`].
    ///
    /// # Errors
    /// The first error of a step, a hook, a metric or a loader.
    pub fn test(&mut self) -> Result<Report> {
        self.evaluate::<Test>().map(|(report, _)| report)
    }

    /// What every val and test loader will measure, under monitored names.
    ///
    /// # Errors
    /// When two metrics produce the same name.
    pub fn measures(&mut self) -> Result<Vec<Measure>> {
        let mut plain: Vec<Measure> = Vec::new();
        self.each_metric(&mut |metric| {
            for measure in metric.measures() {
                if plain.iter().any(|known| known.name == measure.name) {
                    return Err(Error::msg(produced_twice(&measure.name)));
                }
                plain.push(measure);
            }
            Ok(())
        })?;
        Ok(monitored::<T>(&plain))
    }

    /// Runs `body` without gradients, with models and steps in the mode for evaluation, and with random numbers of its
    /// own. The modes are restored, and libtorch's generators go on as if nothing had been drawn.
    ///
    /// It costs a copy of each generator's state, 5 KiB for the CPU's and 16 bytes for that of a CUDA device, which is on
    /// the host: the device is not read.
    pub(crate) fn in_evaluation_mode<R>(&mut self, role: Role, body: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        let generators = Generators::of(self.run.device)?;
        self.seed_evaluation(role.name())?;
        let modes: Vec<bool> = self.run.models.iter().map(ModelEntry::is_training).collect();
        let training = self.run.step.training;
        self.set_training(false);
        let result = tch::no_grad(|| body(self));
        self.run.step.training = training;
        self.run.models.iter_mut().zip(modes).for_each(|(model, mode)| model.set_training(mode));
        let put_back = generators.put_back();
        let value = result?;
        put_back?;
        Ok(value)
    }

    /// Puts libtorch's generators to where the evaluation of this loader at this iter always begins.
    fn seed_evaluation(&self, loader: &str) -> Result<()> {
        let seed = random::derive(self.run.seed, "evaluation", self.run.clocks.iter.get(), random::tag_of(loader));
        Generators::seed(self.run.device, seed)
    }

    /// The values, and whether nothing is missing.
    fn evaluate<S: Stage<T>>(&mut self) -> Result<(Report, bool)> {
        let mut report = Report::new();
        self.run.seen.results.produced.clear();
        self.in_evaluation_mode(S::ROLE, |program| {
            program.within::<S::Before, S::After>(|program| {
                for index in 0..T::loaders(S::ROLE).len() {
                    if program.decide_on_signal() {
                        break;
                    }
                    program.evaluate_loader::<S>(index, &mut report)?;
                }
                Ok(())
            })
        })?;
        let complete = self.run.decision.signal().is_none();
        if !complete {
            self.run.seen.record.discard(S::PHASE);
            // half an evaluation is worth nothing, and the checkpoint that is written now must not hold it
            self.reset_metrics()?;
        }
        Ok((report, complete))
    }

    fn reset_metrics(&mut self) -> Result<()> {
        self.each_metric(&mut |metric| {
            metric.reset();
            Ok(())
        })
    }

    fn evaluate_loader<S: Stage<T>>(&mut self, index: usize, report: &mut Report) -> Result<()> {
        self.run.current.loader = T::loaders(S::ROLE)[index];
        self.run.current.named_loader = T::loaders(S::ROLE).len() > 1;
        self.run.step.batch_size = 0;
        self.run.step.batch_weight = 1.0;
        self.run.seen.results.current.clear();
        self.run.current.evaluated = Some(0);
        // whatever the loaders before it have drawn
        self.seed_evaluation(self.run.current.loader)?;
        let result = self.evaluate_pass::<S>(index, report);
        self.run.current.evaluated = None;
        result
    }

    /// One pass of a loader.
    fn evaluate_pass<S: Stage<T>>(&mut self, index: usize, report: &mut Report) -> Result<()> {
        self.within::<S::BeforeEpoch, S::AfterEpoch>(|program| {
            program.reset_metrics()?;
            program.eval_loader::<S>(index)?.start(Cursor::default())?;
            while program.evaluate_batch::<S>(index)? {
                if program.decide_on_signal() {
                    // no number is better than one of a part of the data
                    return Ok(());
                }
            }
            program.compute_metrics::<S>(index, report)
        })
    }

    /// One batch; false at the end of the loader.
    fn evaluate_batch<S: Stage<T>>(&mut self, index: usize) -> Result<bool> {
        let Some(batch) = self.eval_loader::<S>(index)?.next_batch()? else { return Ok(false) };
        let size = batch.size();
        let weight = checked_weight(&batch, size)?;
        let batch = batch.onto(self.run.device)?;
        self.run.step.batch_size = size;
        self.run.step.batch_weight = weight;
        self.run.step.output = None;
        self.within::<S::BeforeIter, S::AfterIter>(|program| {
            let what = match S::ROLE {
                Role::Test => "test_step",
                _ => "val_step",
            };
            let mut output = program.step(what, |trainer, cx| S::step(trainer, &batch, cx))?.weighing(weight);
            output.detach();
            for (name, value) in output.values() {
                program.run.log(name, value.clone());
            }
            program.each_metric(&mut |metric| metric.update(&output, size))?;
            program.run.step.output = Some(output);
            Ok(())
        })?;
        self.run.step.output = None;
        self.run.current.evaluated = self.run.current.evaluated.map(|batches| batches + 1);
        Ok(true)
    }

    fn eval_loader<S: Stage<T>>(&mut self, index: usize) -> Result<&mut dyn Feed<T>> {
        let name = T::loaders(S::ROLE)[index];
        let loader = self.trainer.eval_loader(S::ROLE, index);
        loader.ok_or_else(|| Error::msg(format!("the trainer names the loader `{name}` and does not give it")))
    }

    /// Reads the metrics: the one place where an evaluation waits for the device.
    fn compute_metrics<S: Stage<T>>(&mut self, index: usize, report: &mut Report) -> Result<()> {
        let mut values = Vec::new();
        self.each_metric(&mut |metric| {
            values.extend(metric.compute()?);
            Ok(())
        })?;
        let names = values.iter().map(|(name, value)| (monitored_name::<T>(S::ROLE, index, name), *value));
        self.tell_of_not_finite(&names.collect::<Vec<_>>())?;
        for (name, value) in &values {
            let monitored = monitored_name::<T>(S::ROLE, index, name);
            // the first loader's short name too, where the full one has the loader's
            let short = (index == 0).then(|| format!("{}/{name}", S::ROLE.name()));
            for name in short.into_iter().chain([monitored.clone()]) {
                self.run.seen.results.latest.insert(name.clone(), *value);
                self.run.seen.results.produced.insert(name);
            }
            report.push((monitored, *value));
        }
        self.run.seen.results.current = values;
        Ok(())
    }
}

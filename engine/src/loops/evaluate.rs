//! Val and test: the outputs of their steps update metrics and go into rows.

use crate::base::{Error, ErrorContext as _, Output, Result};
use crate::hook::EngineHooks;
use crate::loops::evaluation::Stage;
use crate::loops::fed::FedStep;
use crate::loops::matrix::{picture, table};
use crate::loops::names::{monitored, monitored_name, produced_twice};
use crate::loops::program::Program;
use crate::loops::trainer::{Role, Trainer};
use crate::metric::Measure;
use crate::phase::{At, at};
use crate::record::{RowPhase, Value, ValueKind};
use crate::run::EvalWeights;
use std::collections::BTreeMap;

/// The values of an evaluation, with their monitored names.
pub type Report = Vec<(String, f64)>;

/// What differs between val and test, besides what every stage has.
trait Measured<T: Trainer>: Stage<T, Answer = Output> {
    const PHASE: RowPhase;
    type BeforeEpoch: At;
    type AfterEpoch: At;
}

macro_rules! measured {
    ($stage:ident, $step:literal, $before:ident, $before_epoch:ident, $before_iter:ident, $after_iter:ident, $after_epoch:ident, $after:ident) => {
        struct $stage;
        impl<T: Trainer> Stage<T> for $stage {
            const ROLE: Role = Role::$stage;
            const STEP: &'static str = $step;
            type Answer = Output;
            type Before = at::$before;
            type BeforeIter = at::$before_iter;
            type AfterIter = at::$after_iter;
            type After = at::$after;
            fn loader(index: usize) -> Option<Box<dyn FedStep<T, Output>>> {
                T::evaluated(Role::$stage, index)
            }
        }
        impl<T: Trainer> Measured<T> for $stage {
            const PHASE: RowPhase = RowPhase::$stage;
            type BeforeEpoch = at::$before_epoch;
            type AfterEpoch = at::$after_epoch;
        }
    };
}
measured!(Val, "val_step", BeforeVal, BeforeValEpoch, BeforeValIter, AfterValIter, AfterValEpoch, AfterVal);
measured!(Test, "test_step", BeforeTest, BeforeTestEpoch, BeforeTestIter, AfterTestIter, AfterTestEpoch, AfterTest);

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

    /// Tests with every test loader; otherwise like [`Program::val`].
    ///
    /// # Errors
    /// The first error of a step, a hook, a metric or a loader.
    pub fn test(&mut self) -> Result<Report> {
        self.evaluate::<Test>().map(|(report, _)| report)
    }

    /// The values that all val and test loaders will measure, with their monitored names.
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
        Ok(monitored(&self.loaders, &plain))
    }

    /// What measures each value, under monitored names: the metric as it is before it has taken anything in, and which
    /// direction is better. A best value of an earlier process is one of the same thing when this is the same.
    ///
    /// # Errors
    /// None of its own.
    pub fn measured_by(&mut self) -> Result<BTreeMap<String, String>> {
        let (mut found, loaders) = (BTreeMap::new(), self.loaders.clone());
        let weights = if self.run.eval_weights == EvalWeights::Trained { " of the trained weights" } else { "" };
        self.each_metric(&mut |metric| {
            let of = |measure: Measure| (measure.name, format!("{:?}: {metric:?}{weights}", measure.better));
            found.extend(monitored(&loaders, &metric.measures()).into_iter().map(of));
            Ok(())
        })?;
        Ok(found)
    }

    /// The values, and whether nothing is missing.
    fn evaluate<S: Measured<T>>(&mut self) -> Result<(Report, bool)> {
        let mut report = Report::new();
        self.run.seen.results.produced.clear();
        self.each_loader::<S>(|program, place, name| program.measure::<S>(place, name, &mut report))?;
        let complete = self.run.decision.signal().is_none();
        if !complete {
            self.run.seen.record.discard(S::PHASE);
            // half an evaluation is worth nothing, and the checkpoint that is written now must not hold it
            self.reset_metrics()?;
        }
        Ok((report, complete))
    }

    pub(super) fn reset_metrics(&mut self) -> Result<()> {
        self.each_metric(&mut |metric| {
            metric.reset();
            Ok(())
        })
    }

    /// One pass over a loader, for the metrics.
    fn measure<S: Measured<T>>(&mut self, place: usize, name: &str, report: &mut Report) -> Result<()> {
        self.within::<S::BeforeEpoch, S::AfterEpoch>(|program| {
            program.reset_metrics()?;
            let mut take = |program: &mut Self, output: Option<Output>| match output {
                Some(output) => program.take_output(output),
                None => Ok(()),
            };
            match program.pass_over::<S>(place, &mut take)? {
                true => {
                    program.merge_metrics()?;
                    program.compute_metrics(S::ROLE, name, report)?;
                    program.show_matrices()
                }
                // no number is better than one of a part of the data
                false => Ok(()),
            }
        })?;
        self.each_metric(&mut |metric| {
            metric.release();
            Ok(())
        })
    }

    /// Records what metrics show besides their values.
    fn show_matrices(&mut self) -> Result<()> {
        let mut shown = Vec::new();
        self.each_metric(&mut |metric| {
            shown.extend(metric.shown()?);
            Ok(())
        })?;
        for matrix in shown {
            self.run.emit(&matrix.name, ValueKind::Table, |_| Ok(Value::Table(table(&matrix))))?;
            let name = format!("{}_picture", matrix.name);
            self.run.emit(&name, ValueKind::Image, |_| Ok(Value::Image(picture(&matrix)?)))?;
        }
        Ok(())
    }

    /// Logs the values of an output, and hands it to the metrics and hooks.
    pub(super) fn take_output(&mut self, output: Output) -> Result<()> {
        let (size, weight) = (self.run.step.batch_size, self.run.step.batch_weight);
        let mut output = output.weighing(weight);
        output.detach();
        for (name, value) in output.values() {
            self.run.log(name, value.clone());
        }
        self.each_metric(&mut |metric| metric.update(&output, size))?;
        self.run.step.output = Some(output);
        Ok(())
    }

    /// Reads the metrics: the one place where an evaluation waits for the device.
    fn compute_metrics(&mut self, role: Role, loader: &str, report: &mut Report) -> Result<()> {
        let mut values = Vec::new();
        self.each_metric(&mut |metric| {
            values.extend(metric.compute()?);
            Ok(())
        })
        .with_context(|| format!("the metrics of loader `{}` can't be computed", loader))?;
        let names = values.iter().map(|(name, value)| (monitored_name(&self.loaders, role, loader, name), *value));
        self.tell_of_not_finite(&names.collect::<Vec<_>>())?;
        for (name, value) in &values {
            let monitored = monitored_name(&self.loaders, role, loader, name);
            // the first loader's short name too, where the full one has the loader's
            let short = self.loaders.is_first(role, loader).then(|| format!("{}/{name}", role.name()));
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

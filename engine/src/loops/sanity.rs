//! The sanity validation: the first batches of each val loader before the training begins, so that a `val_step` or a
//! metric that fails says so in the first second, and not after an epoch.
//!
//! It leaves no trace. `val_step` and the metrics are called, and no phase: no hook takes part, sinks get nothing, and
//! what the steps have asked for, logged, drawn and changed in the trainer's state is put back. The one thing that stays is
//! what a `val_step` itself does to the weights or outside of the run.

use crate::base::{ErrorContext as _, Result, State, StateMap};
use crate::data::Cursor;
use crate::hook::EngineHooks;
use crate::loops::fed::BatchRead;
use crate::loops::program::Program;
use crate::loops::trainer::{Role, Trainer};
use crate::phase::Phase;
use crate::record::{Row, RowPhase};
use crate::run::{Requests, StepState};
use std::collections::{BTreeMap, BTreeSet};

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Validates with the first batches of each val loader, for nothing but its errors. Only where the training begins: a
    /// resumed run has validated before.
    ///
    /// # Errors
    /// What a loader, a `val_step` or a metric says, and what can't be written in a row.
    pub(super) fn sanity_validation(&mut self) -> Result<()> {
        let batches = self.plan.val.as_ref().map_or(0, |val| val.sanity);
        if batches == 0 || !self.loaders.has(Role::Val) || self.run.clocks.iter.get() > 0 || self.is_over() {
            return Ok(());
        }
        let before = self.before_sanity()?;
        let result = self.in_evaluation_mode(Role::Val, |program| {
            for (place, loader) in program.loaders.clone().of(Role::Val) {
                if program.run.signals.received().is_some() {
                    break;
                }
                program.begin_loader(Role::Val, loader)?;
                program.reset_metrics()?;
                if program.validate_first(place, batches)? {
                    program.row_of_sanity()?;
                }
            }
            Ok(())
        });
        let put_back = self.after_sanity(before);
        result.context(
            "the sanity validation before the training failed, so later validations would fail too (`val: (sanity: 0)` skips it)",
        )?;
        put_back
    }

    /// The first batches of a loader; whether there was one.
    fn validate_first(&mut self, index: usize, batches: u64) -> Result<bool> {
        let Some(mut fed) = T::evaluated(Role::Val, index) else { return Ok(false) };
        fed.loader(&mut self.trainer)?.start(Cursor::default())?;
        let mut done = 0;
        while done < batches
            && let Some(BatchRead { size, weight }) = fed.read(&mut self.trainer, &self.run)?
        {
            self.run.step.batch_size = size;
            self.run.step.batch_weight = weight;
            let output = self.step("val_step", |trainer, cx| fed.step(trainer, cx))?;
            self.take_output(output)?;
            done += 1;
            self.run.current.evaluated = Some(done);
        }
        // what the workers have read ahead would stay in memory until the first validation
        fed.loader(&mut self.trainer)?.stop();
        Ok(done > 0)
    }

    /// What the row of the loader would be, to be refused as that would be.
    fn row_of_sanity(&mut self) -> Result<()> {
        let mut values = Vec::new();
        self.each_metric(&mut |metric| {
            values.extend(metric.compute()?);
            Ok(())
        })?;
        for (name, value) in self.run.seen.record.read_window(RowPhase::Val)? {
            // of what is logged and measured too, rows show what was measured
            if !values.iter().any(|(known, _)| *known == name) {
                values.push((name, value));
            }
        }
        let loader = self.run.current.recorded_loader().map(str::to_owned);
        Ok(Row { phase: RowPhase::Val, loader, at: self.run.moment(), values }.check()?)
    }

    fn before_sanity(&mut self) -> Result<Before> {
        let mut states = StateMap::new();
        let mut keep = |key: &str, part: &mut dyn State| {
            states.put(key, &part.save_state());
            Ok(())
        };
        self.trainer.states(&mut keep)?;
        for (index, metric) in self.run.seen.results.file_metrics.iter_mut().enumerate() {
            keep(&file_metric(index), metric.as_mut())?;
        }
        let run = &mut self.run;
        run.seen.sinks.mute(true);
        Ok(Before {
            states,
            requests: std::mem::take(&mut run.requests),
            step: std::mem::take(&mut run.step),
            phase: std::mem::replace(&mut run.current.phase, Phase::BeforeValIter),
            loader: run.current.loader,
            named_loader: run.current.named_loader,
            current: std::mem::take(&mut run.seen.results.current),
            latest: run.seen.results.latest.clone(),
            produced: std::mem::take(&mut run.seen.results.produced),
        })
    }

    fn after_sanity(&mut self, before: Before) -> Result<()> {
        let Before { mut states, requests, step, phase, loader, named_loader, current, latest, produced } = before;
        let run = &mut self.run;
        run.seen.sinks.mute(false);
        run.seen.record.discard(RowPhase::Val);
        run.seen.reads_seen = run.seen.record.device_reads();
        run.requests = requests;
        run.step = step;
        run.current.phase = phase;
        run.current.loader = loader;
        run.current.named_loader = named_loader;
        run.current.evaluated = None;
        run.seen.results.current = current;
        run.seen.results.latest = latest;
        run.seen.results.produced = produced;
        let mut put_back = |key: &str, part: &mut dyn State| {
            let state = states.take_map(key)?;
            part.load_state(state).map_err(|error| error.at(key))?;
            Ok(())
        };
        self.trainer.states(&mut put_back)?;
        for (index, metric) in self.run.seen.results.file_metrics.iter_mut().enumerate() {
            put_back(&file_metric(index), metric.as_mut())?;
        }
        Ok(())
    }
}

/// The key of a metric that only the file names.
fn file_metric(index: usize) -> String {
    format!("metrics.file.{index}")
}

/// What the run and the trainer were before.
struct Before {
    states: StateMap,
    requests: Requests,
    step: StepState,
    phase: Phase,
    loader: &'static str,
    named_loader: bool,
    current: Vec<(String, f64)>,
    latest: BTreeMap<String, f64>,
    produced: BTreeSet<String>,
}

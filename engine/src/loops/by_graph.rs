//! Steps as CUDA graphs. A step is recorded once for each shape of its batches, after some eager ones, and replayed from
//! then on: from batches that are copied into the same memory, with learning rates that lie on the device. Where nothing has
//! to be done between backward and the update, both are one graph; else they are two.
//!
//! A replay runs no code of the trainer. So a step is watched first: one that waits for the device, or does something that a
//! graph would not do again, stays eager, and a line says why.

use crate::base::Result;
use crate::base::spans::{self, SpanKind};
use crate::data::{Batch, Part};
use crate::hook::EngineHooks;
use crate::loops::plan::StepMode;
use crate::loops::program::Program;
use crate::loops::recorded::{Copies, Key, RecordedStep, Recordings, Stage};
use crate::loops::trainer::Trainer;
use crate::model::ModelEntry;
use crate::native::{Graph, GraphPool, RecordingWatch, TensorList, mix_layout};
use crate::optim::update::Updated;
use crate::phase::{Phase, at};
use crate::run::StepWatch;
use std::collections::BTreeSet;
use tch::Device;

/// A setting that changes more often than this is scheduled, and recording again and again is slower than eager steps.
const MOST_UPDATES: u32 = 4;
/// How often the variables of the models may change before all steps stay eager.
const MOST_RESTARTS: u32 = 16;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Prepares the recording of steps, when the plan asks for it.
    pub(super) fn prepare_recordings(&mut self) -> Result<()> {
        self.recordings = None;
        let StepMode::CudaGraph { warmup } = self.plan.train.step else { return Ok(()) };
        if let Some(why) = self.why_nothing_is_recorded() {
            return self.run.say(&format!("CUDA graphs: all steps run eagerly: {why}"));
        }
        let engines = D::SLOTS.len();
        let only_engines = |phase| self.hooks.plan(phase).iter().all(|hook| hook.slot < engines);
        let is_quiet = !self.hooks.has::<at::AfterBackward>()
            && !self.hooks.has::<at::BeforeOptimizerStep>()
            && only_engines(Phase::AfterTrainBatch);
        let variables = self.run.models.iter().flat_map(ModelEntry::variables);
        let variables = TensorList::new(variables.map(|(_, tensor)| tensor))?;
        self.recordings = Some(Box::new(Recordings {
            pool: GraphPool::new(self.run.device)?,
            warmup: warmup.max(StepMode::LEAST_WARMUP),
            is_quiet,
            mark: variables.mark(),
            variables,
            restarts: 0,
            steps: Vec::new(),
            batches: 0,
            done: 0,
            holder: None,
            is_updated: false,
            told: BTreeSet::new(),
        }));
        Ok(())
    }

    fn why_nothing_is_recorded(&self) -> Option<String> {
        if !matches!(self.run.device, Device::Cuda(_)) {
            return Some("the device is no CUDA device".to_owned());
        }
        if self.run.process.world() > 1 {
            return Some("there are several ranks, which exchange gradients during backward".to_owned());
        }
        if let Some(scheduled) = self.run.scheduled.first() {
            return Some(format!("a schedule changes `{}`, and a graph would keep its first value", scheduled.path));
        }
        if let Some(optimizer) = self.run.updates.minimizer() {
            return Some(format!("`{optimizer}` computes the loss several times in an update, and reads it"));
        }
        if !Graph::exists() {
            return Some("this libtorch has none".to_owned());
        }
        if let Some(hook) = self.hooks.plan(Phase::AfterForward).first() {
            return Some(format!("`{}` is called in `after_forward`, which is within the graph", hook.name));
        }
        None
    }

    /// The step and its backward, by a graph where there is one.
    pub(super) fn compute_by_graph(&mut self, pass: usize, batch: &mut T::Batch) -> Result<()> {
        let Some(mut recordings) = self.recordings.take() else { return self.compute(pass, batch) };
        let result = recordings.compute(self, pass, batch);
        self.recordings = Some(recordings);
        result
    }

    /// The update of a pass by a graph; `None` when it is to be made eagerly.
    pub(super) fn recorded_update(&mut self, pass: usize) -> Result<Option<Updated>> {
        let Some(mut recordings) = self.recordings.take() else { return Ok(None) };
        let result = recordings.update(self, pass);
        self.recordings = Some(recordings);
        result
    }
}

impl<B: Batch> Recordings<B> {
    fn compute<D: EngineHooks, T: Trainer<Batch = B>>(
        &mut self,
        program: &mut Program<D, T>,
        pass: usize,
        batch: &mut B,
    ) -> Result<()> {
        let first = self.done == 0;
        self.done += 1;
        let place = match self.key(program, pass, batch, first)? {
            // a replay calls no step, which could hand over an endpoint
            Some(key) if !program.run.step.endpoints.is_asked() => self.place_of(key),
            _ => None,
        };
        let Some(place) = place else { return program.compute(pass, batch) };
        let with_update = self.steps[place].0.with_update;
        if let Stage::Warming(done) = self.steps[place].1 {
            if done < self.warmup {
                return self.warm_up(program, place, done, batch);
            }
            if let Some(why) = self.record(program, place, batch)? {
                self.stay_eager(program, place, &why)?;
            }
        }
        // whoever has asked for this update to be left out has to find it not made
        let is_skipped = with_update && program.run.requests.skip_update.is_some();
        match &mut self.steps[place].1 {
            Stage::Recorded(step) if !is_skipped => {
                if let (true, Some(update)) = (with_update, &step.update)
                    && !update.fits(&program.run.updates, pass)
                {
                    return self.record_again(program, place, batch);
                }
                step.replay(program, pass, batch, with_update, first)?;
                if first {
                    (self.holder, self.is_updated) = (Some(place), with_update);
                }
                Ok(())
            }
            _ => program.compute(pass, batch),
        }
    }

    /// What tells the batch's step from others; `None` when it is not to be recorded.
    fn key<D: EngineHooks, T: Trainer<Batch = B>>(
        &mut self,
        program: &mut Program<D, T>,
        pass: usize,
        batch: &mut B,
        first: bool,
    ) -> Result<Option<Key>> {
        if !self.follow_variables(program)? || (!first && self.holder.is_none()) {
            return Ok(None);
        }
        let (mut layout, mut has_values) = (0xcbf2_9ce4_8422_2325, false);
        batch.visit(&mut |part| {
            match part {
                Part::Tensor(tensor) | Part::Shared(tensor) => layout = mix_layout(layout, tensor),
                Part::Tensors(tensors) => tensors.iter().for_each(|tensor| layout = mix_layout(layout, tensor)),
                Part::Rows(_) | Part::Whole(_) => has_values = true,
            }
            Ok(())
        })?;
        if has_values {
            self.tell(
                program,
                "steps run eagerly: their batches have values on the host, which a graph would not read again",
            )?;
            return Ok(None);
        }
        let updates = &program.run.updates;
        let with_update = self.batches == 1
            && self.is_quiet
            && updates.follows_at_once()
            && updates.why_not_recorded(pass, program.run.device).is_none();
        let share = program.run.share_of_batch()?;
        Ok(Some(Key { pass, layout, share: share.to_bits(), onto: self.holder, with_update }))
    }

    /// Forgets all steps when a variable of a model was moved or frozen. Whether steps are still recorded.
    fn follow_variables<D: EngineHooks, T: Trainer<Batch = B>>(&mut self, program: &mut Program<D, T>) -> Result<bool> {
        let mark = self.variables.mark();
        if mark != self.mark {
            (self.mark, self.holder) = (mark, None);
            self.steps.clear();
            self.restarts += 1;
        }
        let often = self.restarts > MOST_RESTARTS;
        if often {
            self.tell(program, "steps run eagerly from now on: the model's variables were frozen or moved too often")?;
        }
        Ok(!often)
    }

    /// An eager step; the last one before recording is watched.
    fn warm_up<D: EngineHooks, T: Trainer<Batch = B>>(
        &mut self,
        program: &mut Program<D, T>,
        place: usize,
        done: u32,
        batch: &mut B,
    ) -> Result<()> {
        let pass = self.steps[place].0.pass;
        self.steps[place].1 = Stage::Warming(done + 1);
        if done + 1 < self.warmup {
            return program.compute(pass, batch);
        }
        let (result, found) = watched(program, |program| program.compute(pass, batch))?;
        result?;
        match found {
            Some(why) => self.stay_eager(program, place, &why),
            None => Ok(()),
        }
    }

    /// Records the step of a batch; why it could not be, if so. Nothing is computed.
    fn record<D: EngineHooks, T: Trainer<Batch = B>>(
        &mut self,
        program: &mut Program<D, T>,
        place: usize,
        batch: &mut B,
    ) -> Result<Option<String>> {
        let Key { pass, with_update, onto, .. } = self.steps[place].0;
        let mut held = batch.shallow_clone();
        held.each_tensor(&mut |tensor| {
            let mut copy = tensor.f_empty_like()?;
            copy.f_copy_(tensor)?;
            *tensor = copy;
            Ok(())
        })?;
        if with_update {
            program.run.updates.refresh_rates(pass)?;
        }
        if !self.steps.iter().any(|(_, stage)| matches!(stage, Stage::Recorded(_))) {
            self.pool = GraphPool::new(program.run.device)?;
        }
        program.run.step.watch = Some(StepWatch::of_recording());
        let recorded = Graph::record(self.pool, || {
            program.compute(pass, &held)?;
            with_update.then(|| program.run.updates.within_graph(pass)).transpose()
        });
        let watch = program.run.step.watch.take().unwrap_or_default();
        let mut output = program.run.step.output.take();
        let (graph, update) = match recorded {
            Ok(recorded) => recorded,
            Err(error) => {
                drop(output);
                // gradients in memory of the graph that is given up
                if onto.is_none() {
                    program.run.updates.begin(pass)?;
                }
                return Ok(Some(format!("it can't be recorded: {error:#}")));
            }
        };
        if let Some(output) = &mut output {
            output.detach();
        }
        let step = RecordedStep {
            graph,
            batch: held,
            output,
            logged: watch.logged,
            has_gone_backward: program.run.step.has_gone_backward,
            gradients: program.run.updates.gradients(pass)?,
            update,
            updates_recorded: 1,
        };
        self.steps[place].1 = Stage::Recorded(Box::new(step));
        Ok(None)
    }

    /// A setting of the optimizer has changed that the graph holds.
    fn record_again<D: EngineHooks, T: Trainer<Batch = B>>(
        &mut self,
        program: &mut Program<D, T>,
        place: usize,
        batch: &mut B,
    ) -> Result<()> {
        let Stage::Recorded(step) = &self.steps[place].1 else { return Ok(()) };
        let recorded = step.updates_recorded + 1;
        let why = match recorded > MOST_UPDATES {
            true => Some(CHANGING.to_owned()),
            false => self.record(program, place, batch)?,
        };
        let (Key { pass, .. }, stage) = &mut self.steps[place];
        let pass = *pass;
        match (why, stage) {
            (None, Stage::Recorded(step)) => {
                step.updates_recorded = recorded;
                step.replay(program, pass, batch, true, true)?;
                (self.holder, self.is_updated) = (Some(place), true);
                Ok(())
            }
            (why, _) => {
                self.stay_eager(program, place, why.as_deref().unwrap_or(CHANGING))?;
                program.compute(pass, batch)
            }
        }
    }

    fn update<D: EngineHooks, T: Trainer<Batch = B>>(
        &mut self,
        program: &mut Program<D, T>,
        pass: usize,
    ) -> Result<Option<Updated>> {
        let Some(place) = self.holder.filter(|_| self.done == self.batches) else { return Ok(None) };
        let Stage::Recorded(step) = &mut self.steps[place].1 else { return Ok(None) };
        let updates = &mut program.run.updates;
        if self.is_updated {
            return step.update.as_mut().map(|update| updates.replay(pass, update)).transpose();
        }
        if let Some(why) = updates.why_not_recorded(pass, program.run.device) {
            self.tell(program, &format!("updates are made eagerly: {why}"))?;
            return Ok(None);
        }
        if !step.update.as_ref().is_some_and(|update| update.fits(updates, pass)) {
            step.update = None;
            if step.updates_recorded > MOST_UPDATES {
                self.tell(program, &format!("updates are made eagerly: {CHANGING}"))?;
                return Ok(None);
            }
            step.updates_recorded += 1;
            match updates.record(pass, self.pool) {
                Ok(update) => step.update = Some(update),
                Err(error) => {
                    step.updates_recorded = MOST_UPDATES + 1;
                    self.tell(program, &format!("updates are made eagerly: {error:#}"))?;
                    return Ok(None);
                }
            }
        }
        step.update.as_mut().map(|update| updates.replay(pass, update)).transpose()
    }

    fn stay_eager<D: EngineHooks, T: Trainer<Batch = B>>(
        &mut self,
        program: &mut Program<D, T>,
        place: usize,
        why: &str,
    ) -> Result<()> {
        let pass = self.steps[place].0.pass;
        self.steps[place].1 = Stage::Eager;
        let what = program.run.updates.passes()[pass].prefix().unwrap_or("train_step");
        self.tell(program, &format!("`{what}` runs eagerly: {why}"))
    }

    /// Says something once.
    fn tell<D: EngineHooks, T: Trainer<Batch = B>>(&mut self, program: &mut Program<D, T>, text: &str) -> Result<()> {
        match self.told.insert(text.to_owned()) {
            true => program.run.say(&format!("CUDA graphs: {text}")),
            false => Ok(()),
        }
    }
}

/// Why the graph of an update does not fit any more.
const CHANGING: &str = "a setting of the optimizer other than `lr` changes again and again";

impl<B: Batch> RecordedStep<B> {
    /// Computes the step of this batch, and its update when it is part of the graph.
    fn replay<D: EngineHooks, T: Trainer<Batch = B>>(
        &mut self,
        program: &mut Program<D, T>,
        pass: usize,
        batch: &mut B,
        with_update: bool,
        first: bool,
    ) -> Result<()> {
        let run = &mut program.run;
        if with_update {
            run.updates.refresh_rates(pass)?;
        }
        let span = spans::span(SpanKind::Step, "replay");
        self.batch.copy_from(batch)?;
        self.graph.replay()?;
        if first {
            run.updates.set_gradients(pass, &self.gradients)?;
        }
        drop(span);
        run.step.has_gone_backward = self.has_gone_backward;
        let mut copies = Copies::default();
        for (mean, name, value) in &self.logged {
            let copy = value.copied(&mut |tensor| copies.of(tensor))?;
            match mean {
                true => run.log(name, copy),
                false => run.log_last(name, copy),
            }
        }
        let output = self.output.as_ref().map(|output| output.copied(&mut |tensor| copies.of(tensor)));
        run.step.output = output.transpose()?;
        Ok(())
    }
}

/// Runs a step, and tells what it does that could not be recorded.
fn watched<D: EngineHooks, T: Trainer>(
    program: &mut Program<D, T>,
    step: impl FnOnce(&mut Program<D, T>) -> Result<()>,
) -> Result<(Result<()>, Option<String>)> {
    let watch = RecordingWatch::begin()?;
    program.run.step.watch = Some(StepWatch::default());
    let result = step(program);
    let noticed = program.run.step.watch.take().and_then(|watch| watch.found());
    Ok((result, watch.end().or(noticed)))
}

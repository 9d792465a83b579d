//! `replay`: the update of a dump, computed again alone.

use crate::base::panics;
use crate::base::{Error, ErrorContext as _, Iter, Result, Scalar, StateMap};
use crate::checkpoint::Snapshot;
use crate::data::Batch;
use crate::hook::EngineHooks;
use crate::loops::dumped::Notes;
use crate::loops::program::Program;
use crate::loops::share::Weighed;
use crate::loops::trainer::Trainer;
use crate::native::{FiniteWatch, FirstNotFinite};
use crate::run::{Command, Generators, PassPlace, Shares};
use tch::{Kind, Tensor};

/// What an update has computed when it was run again alone.
#[derive(Debug)]
pub struct Replayed {
    /// The iter of the update, counted from 1.
    pub iter: Iter,
    /// Its pass; `train` for the single pass of a trainer without `#[passes]`.
    pub pass: &'static str,
    /// Why the update was dumped.
    pub reason: String,
    /// The loss and the named values of each computation of the step, in order; of one batch there are several when a
    /// step processor computes it in parts.
    pub values: Vec<Vec<(String, f64)>>,
    /// Parameters and tensors of batches that were not finite before anything was computed: `net.first.weight`, `tensor 0
    /// of batch 1`.
    pub not_finite_before: Vec<String>,
    /// The first operators of the forward passes whose results were not finite.
    pub forward: FirstNotFinite,
    /// The first operators at all; where the forward passes were finite, those of backward.
    pub all: FirstNotFinite,
    /// The 2-norm of the gradient over all parameters of the pass, before clipping; `None` when the update has failed.
    pub grad_norm: Option<f64>,
    /// The 2-norm of each parameter's gradient; `None` where there is none.
    pub gradients: Vec<(String, Option<f64>)>,
    /// The error of the step or its backward, if it has failed again.
    pub failed: Option<String>,
    /// What has to be known besides: what differs from the run that was dumped.
    pub told: Vec<String>,
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Computes the update of a dump again: its step and its backward, on the same weights, batches and random numbers. No
    /// hook is called, no optimizer steps, and nothing is written. A program that was replayed trains no further.
    ///
    /// # Errors
    /// When the snapshot is no dump or does not fit the program, and when its batches can't be read. An error of the step
    /// or its backward is part of the result.
    pub fn replay(&mut self, mut snapshot: Snapshot) -> Result<Replayed> {
        if !snapshot.state.0.contains_key("dump") {
            return Err(Error::msg("this is a checkpoint and no dump: it has no batches"));
        }
        let _bracket = panics::bracket();
        let mut dump = snapshot.state.take_map("dump")?;
        let (reason, name): (String, String) = (dump.take("reason")?, dump.take("pass")?);
        let time = dump.take("time")?;
        let mut told = self.take_back(snapshot)?;
        if let Some(generators) = self.run.storage.resumed.take() {
            generators.put_back()?;
        }
        self.prepare_passes()?;
        self.set_training(true);
        self.run.current.command = Command::Train;
        let passes = self.run.updates.passes();
        let pass = passes.iter().position(|pass| pass.name() == name);
        let pass = pass.ok_or_else(|| Error::msg(format!("the dump is of the pass `{name}`, which is not there")))?;
        let name = self.run.updates.passes()[pass].name();
        let batches = self.batches_of_dump(&mut dump, &mut told)?;
        self.run.current.pass = Some(PassPlace { pass, time });
        let not_finite_before = self.not_finite(&batches)?;
        let watch = FiniteWatch::begin()?;
        self.replaying = Some(Notes { watch: Some(watch), ..Notes::default() });
        let result = self.compute_again(pass, batches);
        let notes = self.replaying.take().unwrap_or_default();
        let all = notes.watch.as_ref().map(FiniteWatch::found).unwrap_or_default();
        drop(notes.watch);
        let failed = result.err().map(|error| format!("{error:#}"));
        let read = |values: Vec<(String, Scalar)>| -> Result<Vec<(String, f64)>> {
            values.into_iter().map(|(name, value)| Ok((name, value.read()?))).collect()
        };
        let grad_norm = match failed {
            Some(_) => None,
            None => Some(self.run.updates.grad_norm(pass)?.read()?),
        };
        let gradients = self.gradient_norms(pass)?;
        self.run.current.pass = None;
        Ok(Replayed {
            iter: Iter(self.run.clocks.iter.get() + 1),
            pass: name,
            reason,
            values: notes.values.into_iter().map(read).collect::<Result<_>>()?,
            not_finite_before,
            forward: notes.forward,
            all,
            grad_norm,
            gradients,
            failed,
            told,
        })
    }

    /// The batches of the update: read from the loaders again, which gives what is no tensor, with the tensors of the dump.
    fn batches_of_dump(&mut self, dump: &mut StateMap, told: &mut Vec<String>) -> Result<Vec<Weighed<T::Batch>>> {
        let count: u64 = dump.take("count")?;
        let mut held = match dump.0.contains_key("batches") {
            true => Some(dump.take_map("batches")?),
            false => {
                told.push("the batches were too large for the dump: they are read from their loaders again".to_owned());
                None
            }
        };
        let (mut batches, mut changed) = (Vec::new(), false);
        // a dataset may draw from libtorch's generators
        let generators = Generators::of(self.run.device)?;
        for index in 0..count {
            let read = self.next_train_batch().context("the batches of the dump can't be read from their loaders")?;
            let read = read.ok_or_else(|| Error::msg("a batch of the dump has no samples here"))?;
            let mut batch = read.onto(&self.run)?;
            if let Some(held) = &mut held {
                changed |= put_tensors(&mut batch.batch, held.take_map(&index.to_string())?, index)?;
            }
            batches.push(batch);
        }
        generators.put_back()?;
        if changed {
            told.push("the loaders give other batches than those of the dump, which are used".to_owned());
        }
        Ok(batches)
    }

    /// The step and the backward of each batch.
    fn compute_again(&mut self, pass: usize, batches: Vec<Weighed<T::Batch>>) -> Result<()> {
        self.run.updates.begin(pass)?;
        self.run.step.shares = Shares::begin(&self.run.process, batches.iter().map(|batch| batch.weight))?;
        let last = batches.len();
        for (index, batch) in batches.into_iter().enumerate() {
            self.run.updates.before_batch(pass, index + 1 == last)?;
            self.run.step.put_batch(batch.size, batch.weight);
            self.run.step.goes_backward = true;
            let result = match self.processor.is_some() {
                true => self.compute_by_processor(pass, &batch.batch),
                false => self.compute(pass, &batch.batch),
            };
            self.run.step.goes_backward = false;
            result?;
            self.run.clocks.batch = self.run.clocks.batch.next();
        }
        self.run.updates.finish(pass)
    }

    /// What is not finite before anything is computed.
    fn not_finite(&mut self, batches: &[Weighed<T::Batch>]) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for model in self.run.models.iter() {
            for (name, variable) in model.variables() {
                if is_not_finite(variable)? {
                    found.push(format!("{}.{name}", model.name()));
                }
            }
        }
        for (index, batch) in batches.iter().enumerate() {
            let mut place = 0;
            batch.batch.shallow_clone().each_tensor(&mut |tensor| {
                if is_not_finite(tensor)? {
                    found.push(format!("tensor {place} of batch {index}"));
                }
                place += 1;
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// The norm of each gradient of a pass.
    fn gradient_norms(&self, pass: usize) -> Result<Vec<(String, Option<f64>)>> {
        let mut norms = Vec::new();
        for model in self.run.models.iter().filter(|model| self.run.updates.updates_model(pass, model.name())) {
            for (name, parameter) in model.parameters().filter(|(_, parameter)| parameter.requires_grad()) {
                let gradient = parameter.grad();
                let norm = match gradient.defined() {
                    true => Some(f64::try_from(gradient.f_norm()?.f_to_kind(Kind::Double)?)?),
                    false => None,
                };
                norms.push((format!("{}.{name}", model.name()), norm));
            }
        }
        Ok(norms)
    }
}

fn is_not_finite(tensor: &Tensor) -> Result<bool> {
    if !tensor.is_floating_point() || tensor.numel() == 0 {
        return Ok(false);
    }
    Ok(!bool::try_from(tensor.detach().f_isfinite()?.f_all()?)?)
}

/// Whether numbers differ. A NaN is equal to none, so tensors with one are not compared.
fn differs(one: &Tensor, other: &Tensor) -> Result<bool> {
    Ok(!one.f_equal(other)? && !is_not_finite(one)?)
}

/// Puts the tensors of a dump in the place of those of a batch; whether they differ.
fn put_tensors<B: Batch>(batch: &mut B, mut held: StateMap, index: u64) -> Result<bool> {
    let (mut place, mut changed) = (0, false);
    let count = held.0.len();
    batch.each_tensor(&mut |tensor| {
        let name = place.to_string();
        place += 1;
        if !held.0.contains_key(&name) {
            return Ok(());
        }
        let kept: Tensor = held.take(&name)?;
        let kept = kept.f_to_device(tensor.device())?;
        changed |= kept.size() != tensor.size() || kept.kind() != tensor.kind() || differs(&kept, tensor)?;
        *tensor = kept;
        Ok(())
    })?;
    match place == count {
        true => Ok(changed),
        false => Err(Error::msg(format!(
            "batch {index} of the dump has {count} tensors, and the loaders give one with {place}: the datasets or the type of batches have changed"
        ))),
    }
}

//! The running statistics of batch norm for weights that no training step has used, such as averages: computed anew in a
//! pass over the train data at the end of the training, as `torch.optim.swa_utils.update_bn` does.
//!
//! The pass leaves no other trace. No phase is called, no gradient is computed, nothing is logged, and the loaders, the
//! generators and the trainer's own state are put back.

use crate::base::{Error, ErrorContext as _, Result, State, StateMap};
use crate::data::Cursor;
use crate::dist::Process;
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::trainer::{Role, Trainer};
use crate::nn::MeansOverBatches;
use crate::phase::Phase;
use crate::record::RowPhase;
use crate::run::{Generators, PassPlace};
use tch::{Device, Kind, Tensor};

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Makes the pass when hooks have asked for one and the training is over. `ends`: whether a signal or a limit has ended
    /// it before its plan.
    pub(super) fn refresh_statistics(&mut self, ends: bool) -> Result<()> {
        if ends || !self.is_over() || self.run.decision.is_cut() {
            return Ok(());
        }
        let mut asked = std::mem::take(&mut self.run.requests.statistics);
        asked.retain(|(_, weights)| weights.iter().any(|(name, _)| name.ends_with(VARIANCE)));
        if asked.is_empty() {
            return Ok(());
        }
        self.run
            .say("the statistics of batch norm are computed for the averaged weights, in a pass over the train data")?;
        let generators = Generators::of(self.run.device)?;
        let stands = (0..T::loaders(Role::Train).len()).map(|index| {
            let loader = self.train_loader(index)?;
            Ok((loader.cursor(), loader.place()))
        });
        let stands = stands.collect::<Result<Vec<_>>>()?;
        let state = self.own_state()?;
        let (requests, step) = (std::mem::take(&mut self.run.requests), std::mem::take(&mut self.run.step));
        // what the steps log goes into a row that is thrown away
        let phase = std::mem::replace(&mut self.run.current.phase, Phase::BeforeValIter);
        let result = self.with_weights(asked);
        self.run.current.phase = phase;
        self.run.current.pass = None;
        (self.run.requests, self.run.step) = (requests, step);
        self.run.seen.record.discard(RowPhase::Val);
        self.set_training(true);
        result.context("the pass over the train data for the statistics of batch norm failed")?;
        self.ranks.samples.clear();
        self.put_own_state_back(state)?;
        for (index, (cursor, place)) in stands.into_iter().enumerate() {
            self.train_loader(index)?.start_at(cursor, place)?;
        }
        generators.put_back()?;
        // no checkpoint has the new statistics yet
        self.run.storage.saved_at = None;
        Ok(())
    }

    /// The pass, with these weights in the models.
    fn with_weights(&mut self, asked: Vec<(String, Vec<(String, Tensor)>)>) -> Result<()> {
        let mut swapped = Vec::new();
        for (model, weights) in asked {
            let entry = self.run.models.get_mut(&model)?;
            swapped.push((model, entry.swap_in("the pass for batch norm", weights)?));
        }
        self.set_training(true);
        let result = {
            let means = MeansOverBatches::begin();
            let names: Vec<&str> = swapped.iter().map(|(model, _)| model.as_str()).collect();
            tch::no_grad(|| {
                self.pass_over_train_data()?;
                self.join_statistics(&means, &names)
            })
        };
        for (model, swapped) in swapped {
            self.run.models.get_mut(&model)?.swap_out(swapped);
        }
        result
    }

    fn pass_over_train_data(&mut self) -> Result<()> {
        if self.run.updates.passes().len() > 1 {
            return Err(Error::msg(
                "the iters of this trainer have several passes, and it is not known which of them is meant",
            ));
        }
        for place in 0..T::loaders(Role::Train).len() {
            self.train_loader(place)?.start(Cursor::default())?;
        }
        let batches = match self.plan.train.batches_per_epoch {
            Some(batches) => batches,
            None => self.epoch_loader()?.batches().ok_or_else(|| Error::msg("the train loader never ends"))?,
        };
        self.run.current.pass = Some(PassPlace { pass: 0, time: 0 });
        for _ in 0..batches {
            let Some(batch) = self.next_train_batch()? else { continue };
            let batch = batch.onto(&self.run)?;
            self.run.step.put_batch(batch.size, batch.weight);
            self.step("train_step", |trainer, cx| trainer.train_step(&batch.batch, cx))?;
        }
        Ok(())
    }

    /// Of several ranks each has the means over its own batches: makes those over the batches of all, each with the same
    /// share. A layer that no batch has reached keeps what it has.
    fn join_statistics(&self, means: &MeansOverBatches, models: &[&str]) -> Result<()> {
        let Process::Group(group) = &self.run.process else { return Ok(()) };
        let mut layers = Vec::new();
        for model in models {
            let variables = self.run.models.get(model)?.variables();
            let of_name = |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor);
            for (name, mean) in variables {
                let variance = name.strip_suffix(MEAN).and_then(|layer| of_name(&format!("{layer}{VARIANCE}")));
                layers.extend(variance.map(|variance| (means.seen(mean) as f64, [mean, variance])));
            }
        }
        if layers.is_empty() {
            return Ok(());
        }
        let wide = |tensor: &Tensor| tensor.f_reshape([-1])?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double);
        let mut parts = vec![Tensor::from_slice(&layers.iter().map(|(seen, _)| *seen).collect::<Vec<_>>())];
        for (seen, statistics) in &layers {
            for tensor in statistics {
                // what no batch has reached may hold anything
                let tensor = wide(tensor)?;
                parts.push(if *seen > 0.0 { tensor.f_mul_scalar(*seen)? } else { tensor.f_zeros_like()? });
            }
        }
        let sums = group.sum("the joining of batch norm's statistics", &Tensor::f_cat(&parts, 0)?)?;
        let mut place = layers.len() as i64;
        for (layer, (_, statistics)) in (0..).zip(&layers) {
            let seen = sums.f_double_value(&[layer])?;
            for tensor in statistics {
                let count = tensor.numel() as i64;
                if seen > 0.0 {
                    let mean = sums.f_narrow(0, place, count)?.f_div_scalar(seen)?.f_reshape(tensor.size())?;
                    tensor.shallow_clone().f_copy_(&mean)?;
                }
                place += count;
            }
        }
        Ok(())
    }

    /// The trainer's own state, without that of its hooks: an average is one of them.
    fn own_state(&mut self) -> Result<StateMap> {
        let mut kept = StateMap::new();
        self.trainer.states(&mut |key, part| {
            if key == OWN {
                kept = part.save_state();
            }
            Ok(())
        })?;
        Ok(kept)
    }

    fn put_own_state_back(&mut self, state: StateMap) -> Result<()> {
        let mut state = Some(state);
        self.trainer.states(&mut |key, part: &mut dyn State| match (key == OWN).then(|| state.take()).flatten() {
            Some(state) => Ok(part.load_state(state)?),
            None => Ok(()),
        })
    }
}

/// The key of the trainer's own state.
const OWN: &str = "trainer";

/// The names of the running statistics of a layer.
const MEAN: &str = "running_mean";
const VARIANCE: &str = "running_var";

//! What a checkpoint holds of a program, and how it comes back. The file format is `checkpoint`'s business.

use crate::base::{Batch, Epoch, Error, ErrorContext as _, Iter, Result, State, StateError, StateMap};
use crate::checkpoint::{self, Meta, Snapshot};
use crate::hook::{AnyHook, EngineHooks};
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use crate::metric::Metric;
use crate::phase::at;
use crate::run::Save;
use crate::run::{Generators, Resumed};
use std::path::Path;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Writes the checkpoints that were decided on, each between its two phases.
    pub(crate) fn write_decided_checkpoints(&mut self) -> Result<()> {
        let mut saves = std::mem::take(&mut self.run.decision.saves);
        // `latest` names the one written last
        saves.sort_by_key(|save| save.latest);
        saves.iter().try_for_each(|save| self.save(save))
    }

    /// A stop signal: the last finished iter is saved, once, whether or not a hook has asked for it.
    pub(crate) fn save_on_signal(&mut self) -> Result<()> {
        self.write_decided_checkpoints()?;
        let iter = self.run.clocks.iter;
        if iter == Iter(0) || self.run.storage.saved_at == Some(iter) {
            return Ok(());
        }
        self.save(&Save { name: checkpoint::iter_name(iter), latest: true })
    }

    fn save(&mut self, save: &Save) -> Result<()> {
        let Some(folder) = self.run.storage.folder.as_ref().map(|folder| folder.checkpoints()) else { return Ok(()) };
        self.within::<at::BeforeSaveCheckpoint, at::AfterSaveCheckpoint>(|program| {
            // rows that the checkpoint counts on must not be lost with the machine
            program.run.seen.sinks.flush()?;
            let snapshot = program.snapshot()?;
            checkpoint::save(&folder, &save.name, &snapshot)
                .with_context(|| format!("the checkpoint `{}` can't be written", save.name))?;
            program.run.storage.saved_at = Some(program.run.clocks.iter);
            Ok(())
        })
    }

    /// Everything that influences the rest of the run.
    fn snapshot(&mut self) -> Result<Snapshot> {
        let run = &self.run;
        let clocks = &run.clocks;
        let mut state = StateMap::new();
        state.put("epoch", &clocks.epoch);
        state.put("iter", &clocks.iter);
        state.put("batch", &clocks.batch);
        state.put("last_val", &clocks.last_val);
        state.put("skipped", &(run.updates.skipped()?.read()? as u64));
        state.put("skip_update", &run.requests.skip_update);
        state.put("results", &run.seen.results.latest);
        state.put("time", &run.seen.elapsed());
        match &run.storage.sinks_before_val {
            Some(sinks) => sinks.iter().for_each(|(name, sink)| state.put(name, sink)),
            None => run.seen.sinks.states().iter().for_each(|(name, sink)| state.put(name, sink)),
        }
        state.put("generators", &Generators::of(run.device)?.save());
        for optimizer in run.updates.optimizers() {
            state.put(format!("optimizers.{}", optimizer.name()), &optimizer.save_state());
        }
        state.put("record", &run.seen.record.save_state());
        let meta = Meta::new(clocks.epoch, clocks.iter);
        let models = run.models.iter().map(|model| {
            let variables = model.variables().iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
            (model.name().to_owned(), variables.collect())
        });
        let models = models.collect();
        // a resumed run that has not come to its first batch stands where it was put
        let cursor = match &self.run.storage.resumed {
            Some(resumed) => resumed.cursor,
            None => self.trainer.train_loader().cursor(),
        };
        state.put("cursor", &cursor);
        self.each_state(&mut |name, part| {
            state.put(name, &part.save_state());
            Ok(())
        })?;
        Ok(Snapshot { meta, models, state })
    }

    /// Puts the program where a checkpoint's run stood. A part that the checkpoint does not know starts anew, and
    /// is told, and so is a state that nothing here has a use for.
    ///
    /// # Errors
    /// When weights or states don't fit the program.
    pub fn restore(&mut self, snapshot: Snapshot) -> Result<()> {
        let Snapshot { models, mut state, .. } = snapshot;
        self.load_weights(&models)?;
        let run = &mut self.run;
        run.clocks.epoch = state.take::<Epoch>("epoch")?;
        run.clocks.iter = state.take::<Iter>("iter")?;
        run.clocks.batch = state.take::<Batch>("batch")?;
        run.clocks.last_val = state.take("last_val")?;
        run.updates.restore_skipped(state.take("skipped")?);
        run.requests.skip_update = state.take("skip_update")?;
        run.seen.results.latest = state.take("results")?;
        run.seen.continue_time(state.take("time")?);
        run.seen.sinks.load_states(&mut state)?;
        run.seen.record.load_state(state.take_map("record")?)?;
        for optimizer in run.updates.optimizers_mut() {
            let map = state.take_map(&format!("optimizers.{}", optimizer.name()))?;
            let failed = format!("the state of the optimizer `{}` can't be taken back", optimizer.name());
            optimizer.load_state(map).context(failed)?;
        }
        self.run.storage.resumed = Some(Resumed {
            cursor: state.take("cursor")?,
            generators: Generators::restore(run.device, state.take_map("generators")?)?,
        });
        self.run.storage.saved_at = Some(self.run.clocks.iter);
        self.restore_parts(&mut state)?;
        for name in state.0.keys() {
            self.run.say(&format!("ignored: unknown state `{name}` in the checkpoint"))?;
        }
        self.phase::<at::AfterLoadCheckpoint>()
    }

    /// Loads what an evaluation needs: the weights, and of a whole checkpoint the states of hooks too, so that
    /// averaged weights are evaluated as they were in training. A bare `.safetensors` file is taken for the weights.
    ///
    /// # Errors
    /// When it can't be read or does not fit.
    pub fn load_for_evaluation(&mut self, path: &Path) -> Result<()> {
        if path.is_file() {
            let models = checkpoint::load_models(path)?;
            self.load_weights(&models)?;
        } else {
            let Snapshot { meta, models, mut state } = checkpoint::load(path)?;
            self.load_weights(&models)?;
            self.run.clocks.epoch = meta.epoch;
            self.run.clocks.iter = meta.iter;
            self.run.seen.continue_time(state.take("time")?);
            self.restore_parts(&mut state)?;
        }
        self.phase::<at::AfterLoadCheckpoint>()
    }

    /// Gives every part its state, as far as there is one.
    fn restore_parts(&mut self, state: &mut StateMap) -> Result<()> {
        let mut anew = Vec::new();
        self.each_state(&mut |name, part| {
            match state.0.contains_key(name) {
                true => part.load_state(state.take_map(name)?).map_err(|error| error.at(name))?,
                false => anew.push(name.to_owned()),
            }
            Ok(())
        })?;
        anew.iter()
            .try_for_each(|name| self.run.say(&format!("the checkpoint has no state of `{name}`: it starts anew")))
    }

    fn load_weights(&mut self, models: &[(String, checkpoint::Variables)]) -> Result<()> {
        let single = self.run.models.iter().count() == 1 && models.len() == 1;
        for model in self.run.models.iter_mut() {
            // one file of weights fits one model, whatever it is called
            let given = models
                .iter()
                .find(|(name, _)| single || name == model.name())
                .ok_or_else(|| Error::msg(format!("the checkpoint has no weights of the model `{}`", model.name())))?;
            model.load(&given.1)?;
        }
        Ok(())
    }

    /// Every state but those that the run itself holds: the engine's hooks, the trainer's parts, what the file chose.
    fn each_state(&mut self, each: &mut dyn FnMut(&str, &mut dyn State) -> Result<()>) -> Result<()> {
        self.hooks.engine.states(&mut |name, part| each(name, part))?;
        self.trainer.states(&mut |name, part| each(name, part))?;
        let mut seen: Vec<&'static str> = Vec::new();
        for custom in &mut self.hooks.custom {
            // by name and not by place, so that the file can add one before it
            let name = custom.hook.name();
            let earlier = seen.iter().filter(|known| **known == name).count();
            seen.push(name);
            let key = match earlier {
                0 => format!("custom_hooks.{name}"),
                _ => format!("custom_hooks.{name}.{earlier}"),
            };
            each(&key, &mut AnyState(custom.hook.as_mut()))?;
        }
        for (index, metric) in self.run.seen.results.file_metrics.iter_mut().enumerate() {
            each(&format!("metrics.file.{index}"), &mut AnyMetric(metric.as_mut()))?;
        }
        Ok(())
    }
}

/// A hook of any type, as a state.
struct AnyState<'a>(&'a mut dyn AnyHook);

impl State for AnyState<'_> {
    fn save_state(&self) -> StateMap {
        self.0.save_state()
    }
    fn load_state(&mut self, state: StateMap) -> Result<(), StateError> {
        self.0.load_state(state)
    }
}

/// A metric of any type, as a state.
struct AnyMetric<'a>(&'a mut dyn Metric);

impl State for AnyMetric<'_> {
    fn save_state(&self) -> StateMap {
        self.0.save_state()
    }
    fn load_state(&mut self, state: StateMap) -> Result<(), StateError> {
        self.0.load_state(state)
    }
}

//! What a checkpoint contains of a program, and how it is restored. The file format is defined in `checkpoint`.

use crate::base::{Adjustable, Batch, Epoch, Error, ErrorContext as _, Iter, Result, State, StateError, StateMap};
use crate::checkpoint::{self, Meta, Snapshot, Variables, Weights};
use crate::hook::{AnyHook, EngineHooks};
use crate::loops::identity::{self, Identity, sink_identities, sinks_as_now};
use crate::loops::order::{LoaderState, check_order, check_seed, save_loader};
use crate::loops::program::Program;
use crate::loops::trainer::{Role, Trainer};
use crate::optim::SampleClock;
use crate::phase::at;
use crate::random;
use crate::record::RowPhase;
use crate::run::{EvalWeights, Generators};
use std::collections::BTreeMap;
use std::path::Path;
use tch::Tensor;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Everything that influences the rest of the run.
    pub(super) fn snapshot(&mut self) -> Result<Snapshot> {
        let published = std::mem::take(&mut self.run.storage.published);
        let optimizers = self.states_of_optimizers()?;
        let run = &self.run;
        let mut state = StateMap::new();
        state.put("seed", &run.seed);
        let clocks = &run.clocks;
        state.put_map("clocks", |map| {
            map.put("epoch", &clocks.epoch);
            map.put("iter", &clocks.iter);
            map.put("batch", &clocks.batch);
            map.put("last_val", &clocks.last_val);
            map.put("samples", &clocks.samples.map(|samples| samples.saved()));
        });
        state.put("ended", &self.ended());
        state.put_map("requests", |map| map.put("skip_update", &run.requests.skip_update));
        state.put("frozen", &run.models.save_frozen());
        state.put("results", &run.seen.results.latest);
        state.put("time", &run.seen.elapsed());
        state.put_map("sinks", |map| {
            let mut put = |sinks: &[(String, StateMap)]| sinks.iter().for_each(|(name, sink)| map.put(name, sink));
            match &run.storage.sinks_before_val {
                Some(sinks) => put(sinks),
                None => put(&run.seen.sinks.states()),
            }
        });
        state.put("regular", &run.storage.regular);
        if !run.rollbacks.is_empty() {
            state.put("rollbacks", &run.rollbacks);
        }
        let skipped = run.updates.skipped()?.read()? as u64;
        state.put_map(Snapshot::UPDATES, |map| {
            map.put("skipped", &skipped);
            map.put("scales", &run.updates.save_scales());
            if run.updates.lr_scale() != 1.0 {
                map.put("lr_scale", &run.updates.lr_scale());
            }
            map.put("scheduled", &run.updates.scheduled(&clocks.progress()));
            map.put(Snapshot::OPTIMIZERS, &optimizers);
        });
        state.put("record", &run.seen.record.save_state());
        let mut rank = StateMap::new();
        rank.put("generators", &Generators::of(run.device)?.save());
        if !run.process.is_main() {
            // that of rank 0 is in the state of all
            rank.put("record", &run.seen.record.save_state());
        }
        let models = run.models.iter().map(|model| {
            let evaluated = published.iter().find(|(name, _)| name == model.name()).map(|(_, weights)| shared(weights));
            Weights { evaluated, ..Weights::new(model.name(), shared(model.variables())) }
        });
        let models = models.collect();
        let notes = run.storage.notes.clone();
        let meta = Meta { notes, ..Meta::new(clocks.epoch, clocks.iter) };
        let mut loaders = StateMap::new();
        for (place, name) in T::loaders(Role::Train).iter().enumerate() {
            let loader = self.train_loader(place)?;
            loaders.put(*name, &save_loader(loader));
        }
        state.put("loaders", &loaders);
        if T::loaders(Role::Train).len() > 1 {
            state.put("epoch_loader", &self.epoch_loader_name().to_owned());
        }
        let (mut parts, mut identities) = (StateMap::new(), BTreeMap::new());
        let (is_main, mut own_parts) = (self.run.process.is_main(), StateMap::new());
        self.each_state(&mut |key, identity, part| {
            parts.put(key, &part.save_state());
            // that of rank 0 is in the state of all
            let own = if is_main { StateMap::new() } else { part.save_own_state() };
            if !own.0.is_empty() {
                own_parts.put(key, &own);
            }
            if identity != Identity::default() {
                identities.insert(key.to_owned(), identity);
            }
            Ok(())
        })?;
        state.put("parts", &parts);
        identities.extend(sink_identities(&self.run.seen.sinks.places()));
        state.put("identities", &identities);
        if !own_parts.0.is_empty() {
            rank.put("parts", &own_parts);
        }
        Ok(Snapshot { meta, models, state, ranks: self.parts_of_ranks(rank)? })
    }

    /// Restores the program from a checkpoint, and then runs `after_load_checkpoint`. A part without a state in the
    /// checkpoint starts with its initial state; this and a state that no part uses are reported.
    ///
    /// # Errors
    /// When weights or states don't fit the program, when the seed is another one, and when the order of the samples is
    /// another one and the checkpoint stands in the middle of a pass.
    pub fn restore(&mut self, snapshot: Snapshot) -> Result<()> {
        let told = self.take_back(snapshot)?;
        told.iter().try_for_each(|text| self.run.say(text))?;
        self.phase::<at::AfterLoadCheckpoint>()
    }

    /// As [`Program::restore`], but no hook is called and nothing is said: gives back what is to be told.
    ///
    /// # Errors
    /// Those of [`Program::restore`].
    pub(crate) fn take_back(&mut self, snapshot: Snapshot) -> Result<Vec<String>> {
        self.finish_saves()?;
        let Snapshot { meta, models, mut state, ranks } = snapshot;
        self.run.storage.notes = meta.notes;
        let mut told = Vec::new();
        check_seed(state.take("seed")?, self.run.seed)?;
        let mut loaders = state.take_map("loaders")?;
        let mut places: Vec<LoaderState> = Vec::new();
        for (index, name) in T::loaders(Role::Train).iter().enumerate() {
            let place = LoaderState::restore(loaders.take_map(name)?).map_err(|error| error.at(name))?;
            told.extend(check_order(&place, self.train_loader(index)?.common_order().as_ref())?);
            places.push(place);
        }
        let trained: Vec<_> = models.into_iter().map(|weights| (weights.model, weights.trained)).collect();
        self.load_weights(&trained)?;
        if !self.run.models.restore_frozen(state.take_map("frozen")?)? {
            told.push("`freeze` has changed: what the experiment names now is frozen, and nothing else".to_owned());
        }
        let run = &mut self.run;
        let mut clocks = state.take_map("clocks")?;
        run.clocks.epoch = clocks.take::<Epoch>("epoch")?;
        run.clocks.iter = clocks.take::<Iter>("iter")?;
        run.clocks.batch = clocks.take::<Batch>("batch")?;
        run.clocks.last_val = clocks.take("last_val")?;
        // those of earlier versions have none
        let samples = clocks.0.contains_key("samples").then(|| clocks.take("samples")).transpose()?.flatten();
        run.clocks.samples = samples.map(SampleClock::restored);
        run.requests.skip_update = state.take_map("requests")?.take("skip_update")?;
        run.seen.results.latest = state.take("results")?;
        run.seen.continue_time(state.take("time")?);
        let identities: BTreeMap<String, Identity> = state.take("identities")?;
        let (sinks, lost) = sinks_as_now(state.take_map("sinks")?, &identities, &run.seen.sinks.places());
        told.extend(lost);
        told.extend(run.seen.sinks.load_states(sinks)?);
        run.seen.record.load_state(state.take_map("record")?)?;
        let mut updates = state.take_map(Snapshot::UPDATES)?;
        run.updates.restore_skipped(updates.take("skipped")?);
        run.updates.restore_scales(updates.take_map("scales")?)?;
        // checkpoints of earlier versions have none of these three
        let regular = state.0.contains_key("regular").then(|| state.take("regular")).transpose()?;
        run.storage.regular = regular.unwrap_or_default();
        let lr_scale = updates.0.contains_key("lr_scale").then(|| updates.take("lr_scale")).transpose()?;
        run.updates.restore_lr_scale(lr_scale.unwrap_or(1.0));
        let rollbacks = state.0.contains_key("rollbacks").then(|| state.take("rollbacks")).transpose()?;
        run.rollbacks = rollbacks.unwrap_or_default();
        let mut optimizers = updates.take_map(Snapshot::OPTIMIZERS)?;
        for optimizer in run.updates.optimizers_mut() {
            let failed = format!("the state of the optimizer `{}` can't be taken back", optimizer.name());
            let map = optimizers.take_map(optimizer.name()).context(failed.clone())?;
            optimizer.load_state(map).context(failed)?;
        }
        run.updates.unset_scheduled(&updates.take::<Vec<[String; 3]>>("scheduled")?);
        let own_parts = self.take_back_own(ranks)?;
        self.run.storage.saved_at = Some(self.run.clocks.iter);
        for (index, place) in places.into_iter().enumerate() {
            self.train_loader(index)?.start_at(place.cursor, place.place)?;
        }
        if state.0.contains_key("epoch_loader") {
            told.extend(self.told_of_epoch_loader(&state.take::<String>("epoch_loader")?)?);
        }
        let mut parts = state.take_map("parts")?;
        told.extend(self.restore_parts(&mut parts, own_parts, &identities)?);
        told.extend(parts.0.keys().map(|name| format!("ignored: unknown state `{name}` in the checkpoint")));
        told.extend(self.take_back_end(state.take("ended")?));
        Ok(told)
    }

    /// Restores what this rank had of its own. A rank that the checkpoint does not know begins with random numbers of its
    /// own. Gives back what its hooks had of their own.
    fn take_back_own(&mut self, parts: Vec<StateMap>) -> Result<StateMap> {
        let (rank, run) = (self.run.process.rank(), &mut self.run);
        match parts.into_iter().nth(rank) {
            Some(mut part) => {
                run.storage.resumed = Some(Generators::restore(run.device, part.take_map("generators")?)?);
                if rank > 0 {
                    run.seen.record.load_state(part.take_map("record")?)?;
                }
                if part.0.contains_key("parts") {
                    return Ok(part.take_map("parts")?);
                }
            }
            None if rank == 0 => return Err(Error::msg("the checkpoint has no part for rank 0")),
            None => {
                Generators::seed(run.device, own_seed(run.seed, rank, run.clocks.iter))?;
                run.storage.resumed = Some(Generators::of(run.device)?);
                RowPhase::ALL.into_iter().for_each(|phase| run.seen.record.discard(phase));
            }
        }
        Ok(StateMap::new())
    }

    /// Loads what an evaluation needs: the weights that evaluations used in the training (averages, where there were
    /// some), or with `eval_weights: Trained` those that were trained, and of a whole checkpoint the states of hooks too. A bare `.safetensors` file is taken for the weights; it may
    /// come from another program ([`ModelEntry::adapt`](crate::model::ModelEntry::adapt)).
    ///
    /// # Errors
    /// When it can't be read or does not fit.
    pub fn load_for_evaluation(&mut self, path: &Path) -> Result<()> {
        let told = self.take_for_evaluation(path)?;
        told.iter().try_for_each(|text| self.run.say(text))?;
        self.phase::<at::AfterLoadCheckpoint>()
    }

    /// As [`Program::load_for_evaluation`], but no hook is called and nothing is said: gives back what is to be told.
    ///
    /// # Errors
    /// Those of [`Program::load_for_evaluation`].
    pub(crate) fn take_for_evaluation(&mut self, path: &Path) -> Result<Vec<String>> {
        self.finish_saves()?;
        let trained = self.run.eval_weights == EvalWeights::Trained;
        if !path.is_dir() {
            if trained && let Some(raw) = checkpoint::raw_beside(path) {
                return Err(Error::msg(format!(
                    "`{}` has averaged weights, and those that were trained are asked for (`--raw`, `eval_weights`); they are in `{}`",
                    path.display(),
                    raw.display()
                )));
            }
            let mut told = self.load_foreign(checkpoint::load_models(path)?)?;
            told.extend(self.take_preprocessors(checkpoint::load_preprocessors(path)?)?);
            return Ok(told);
        }
        let Snapshot { meta, models, mut state, .. } = checkpoint::load(path)?;
        // those that were scored, whether or not the hook that made them is there
        let of = |weights: &Weights| if trained { shared(&weights.trained) } else { shared(weights.published()) };
        let given: Vec<_> = models.iter().map(|weights| (weights.model.clone(), of(weights))).collect();
        self.load_weights(&given)?;
        let has_averages = models.iter().any(|weights| weights.evaluated.is_some());
        let mut told = Vec::new();
        if has_averages || trained {
            self.run.current.has_told_weights = true;
            told.push(match trained {
                true => "weights: those that were trained, without averages".to_owned(),
                false => "weights: averages; `--raw` evaluates those that were trained".to_owned(),
            });
        }
        self.run.clocks.epoch = meta.epoch;
        self.run.clocks.iter = meta.iter;
        self.run.seen.continue_time(state.take("time")?);
        told.extend(self.restore_parts(&mut state.take_map("parts")?, StateMap::new(), &state.take("identities")?)?);
        Ok(told)
    }

    /// Gives every part its state, as far as there is one that belongs to it, and then what it has of its own on this rank;
    /// gives back what is to be told of the others.
    fn restore_parts(
        &mut self,
        state: &mut StateMap,
        mut own: StateMap,
        saved: &BTreeMap<String, Identity>,
    ) -> Result<Vec<String>> {
        let mut now = BTreeMap::new();
        self.each_state(&mut |key, identity, _| {
            now.insert(key.to_owned(), identity);
            Ok(())
        })?;
        let sources = identity::sources(saved, &now);
        let unknown = Identity::default();
        let mut told = Vec::new();
        self.each_state(&mut |key, identity, part| {
            let source = match identity.name.is_empty() {
                true => Some(key),
                false => sources.get(key).map(String::as_str),
            };
            let Some(source) = source.filter(|source| state.0.contains_key(*source)) else {
                told.push(format!("the checkpoint has no state of `{key}`: it starts anew"));
                return Ok(());
            };
            let held = state.take_map(source)?;
            match identity.changes_since(saved.get(source).unwrap_or(&unknown)) {
                None => {
                    part.load_state(held).map_err(|error| error.at(key))?;
                    if own.0.contains_key(source) {
                        part.load_own_state(own.take_map(source)?).map_err(|error| error.at(key))?;
                    }
                }
                Some(change) => told.push(format!("`{key}` starts anew: {change}")),
            }
            Ok(())
        })?;
        Ok(told)
    }

    fn load_weights(&mut self, models: &[(String, Variables)]) -> Result<()> {
        let single = self.run.models.iter().count() == 1 && models.len() == 1;
        for model in self.run.models.iter_mut() {
            // the weights of one model fit the only one, whatever it is called
            let given = models.iter().find(|(name, _)| single || name == model.name());
            model.load(&given.ok_or_else(|| has_no_weights(model.name()))?.1)?;
        }
        Ok(())
    }

    /// Loads weights that another program may have written; gives back what is to be told.
    fn load_foreign(&mut self, mut models: Vec<(String, Variables)>) -> Result<Vec<String>> {
        let single = self.run.models.iter().count() == 1 && models.len() == 1;
        let mut told = Vec::new();
        for model in self.run.models.iter_mut() {
            let place = models.iter().position(|(name, _)| single || name == model.name());
            let mut given = models.swap_remove(place.ok_or_else(|| has_no_weights(model.name()))?).1;
            told.extend(model.adapt(&mut given)?);
            model.load(&given)?;
        }
        Ok(told)
    }

    /// Gives every preprocessor its fit; gives back what is to be told of those that the program does not have.
    fn take_preprocessors(&mut self, mut given: StateMap) -> Result<Vec<String>> {
        if given.0.is_empty() {
            return Ok(Vec::new());
        }
        self.each_state(&mut |key, _, part| {
            let mut state = part.save_state();
            let mut is_given = false;
            for (field, value) in state.0.iter_mut().filter(|(_, value)| checkpoint::is_preprocessor(value)) {
                if let Some(fit) = given.0.remove(&checkpoint::preprocessor_name(key, field)) {
                    *value = fit;
                    is_given = true;
                }
            }
            if is_given { Ok(part.load_state(state).map_err(|error| error.at(key))?) } else { Ok(()) }
        })?;
        Ok(given.0.keys().map(|name| format!("ignored: unknown preprocessor `{name}` in the file")).collect())
    }

    /// Every state but those that the run itself holds: the engine's hooks, the trainer's parts, what the file chose; each
    /// with its key and with what it is of.
    pub(super) fn each_state(&mut self, each: &mut EachPart<'_>) -> Result<()> {
        let mut plain = |key: &str, part: &mut dyn State| each(key, Identity::of(part), part);
        self.hooks.engine.states(&mut plain)?;
        self.trainer.states(&mut plain)?;
        let mut seen: Vec<&'static str> = Vec::new();
        for custom in &mut self.hooks.custom {
            let name = custom.hook.name();
            let earlier = seen.iter().filter(|known| **known == name).count();
            seen.push(name);
            let key = match earlier {
                0 => format!("custom_hooks.{name}"),
                _ => format!("custom_hooks.{name}.{earlier}"),
            };
            let settings = self.run.settings.get(&custom.origin).cloned().unwrap_or_default();
            let mut part = AnyState(custom.hook.as_mut());
            let identity = Identity { name: name.to_owned(), settings, ..Identity::of(&part) };
            each(&key, identity, &mut part)?;
        }
        let mut earlier: BTreeMap<&'static str, usize> = BTreeMap::new();
        for schedule in &mut self.run.updates.schedules.0 {
            let (kind, settings) = (schedule.typetag_name(), serde_json::to_string(&schedule));
            let Some(watching) = schedule.watching() else { continue };
            let count = earlier.entry(kind).or_default();
            let key = if *count == 0 { format!("schedule.{kind}") } else { format!("schedule.{kind}.{count}") };
            *count += 1;
            // apart from hooks: a schedule may have the name of one
            let name = format!("schedule {kind}");
            let identity = Identity { name, settings: settings.unwrap_or_default(), ..Identity::of(watching) };
            each(&key, identity, watching)?;
        }
        for (index, metric) in self.run.seen.results.file_metrics.iter_mut().enumerate() {
            // by what it measures and not by its place: no two metrics produce one name
            let name = metric.measures().into_iter().next().map_or_else(|| index.to_string(), |measure| measure.name);
            let identity = Identity::of_metric(metric.as_ref());
            each(&format!("metrics.file.{name}"), identity, metric.as_mut())?;
        }
        Ok(())
    }
}

/// Where libtorch's generators of a rank begin, other than rank 0, which begins as a process alone does.
pub(super) fn own_seed(seed: u64, rank: usize, iter: Iter) -> u64 {
    random::derive(seed, "rank", rank as u64, iter.get())
}

fn has_no_weights(model: &str) -> Error {
    Error::msg(format!("the checkpoint has no weights of the model `{model}`"))
}

/// Called with the key of a state, what the state is of, and the state.
pub(super) type EachPart<'a> = dyn FnMut(&str, Identity, &mut dyn State) -> Result<()> + 'a;

/// The same tensors again.
fn shared(variables: &[(String, Tensor)]) -> Variables {
    variables.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect()
}

/// A hook of any type, as a state.
struct AnyState<'a>(&'a mut dyn AnyHook);

impl State for AnyState<'_> {
    fn save_state(&self) -> StateMap {
        self.0.save_state()
    }
    fn belongs_to(&self) -> Vec<(&'static str, String)> {
        self.0.belongs_to()
    }
    fn adjustable(&mut self, each: &mut dyn FnMut(Adjustable<'_>)) {
        self.0.adjustable(each);
    }
    fn load_state(&mut self, state: StateMap) -> Result<(), StateError> {
        self.0.load_state(state)
    }
    fn save_own_state(&self) -> StateMap {
        self.0.save_own_state()
    }
    fn load_own_state(&mut self, state: StateMap) -> Result<(), StateError> {
        self.0.load_own_state(state)
    }
}

//! All models of a run.

use crate::base::suggest::meant;
use crate::base::{StateError, StateMap, pattern};
use crate::model::entry::ModelEntry;
use crate::model::error::ModelError;
use crate::model::init::InitRule;
use tch::Tensor;

/// All models of a trainer; each has the name of its field.
///
/// ```
/// use engine::model::{ModelEntry, Models};
/// use engine::prelude::*;
///
/// let mut models = Models::default();
/// for name in ["generator", "critic"] {
///     let store = nn::VarStore::new(Device::Cpu);
///     let _ = nn::linear(store.root(), 4, 4, Default::default());
///     models.push(ModelEntry::new(name, store));
/// }
/// assert_eq!(models.get("critic")?.parameter_count(), 20);
/// let error = models.get("critc").unwrap_err();
/// assert_eq!(error.to_string(), "no model is named `critc`, did you mean `critic`?");
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Models {
    entries: Vec<ModelEntry>,
    /// The patterns of the experiment whose parameters are frozen from the start.
    frozen_by_file: Vec<String>,
}

impl Models {
    /// Adds a model with the name of its field.
    pub fn push(&mut self, entry: ModelEntry) {
        self.entries.push(entry);
    }

    /// The models in field order.
    pub fn iter(&self) -> impl Iterator<Item = &ModelEntry> {
        self.entries.iter()
    }

    /// The models in field order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut ModelEntry> {
        self.entries.iter_mut()
    }

    /// The model of a field.
    ///
    /// # Errors
    /// When no field has this name.
    pub fn get_mut(&mut self, name: &str) -> Result<&mut ModelEntry, ModelError> {
        match self.entries.iter().position(|entry| entry.name == name) {
            Some(index) => Ok(&mut self.entries[index]),
            None => Err(self.unknown(name)),
        }
    }

    /// The model of a field.
    ///
    /// # Errors
    /// When no field has this name.
    pub fn get(&self, name: &str) -> Result<&ModelEntry, ModelError> {
        self.entries.iter().find(|entry| entry.name == name).ok_or_else(|| self.unknown(name))
    }

    /// The name of a variable among those of all models: with several models, the name of the model is put in front.
    pub fn full_name(&self, model: &str, variable: &str) -> String {
        full_name(self.entries.len() > 1, model, variable)
    }

    /// Freezes the parameters that an experiment names: those whose [`Models::full_name`] matches a pattern.
    ///
    /// # Errors
    /// When a pattern matches no parameter, with its index in the list.
    pub fn freeze(&mut self, patterns: &[String]) -> Result<(), (usize, ModelError)> {
        self.set_frozen_by(patterns, true)?;
        self.frozen_by_file = patterns.to_vec();
        Ok(())
    }

    /// Freezes or unfreezes the parameters whose [`Models::full_name`] matches a pattern, and gives their number.
    ///
    /// # Errors
    /// When a pattern matches no parameter, with its index in the list.
    pub fn set_frozen_by(&mut self, patterns: &[String], frozen: bool) -> Result<usize, (usize, ModelError)> {
        let several = self.entries.len() > 1;
        let mut total = 0;
        for (place, pattern) in patterns.iter().enumerate() {
            let mut count = 0;
            for model in &mut self.entries {
                let name = model.name.clone();
                let meant = |variable: &str| pattern::matches(pattern, &full_name(several, &name, variable));
                count += model.set_gradients(&meant, !frozen).map_err(|error| (place, error))?;
            }
            if count == 0 {
                return Err((place, self.no_match(pattern)));
            }
            total += count;
        }
        Ok(total)
    }

    /// The parameters whose [`Models::full_name`] matches one of the patterns, each once, with this name.
    ///
    /// # Errors
    /// When a pattern matches no parameter, with its index in the list.
    pub fn parameters_by(&self, patterns: &[String]) -> Result<Vec<(String, Tensor)>, (usize, ModelError)> {
        let (mut found, mut used) = (Vec::new(), vec![false; patterns.len()]);
        for model in &self.entries {
            for (variable, tensor) in model.parameters() {
                let name = self.full_name(model.name(), variable);
                let matching = patterns.iter().zip(&mut used).filter(|(pattern, _)| pattern::matches(pattern, &name));
                if matching.map(|(_, used)| *used = true).count() > 0 {
                    found.push((name, tensor.shallow_clone()));
                }
            }
        }
        match used.iter().position(|used| !used) {
            Some(place) => Err((place, self.no_match(&patterns[place]))),
            None => Ok(found),
        }
    }

    /// Sets parameters to the initial values that an experiment names. For each parameter the first rule whose pattern
    /// matches its [`Models::full_name`] is used. Values are drawn from libtorch's generators.
    ///
    /// # Errors
    /// When a rule matches no parameter or can't compute values for it, with its index in the list.
    pub fn start_by(&mut self, rules: &[InitRule]) -> Result<(), (usize, ModelError)> {
        let several = self.entries.len() > 1;
        let mut used = vec![false; rules.len()];
        for model in &mut self.entries {
            let name = model.name.clone();
            model.start_by(rules, &|variable| full_name(several, &name, variable), &mut used)?;
        }
        match used.iter().position(|used| !used) {
            Some(place) => Err((place, self.no_match(&rules[place].pattern))),
            None => Ok(()),
        }
    }

    fn no_match(&self, pattern: &str) -> ModelError {
        let names = self
            .entries
            .iter()
            .flat_map(|model| model.parameters().map(|(variable, _)| self.full_name(model.name(), variable)));
        let names: Vec<String> = names.collect();
        let hint = pattern::hint(pattern, names.iter().map(String::as_str));
        ModelError::NoMatch { pattern: pattern.to_owned(), hint }
    }

    /// What is frozen, for a checkpoint.
    pub(crate) fn save_frozen(&self) -> StateMap {
        let mut state = StateMap::new();
        state.put("by_file", &self.frozen_by_file);
        state.put_map("models", |map| {
            for model in &self.entries {
                map.put(model.name(), &model.frozen().map(str::to_owned).collect::<Vec<String>>());
            }
        });
        state
    }

    /// Freezes what was frozen when the checkpoint was written, unless the experiment freezes other parameters now. Gives
    /// whether it did.
    ///
    /// # Errors
    /// When the state is not one of [`Models::save_frozen`].
    pub(crate) fn restore_frozen(&mut self, mut state: StateMap) -> Result<bool, StateError> {
        if state.take::<Vec<String>>("by_file")? != self.frozen_by_file {
            return Ok(false);
        }
        let mut models = state.take_map("models")?;
        for model in &mut self.entries {
            if models.0.contains_key(model.name()) {
                let names: Vec<String> = models.take(model.name())?;
                model.set_frozen(&names);
            }
        }
        Ok(true)
    }

    /// Whether every model works with its own weights.
    ///
    /// # Errors
    /// When a hook has left others in.
    pub(crate) fn check_own_weights(&self) -> Result<(), ModelError> {
        let left_in = self.entries.iter().find_map(|model| Some((model, model.works_with()?)));
        match left_in {
            Some((model, by)) => Err(ModelError::LeftIn { model: model.name.clone(), by: by.to_owned() }),
            None => Ok(()),
        }
    }

    fn unknown(&self, name: &str) -> ModelError {
        let known: Vec<&str> = self.entries.iter().map(ModelEntry::name).collect();
        ModelError::Unknown { name: name.into(), meant: meant(name, &known) }
    }
}

fn full_name(several: bool, model: &str, variable: &str) -> String {
    match several {
        true => format!("{model}.{variable}"),
        false => variable.to_owned(),
    }
}

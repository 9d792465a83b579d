//! A model in a run: its variables by name, which of them are parameters, and its mode.

use crate::base::Result;
use crate::model::error::ModelError;
use crate::model::layer::{Layer, repeats};
use crate::native::{storage_id, tensor_id};
use std::collections::BTreeMap;
use tch::{Device, Tensor, nn};

/// One model: its variables and its mode. The layers in the trainer's field share these tensors.
///
/// ```
/// use engine::model::ModelEntry;
/// use engine::prelude::*;
///
/// let store = nn::VarStore::new(Device::Cpu);
/// let _ = nn::linear(store.root(), 4, 2, Default::default());
/// let model = ModelEntry::new("net", store);
/// let names: Vec<&str> = model.variables().iter().map(|(name, _)| name.as_str()).collect();
/// assert_eq!(names, ["bias", "weight"]);
/// assert_eq!(model.parameter_count(), 4 * 2 + 2);
/// ```
#[derive(Debug)]
pub struct ModelEntry {
    pub(super) name: String,
    store: nn::VarStore,
    pub(super) variables: Vec<(String, Tensor)>,
    /// For each variable the place of the first one that is the same tensor: its own, unless weights are tied.
    pub(super) first: Vec<usize>,
    /// For each variable whether the model has made it to be trained, frozen or not.
    pub(super) trainable: Vec<bool>,
    /// Weights of hooks that the model works with for a while, the last one now.
    pub(super) layers: Vec<Layer>,
    /// Whether it works with its own weights, whatever hooks swap in.
    pub(super) keeps_own: bool,
    training: bool,
}

impl ModelEntry {
    /// An entry for the variables that a model has created in `store`.
    pub fn new(name: &str, store: nn::VarStore) -> Self {
        let mut variables: Vec<(String, Tensor)> = store.variables().into_iter().collect();
        // tch keeps them in a hash map, whose order differs from run to run
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        let ids: Vec<usize> = variables.iter().map(|(_, tensor)| tensor_id(tensor)).collect();
        let mut places = BTreeMap::new();
        let first = ids.iter().enumerate().map(|(place, id)| *places.entry(*id).or_insert(place)).collect();
        let made: Vec<usize> = store.trainable_variables().iter().map(tensor_id).collect();
        let trainable = variables.iter().zip(&ids).map(|((_, tensor), id)| tensor.requires_grad() || made.contains(id));
        let trainable = trainable.collect();
        let (layers, keeps_own) = (Vec::new(), false);
        ModelEntry { name: name.into(), store, variables, first, trainable, layers, keeps_own, training: false }
    }

    /// Checks that no two parameters share memory. Both would be updated, each with its own gradient.
    ///
    /// # Errors
    /// When two parameters share memory and are not the same tensor, or when several elements of one parameter have
    /// the same memory. The error names the first such case.
    pub fn check_memory(&self) -> Result<(), ModelError> {
        let mut owners: BTreeMap<usize, &str> = BTreeMap::new();
        for (name, tensor) in self.parameters() {
            if repeats(tensor).next().is_some() {
                return Err(ModelError::RepeatedParameter { model: self.name.clone(), variable: name.clone() });
            }
            let Some(storage) = storage_id(tensor) else { continue };
            if let Some(first) = owners.insert(storage, name) {
                return Err(ModelError::Overlap {
                    model: self.name.clone(),
                    first: first.to_owned(),
                    second: name.clone(),
                });
            }
        }
        Ok(())
    }

    /// The name of the trainer's field.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every variable with its name, parameters and buffers, sorted by name.
    pub fn variables(&self) -> &[(String, Tensor)] {
        &self.variables
    }

    /// The variables without repetition, sorted by name: a tensor with several names occurs once, with its first name.
    pub fn distinct(&self) -> impl Iterator<Item = &(String, Tensor)> {
        self.variables
            .iter()
            .enumerate()
            .filter(|(place, _)| self.first[*place] == *place)
            .map(|(_, variable)| variable)
    }

    /// The parameters, sorted by name: all variables that the model has created as trainable, including frozen ones. A
    /// tensor with several names (tied weights) is one parameter, with its first name.
    ///
    /// ```
    /// use engine::model::ModelEntry;
    /// use engine::prelude::*;
    ///
    /// let store = nn::VarStore::new(Device::Cpu);
    /// let layer = nn::linear(store.root() / "out", 4, 2, Default::default());
    /// (store.root() / "tied").add("weight", layer.ws.shallow_clone(), true);
    /// let model = ModelEntry::new("net", store);
    /// let names: Vec<&str> = model.parameters().map(|(name, _)| name.as_str()).collect();
    /// assert_eq!(names, ["out.bias", "out.weight"]);
    /// assert_eq!((model.variables().len(), model.parameter_count()), (3, 10));
    /// ```
    pub fn parameters(&self) -> impl Iterator<Item = &(String, Tensor)> {
        let places = 0..self.variables.len();
        let own = places.filter(|place| self.first[*place] == *place && self.trainable[*place]);
        own.map(|place| &self.variables[place])
    }

    /// The number of scalars of all parameters.
    pub fn parameter_count(&self) -> usize {
        self.parameters().map(|(_, tensor)| tensor.numel()).sum()
    }

    /// The number of scalars of frozen parameters.
    pub fn frozen_count(&self) -> usize {
        self.parameters().filter(|(_, tensor)| !tensor.requires_grad()).map(|(_, tensor)| tensor.numel()).sum()
    }

    /// Lists tensors with all names of the model's variables, sorted. `by_first_name` has one tensor for each of
    /// [`ModelEntry::distinct`]. `None` when one is missing.
    pub fn under_all_names<'a>(
        &self,
        by_first_name: impl Fn(&str) -> Option<&'a Tensor>,
    ) -> Option<Vec<(String, Tensor)>> {
        let named = self.variables.iter().zip(&self.first);
        let named = named.map(|((name, _), first)| {
            by_first_name(&self.variables[*first].0).map(|tensor| (name.clone(), tensor.shallow_clone()))
        });
        named.collect()
    }

    /// All names of a variable's tensor, with the variable's own: several names for tied weights, none if there is no such
    /// variable.
    pub fn names_of(&self, variable: &str) -> impl Iterator<Item = &str> {
        let place = self.variables.iter().position(|(name, _)| name == variable);
        let first = place.map(|place| self.first[place]);
        let named = self.variables.iter().zip(&self.first);
        named.filter(move |(_, place)| first == Some(**place)).map(|((name, _), _)| name.as_str())
    }

    /// Exchanges the data of each variable for what `change` gives; `None` leaves it. Layers see the new data, and a tensor
    /// that has several names is asked for once.
    ///
    /// # Errors
    /// The first of `change`.
    pub(crate) fn exchange_each(&mut self, change: impl Fn(&Tensor) -> Result<Option<Tensor>>) -> Result<()> {
        tch::no_grad(|| {
            for (place, (_, tensor)) in self.variables.iter_mut().enumerate() {
                if self.first[place] == place
                    && let Some(changed) = change(tensor)?
                {
                    tensor.set_data(&changed);
                }
            }
            Ok(())
        })
    }

    /// The device of the variables.
    pub fn device(&self) -> Device {
        self.store.device()
    }

    /// Whether dropout and batch norm work as in training.
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// Sets the mode that [`ModelEntry::is_training`] returns. A validation restores the previous mode.
    pub fn set_training(&mut self, training: bool) {
        self.training = training;
    }
}

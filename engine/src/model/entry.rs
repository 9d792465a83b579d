//! The run's hold on a model: its variables by name, its mode, and weights swapped in and out.

use crate::base::suggest::meant;
use tch::{Device, Tensor, nn};

/// All models of a trainer, by the name of their field.
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
pub struct Models(Vec<ModelEntry>);

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
    name: String,
    store: nn::VarStore,
    variables: Vec<(String, Tensor)>,
    training: bool,
}

/// Why weights could not be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No model has this name.
    #[error("no model is named `{name}`{meant}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The nearest name, or those that there are.
        meant: String,
    },
    /// Names that only one side has.
    #[error("the weights do not fit the model `{model}`: {what}; was the checkpoint written with other settings?")]
    Names {
        /// The model.
        model: String,
        /// What is missing and what is left over.
        what: String,
    },
    /// A variable of another shape.
    #[error(
        "`{model}.{variable}` has shape {expected:?}, the given weights have {found:?}; was the checkpoint written with other settings?"
    )]
    Shape {
        /// The model.
        model: String,
        /// The variable.
        variable: String,
        /// The model's shape.
        expected: Vec<i64>,
        /// The given shape.
        found: Vec<i64>,
    },
    /// libtorch failed.
    #[error("libtorch failed on the weights of `{model}`")]
    Torch {
        /// The model.
        model: String,
        /// What libtorch said.
        #[source]
        source: tch::TchError,
    },
}

impl Models {
    /// Adds a model under its field's name.
    pub fn push(&mut self, entry: ModelEntry) {
        self.0.push(entry);
    }

    /// The models in field order.
    pub fn iter(&self) -> impl Iterator<Item = &ModelEntry> {
        self.0.iter()
    }

    /// The models in field order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut ModelEntry> {
        self.0.iter_mut()
    }

    /// The model of a field.
    ///
    /// # Errors
    /// When no field has this name.
    pub fn get_mut(&mut self, name: &str) -> Result<&mut ModelEntry, ModelError> {
        match self.0.iter().position(|entry| entry.name == name) {
            Some(index) => Ok(&mut self.0[index]),
            None => Err(self.unknown(name)),
        }
    }

    /// The model of a field.
    ///
    /// # Errors
    /// When no field has this name.
    pub fn get(&self, name: &str) -> Result<&ModelEntry, ModelError> {
        self.0.iter().find(|entry| entry.name == name).ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> ModelError {
        let known: Vec<&str> = self.0.iter().map(ModelEntry::name).collect();
        ModelError::Unknown { name: name.into(), meant: meant(name, &known) }
    }
}

impl ModelEntry {
    /// Takes hold of the variables that a model has made in `store`.
    pub fn new(name: &str, store: nn::VarStore) -> Self {
        let mut variables: Vec<(String, Tensor)> = store.variables().into_iter().collect();
        // tch keeps them in a hash map, whose order differs from run to run
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        ModelEntry { name: name.into(), store, variables, training: false }
    }

    /// The trainer's field.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every variable with its name, parameters and buffers, sorted by name.
    pub fn variables(&self) -> &[(String, Tensor)] {
        &self.variables
    }

    /// The variables that take gradients, sorted by name.
    pub fn parameters(&self) -> impl Iterator<Item = &(String, Tensor)> {
        self.variables.iter().filter(|(_, tensor)| tensor.requires_grad())
    }

    /// The number of trainable scalars.
    pub fn parameter_count(&self) -> usize {
        self.parameters().map(|(_, tensor)| tensor.numel()).sum()
    }

    /// Where the variables lie.
    pub fn device(&self) -> Device {
        self.store.device()
    }

    /// Whether dropout and batch norm work as in training.
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// Sets the mode that [`ModelEntry::is_training`] tells. Validation restores what it finds.
    pub fn set_training(&mut self, training: bool) {
        self.training = training;
    }

    /// Exchanges the storage of the model's weights with that of `other` (sorted by name, as [`ModelEntry::copied`]
    /// gives it), without copying: the layers and the optimizer see the new values, and `other`'s tensors hold what
    /// the model had. Doing it twice restores both, to the bit.
    ///
    /// ```
    /// use engine::model::ModelEntry;
    /// use engine::prelude::*;
    ///
    /// let store = nn::VarStore::new(Device::Cpu);
    /// let layer = nn::linear(store.root(), 4, 2, Default::default());
    /// let mut model = ModelEntry::new("net", store);
    /// let mut zeros: Vec<(String, Tensor)> =
    ///     model.copied().into_iter().map(|(name, tensor)| (name, tensor.zeros_like())).collect();
    /// model.exchange(&mut zeros)?;
    /// assert_eq!(f64::try_from(layer.ws.abs().sum(Kind::Double))?, 0.0); // the layer sees them
    /// model.exchange(&mut zeros)?;
    /// assert!(f64::try_from(layer.ws.abs().sum(Kind::Double))? > 0.0);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When names or shapes differ; nothing is exchanged then.
    pub fn exchange(&mut self, other: &mut [(String, Tensor)]) -> Result<(), ModelError> {
        self.fits(other)?;
        tch::no_grad(|| {
            for ((_, mine), (_, theirs)) in self.variables.iter_mut().zip(other.iter_mut()) {
                let before = mine.detach();
                mine.set_data(theirs);
                theirs.set_data(&before);
            }
        });
        Ok(())
    }

    /// Copies weights, sorted by name, into the model's own tensors.
    ///
    /// ```
    /// use engine::model::ModelEntry;
    /// use engine::prelude::*;
    ///
    /// let store = nn::VarStore::new(Device::Cpu);
    /// let _ = nn::linear(store.root(), 4, 2, Default::default());
    /// let mut model = ModelEntry::new("net", store);
    /// let weights = model.copied();
    /// model.load(&weights)?;
    /// let error = model.load(&weights[..1]).unwrap_err().to_string();
    /// assert!(error.contains("do not fit the model `net`: missing `weight`"), "{error}");
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When names or shapes differ; nothing is copied then.
    pub fn load(&mut self, weights: &[(String, Tensor)]) -> Result<(), ModelError> {
        self.fits(weights)?;
        tch::no_grad(|| {
            for ((_, mine), (_, theirs)) in self.variables.iter_mut().zip(weights) {
                mine.f_copy_(theirs).map_err(|source| ModelError::Torch { model: self.name.clone(), source })?;
            }
            Ok(())
        })
    }

    /// A copy of all weights, detached, sorted by name.
    pub fn copied(&self) -> Vec<(String, Tensor)> {
        self.variables.iter().map(|(name, tensor)| (name.clone(), tensor.detach().copy())).collect()
    }

    /// Whether weights, sorted by name, have the names and shapes of this model's variables.
    ///
    /// # Errors
    /// When they have not; the first that differs is named.
    pub fn fits(&self, weights: &[(String, Tensor)]) -> Result<(), ModelError> {
        let missing: Vec<&str> = names_without(&self.variables, weights);
        let unknown: Vec<&str> = names_without(weights, &self.variables);
        if !missing.is_empty() || !unknown.is_empty() {
            let what = match (missing.is_empty(), unknown.is_empty()) {
                (false, true) => format!("missing {}", quoted(&missing)),
                (true, false) => format!("unknown {}", quoted(&unknown)),
                _ => format!("missing {}, unknown {}", quoted(&missing), quoted(&unknown)),
            };
            return Err(ModelError::Names { model: self.name.clone(), what });
        }
        for ((name, mine), (given, theirs)) in self.variables.iter().zip(weights) {
            if name != given {
                let what = format!("`{given}` stands where `{name}` belongs: they are not sorted by name");
                return Err(ModelError::Names { model: self.name.clone(), what });
            }
            if mine.size() != theirs.size() {
                return Err(ModelError::Shape {
                    model: self.name.clone(),
                    variable: name.clone(),
                    expected: mine.size(),
                    found: theirs.size(),
                });
            }
        }
        Ok(())
    }
}

/// The names of `these` that `those` lacks.
fn names_without<'a>(these: &'a [(String, Tensor)], those: &[(String, Tensor)]) -> Vec<&'a str> {
    let known: std::collections::BTreeSet<&str> = those.iter().map(|(name, _)| name.as_str()).collect();
    let lacks = |name: &str| !known.contains(name);
    these.iter().map(|(name, _)| name.as_str()).filter(|name| lacks(name)).collect()
}

fn quoted(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0..=5 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), more - 5),
    }
}

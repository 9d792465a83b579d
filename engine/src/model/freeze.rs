//! Freezing parameters, so that the training does not change them.

use crate::base::pattern;
use crate::model::entry::ModelEntry;
use crate::model::error::ModelError;
use crate::native::{TensorList, zero_grad};
use tch::Tensor;

impl ModelEntry {
    /// Freezes the parameters whose name matches a pattern: from now on they get no gradient, and optimizers do not
    /// update them. Their averages and moments do not change. Buffers are not frozen: the running statistics of batch
    /// norm are still updated. Returns the number of parameters that match.
    ///
    /// Checkpoints save which parameters are frozen.
    ///
    /// ```
    /// use engine::model::ModelEntry;
    /// use engine::prelude::*;
    ///
    /// let store = nn::VarStore::new(Device::Cpu);
    /// let features = nn::linear(store.root() / "features", 4, 4, Default::default());
    /// let _ = nn::linear(store.root() / "head", 4, 2, Default::default());
    /// let mut model = ModelEntry::new("net", store);
    /// assert_eq!(model.freeze("features.*")?, 2);
    /// assert!(!features.ws.requires_grad());
    /// assert_eq!((model.parameter_count(), model.frozen_count()), (30, 20));
    /// model.unfreeze("*")?;
    /// assert!(features.ws.requires_grad());
    /// let error = model.freeze("feature.*").unwrap_err().to_string();
    /// assert!(error.contains("did you mean `features.bias`?"), "{error}");
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the pattern matches no parameter.
    pub fn freeze(&mut self, pattern: &str) -> Result<usize, ModelError> {
        self.set_by_pattern(pattern, false)
    }

    /// Unfreezes the parameters whose name matches a pattern, so that they are trained again, whether
    /// [`ModelEntry::freeze`] or the model itself has frozen them. Returns the number of parameters that match.
    ///
    /// # Errors
    /// When the pattern matches no parameter.
    pub fn unfreeze(&mut self, pattern: &str) -> Result<usize, ModelError> {
        self.set_by_pattern(pattern, true)
    }

    /// The names of the frozen parameters, sorted.
    pub fn frozen(&self) -> impl Iterator<Item = &str> {
        self.parameters().filter(|(_, tensor)| !tensor.requires_grad()).map(|(name, _)| name.as_str())
    }

    /// Freezes the parameters of these names, and lets all others be trained.
    pub(crate) fn set_frozen(&mut self, names: &[String]) {
        for (name, tensor) in self.parameters() {
            let _ = tensor.set_requires_grad(!names.contains(name));
        }
    }

    /// Lets no variable take gradients any more, in whatever way it was made.
    pub(crate) fn set_gradients_off(&mut self) {
        for (_, tensor) in &self.variables {
            let _ = tensor.set_requires_grad(false);
        }
    }

    fn set_by_pattern(&mut self, pattern: &str, on: bool) -> Result<usize, ModelError> {
        match self.set_gradients(&|name| pattern::matches(pattern, name), on)? {
            0 => {
                let names: Vec<&str> = self.parameters().map(|(name, _)| name.as_str()).collect();
                let hint = pattern::hint(pattern, names.into_iter());
                Err(ModelError::NoMatch { pattern: pattern.to_owned(), hint })
            }
            count => Ok(count),
        }
    }

    /// Lets the parameters of these names take gradients or not; gives their number.
    pub(super) fn set_gradients(&mut self, meant: &dyn Fn(&str) -> bool, on: bool) -> Result<usize, ModelError> {
        let meant: Vec<&Tensor> = self.parameters().filter(|(name, _)| meant(name)).map(|(_, tensor)| tensor).collect();
        for tensor in &meant {
            let _ = tensor.set_requires_grad(on);
        }
        if !on {
            // a gradient that is there already would still be applied
            let let_go = TensorList::new(meant.iter().copied()).and_then(|list| zero_grad(&list));
            let_go.map_err(|source| ModelError::Native { model: self.name.clone(), source })?;
        }
        Ok(meant.len())
    }
}

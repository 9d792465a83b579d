//! Copying, loading and swapping the weights of a model.

use crate::model::entry::ModelEntry;
use crate::model::error::ModelError;
use crate::model::layer::{Layer, SwappedIn, exchange, fit_into, write_into};
use tch::Tensor;

impl ModelEntry {
    /// Gives the model other weights, sorted by name as [`ModelEntry::copied`] returns them. Nothing is copied: the
    /// storage is exchanged, so that layers and optimizer use the new values, and the given tensors have the previous
    /// values of the model. [`ModelEntry::swap_out`] restores both, bit for bit. `by` is the name of the hook, for
    /// messages.
    ///
    /// Several hooks may swap in weights at the same time, and swap them out in any order. The model uses the weights
    /// that were swapped in last. In an evaluation with `eval_weights: Trained` it goes on with its own.
    ///
    /// ```
    /// use engine::model::ModelEntry;
    /// use engine::prelude::*;
    ///
    /// let store = nn::VarStore::new(Device::Cpu);
    /// let layer = nn::linear(store.root(), 4, 2, Default::default());
    /// let mut model = ModelEntry::new("net", store);
    /// let zeros = model.copied().into_iter().map(|(name, tensor)| (name, tensor.zeros_like())).collect();
    /// let zeros = model.swap_in("Zeros", zeros)?;
    /// assert_eq!(f64::try_from(layer.ws.abs().sum(Kind::Double))?, 0.0); // the layer sees them
    /// model.swap_out(zeros);
    /// assert!(f64::try_from(layer.ws.abs().sum(Kind::Double))? > 0.0);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When names, shapes or kinds differ; then nothing is exchanged.
    pub fn swap_in(&mut self, by: &str, mut weights: Vec<(String, Tensor)>) -> Result<SwappedIn, ModelError> {
        self.fits(&weights)?;
        if self.keeps_own {
            return Ok(SwappedIn(u64::MAX));
        }
        exchange(&mut self.variables, &mut weights, &self.first);
        let number = self.layers.last().map_or(0, |layer| layer.number + 1);
        self.layers.push(Layer { number, by: by.to_owned(), tensors: weights });
        Ok(SwappedIn(number))
    }

    /// Swaps weights out again: the model has its previous values, and the tensors that were given to
    /// [`ModelEntry::swap_in`] have their own values again.
    pub fn swap_out(&mut self, SwappedIn(number): SwappedIn) {
        let Some(place) = self.layers.iter().position(|layer| layer.number == number) else { return };
        let mut layer = self.layers.remove(place);
        // what this layer has brought lies in the one above it, or in the model
        let above = self.layers.get_mut(place).map_or(&mut self.variables, |above| &mut above.tensors);
        exchange(above, &mut layer.tensors, &self.first);
    }

    /// Whether the model works with its own weights, whatever hooks swap in.
    pub(crate) fn set_keeps_own(&mut self, keeps_own: bool) {
        self.keeps_own = keeps_own;
    }

    /// The name of the hook whose weights the model uses; `None` when it uses its own.
    pub fn works_with(&self) -> Option<&str> {
        self.layers.last().map(|layer| layer.by.as_str())
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
    /// When names, shapes or kinds differ; then nothing is copied.
    pub fn load(&mut self, weights: &[(String, Tensor)]) -> Result<(), ModelError> {
        self.fits(weights)?;
        self.write((0..).zip(weights.iter().map(|(_, tensor)| tensor)).collect())
    }

    /// As [`ModelEntry::load`], of some of the variables, in any order; the others stay as they are.
    ///
    /// # Errors
    /// When a name is no variable's, or a shape or kind differs; nothing is copied then.
    pub fn load_some(&mut self, weights: &[(String, Tensor)]) -> Result<(), ModelError> {
        let mut places = Vec::new();
        for (given, theirs) in weights {
            let Some(place) = self.variables.iter().position(|(name, _)| name == given) else {
                return Err(ModelError::Names { model: self.name.clone(), what: format!("unknown `{given}`") });
            };
            self.fits_variable(place, theirs)?;
            places.push((place, theirs));
        }
        self.write(places)
    }

    /// Copies tensors that have the shapes and kinds of the variables at these places.
    fn write(&self, pairs: Vec<(usize, &Tensor)>) -> Result<(), ModelError> {
        tch::no_grad(|| {
            let failed = |source| ModelError::Torch { model: self.name.clone(), source };
            for (place, theirs) in &pairs {
                let (name, mine) = &self.variables[*place];
                if !fit_into(mine, theirs).map_err(failed)? {
                    return Err(ModelError::Repeats { model: self.name.clone(), variable: name.clone() });
                }
            }
            // a buffer may be a view of what is trained, and an average of other values than that
            for last in [false, true] {
                for (place, theirs) in pairs.iter().filter(|(place, _)| self.trainable[*place] == last) {
                    write_into(&self.variables[*place].1, theirs).map_err(failed)?;
                }
            }
            Ok(())
        })
    }

    /// The names of the variables that contain a NaN or an infinity. Each variable is read from its device.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn not_finite(&self) -> Result<Vec<&str>, ModelError> {
        let failed = |source| ModelError::Torch { model: self.name.clone(), source };
        let mut names = Vec::new();
        for (name, tensor) in self.distinct().filter(|(_, tensor)| tensor.is_floating_point()) {
            let finite = tensor.f_isfinite().and_then(|finite| finite.f_all()).map_err(failed)?;
            if finite.f_int64_value(&[]).map_err(failed)? == 0 {
                names.push(name.as_str());
            }
        }
        Ok(names)
    }

    /// A copy of all weights, detached, sorted by name.
    pub fn copied(&self) -> Vec<(String, Tensor)> {
        self.variables.iter().map(|(name, tensor)| (name.clone(), tensor.detach().copy())).collect()
    }

    /// Whether weights, sorted by name, have the names, shapes and kinds of this model's variables.
    ///
    /// # Errors
    /// When they differ; the message names the first difference.
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
        for (place, ((name, _), (given, theirs))) in self.variables.iter().zip(weights).enumerate() {
            if name != given {
                let what = format!("found `{given}`, expected `{name}`: the names must be sorted");
                return Err(ModelError::Names { model: self.name.clone(), what });
            }
            self.fits_variable(place, theirs)?;
        }
        Ok(())
    }

    /// Whether a tensor has the shape and kind of the variable at this place.
    fn fits_variable(&self, place: usize, theirs: &Tensor) -> Result<(), ModelError> {
        let (name, mine) = &self.variables[place];
        if mine.size() != theirs.size() {
            return Err(ModelError::Shape {
                model: self.name.clone(),
                variable: name.clone(),
                expected: mine.size(),
                found: theirs.size(),
            });
        }
        if mine.kind() != theirs.kind() {
            return Err(ModelError::Kind {
                model: self.name.clone(),
                variable: name.clone(),
                expected: mine.kind(),
                found: theirs.kind(),
            });
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

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, nn};

    fn model() -> (ModelEntry, Tensor) {
        let store = nn::VarStore::new(Device::Cpu);
        let weight = store.root().var("weight", &[2], nn::Init::Const(1.0));
        let _ = store.root().add("tied", weight.shallow_clone(), true);
        (ModelEntry::new("net", store), weight)
    }

    fn filled(value: f32) -> Vec<(String, Tensor)> {
        ["tied", "weight"].map(|name| (name.to_owned(), Tensor::from_slice(&[value, value]))).into()
    }

    /// A buffer that repeats one value, one that is a view of a parameter, and one of a large storage.
    fn odd() -> (ModelEntry, [Tensor; 4]) {
        let store = nn::VarStore::new(Device::Cpu);
        let weight = store.root().var("weight", &[2, 3], nn::Init::Randn { mean: 0.0, stdev: 1.0 });
        let large = Tensor::rand([4, 5], (Kind::Float, Device::Cpu));
        let buffers = [
            Tensor::rand([2, 1], (Kind::Float, Device::Cpu)).expand([4, 2, 3], false),
            weight.detach().transpose(0, 1),
            large.slice(1, 1, 5, 2),
            weight.detach().narrow(1, 1, 1).expand([2, 4], false),
        ];
        for (index, buffer) in buffers.iter().enumerate() {
            let _ = store.root().add(&format!("buffer{index}"), buffer.shallow_clone(), false);
        }
        (ModelEntry::new("net", store), buffers)
    }

    #[test]
    fn what_was_copied_out_of_odd_buffers_is_loaded_into_them() {
        let (mut model, buffers) = odd();
        let kept = model.copied();
        let weights: Vec<Tensor> = buffers.iter().map(Tensor::shallow_clone).collect();
        tch::no_grad(|| {
            for (name, tensor) in model.variables() {
                let mut one_each = match name.as_str() {
                    "buffer0" => tensor.narrow(0, 0, 1).narrow(2, 0, 1),
                    "buffer3" => tensor.narrow(1, 0, 1),
                    _ => tensor.detach(),
                };
                let _ = one_each.zero_();
            }
        });
        model.load(&kept).unwrap();
        for ((name, expected), (_, found)) in kept.iter().zip(model.variables()) {
            assert!(expected.equal(found), "{name}");
        }
        // still the same memory: what is written to the weight is seen in its views
        let weight = &model.variables().iter().find(|(name, _)| name == "weight").unwrap().1;
        let _ = tch::no_grad(|| weight.shallow_clone().fill_(7.0));
        assert_eq!((weights[1].double_value(&[2, 1]), weights[3].double_value(&[1, 3])), (7.0, 7.0));
    }

    #[test]
    fn several_values_for_a_buffer_that_has_one_are_refused() {
        let (mut model, _) = odd();
        let mut weights = model.copied();
        weights[0].1 = Tensor::arange(24, (Kind::Float, Device::Cpu)).reshape([4, 2, 3]);
        let error = model.load(&weights).unwrap_err().to_string();
        assert!(error.starts_with("`net.buffer0` repeats one value along a dimension"), "{error}");
    }

    #[test]
    fn a_parameter_that_repeats_one_value_is_refused() {
        let store = nn::VarStore::new(Device::Cpu);
        let one = Tensor::from_slice(&[2f32]).expand([2, 3], false);
        let _ = store.root().add("weight", one, true);
        let error = ModelEntry::new("net", store).check_memory().unwrap_err().to_string();
        assert!(error.starts_with("the parameter `weight` of the model `net` repeats one value"), "{error}");
    }

    #[test]
    fn weights_of_another_kind_are_refused_by_name() {
        let (mut model, weight) = model();
        let doubles: Vec<_> =
            filled(2.0).into_iter().map(|(name, tensor)| (name, tensor.to_kind(Kind::Double))).collect();
        let expected = "`net.tied` is of kind Float, the given weights are of kind Double; was the checkpoint written with other settings?";
        assert_eq!(model.load(&doubles).unwrap_err().to_string(), expected);
        assert_eq!(model.swap_in("doubles", doubles).unwrap_err().to_string(), expected);
        assert_eq!((first(&weight), weight.kind()), (1.0, Kind::Float));
    }

    fn first(tensor: &Tensor) -> f64 {
        tensor.double_value(&[0])
    }

    #[test]
    fn weights_that_nest_are_taken_out_in_any_order() {
        for outer_first in [false, true] {
            let (mut model, weight) = model();
            let (twos, threes) = (filled(2.0), filled(3.0));
            let kept = [&twos, &threes].map(|weights| weights[0].1.shallow_clone());
            let inner = model.swap_in("twos", twos).unwrap();
            let outer = model.swap_in("threes", threes).unwrap();
            assert_eq!((first(&weight), model.works_with()), (3.0, Some("threes")));
            match outer_first {
                true => {
                    model.swap_out(outer);
                    assert_eq!((first(&weight), model.works_with()), (2.0, Some("twos")));
                    model.swap_out(inner);
                }
                false => {
                    model.swap_out(inner);
                    assert_eq!((first(&weight), model.works_with()), (3.0, Some("threes")));
                    model.swap_out(outer);
                }
            }
            assert_eq!((first(&weight), model.works_with()), (1.0, None));
            assert_eq!(kept.each_ref().map(first), [2.0, 3.0]);
        }
    }
}

//! Weights that other programs have written.

use crate::model::entry::ModelEntry;
use crate::model::error::ModelError;
use tch::{Kind, Tensor};

/// What files of other programs hold besides weights: the end of the name, how such a tensor looks, and what it is.
struct LeftOver {
    name: &'static str,
    looks: fn(&[i64], Kind) -> bool,
    what: &'static str,
}

const LEFT_OVER: [LeftOver; 5] = [
    // it is used where a layer has no momentum, which layers here always have
    LeftOver {
        name: "num_batches_tracked",
        looks: |shape, kind| kind == Kind::Int64 && shape.iter().product::<i64>() == 1,
        what: "by which PyTorch counts batches",
    },
    LeftOver {
        name: "attn.bias",
        looks: |shape, _| matches!(shape, [1, 1, rows, columns] if rows == columns),
        what: "the mask of GPT-2's attention, which is no weight",
    },
    LeftOver {
        name: "attn.masked_bias",
        looks: |shape, _| shape.iter().product::<i64>() == 1,
        what: "a constant of GPT-2's attention, which is no weight",
    },
    LeftOver {
        name: "position_ids",
        looks: |shape, kind| kind == Kind::Int64 && matches!(shape, [1, _]),
        what: "the numbers of positions, which are no weights",
    },
    LeftOver {
        name: "rotary_emb.inv_freq",
        looks: |shape, _| shape.len() == 1,
        what: "the frequencies of rotary positions, which are no weights",
    },
];

/// What a tensor of another program's file is, where it is none of the weights.
pub(crate) fn left_over(name: &str, shape: &[i64], kind: Kind) -> Option<&'static str> {
    let is_of = |known: &&LeftOver| {
        let before = name.strip_suffix(known.name);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.')) && (known.looks)(shape, kind)
    };
    LEFT_OVER.iter().find(is_of).map(|known| known.what)
}

impl ModelEntry {
    /// Changes weights of a file, which may come from another program, so that [`ModelEntry::load`] accepts them, and
    /// returns a text for each change. Tensors that are not weights (PyTorch's counters of batch norm layers, masks of
    /// GPT-2 and others) are removed, and floating-point weights of another precision are converted. Whether names and shapes fit the model is not checked here.
    ///
    /// ```
    /// use engine::model::ModelEntry;
    /// use engine::prelude::*;
    ///
    /// let store = nn::VarStore::new(Device::Cpu);
    /// let _ = nn::batch_norm1d(store.root(), 4, Default::default());
    /// let mut model = ModelEntry::new("net", store);
    /// let mut weights = model.copied(); // bias, running_mean, running_var, weight
    /// weights.insert(1, ("num_batches_tracked".to_owned(), Tensor::from(20i64)));
    /// let told = model.adapt(&mut weights)?;
    /// assert_eq!(told, ["ignored: `num_batches_tracked`, by which PyTorch counts batches"]);
    /// model.load(&weights)?;
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When libtorch can't convert a tensor.
    pub fn adapt(&self, weights: &mut Vec<(String, Tensor)>) -> Result<Vec<String>, ModelError> {
        let mut told = Vec::new();
        let own = |name: &str| {
            let place = self.variables.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
            self.variables.get(place)
        };
        let what = |name: &str, tensor: &Tensor| match own(name) {
            Some(_) => None,
            None => left_over(name, &tensor.size(), tensor.kind()),
        };
        let mut ignored: Vec<(&'static str, String, usize)> = Vec::new();
        weights.retain(|(name, tensor)| {
            let Some(what) = what(name, tensor) else { return true };
            match ignored.iter_mut().find(|(known, ..)| *known == what) {
                Some((.., more)) => *more += 1,
                None => ignored.push((what, name.clone(), 0)),
            }
            false
        });
        told.extend(ignored.into_iter().map(|(what, name, more)| match more {
            0 => format!("ignored: `{name}`, {what}"),
            _ => format!("ignored: `{name}` and {more} more of its name, {what}"),
        }));
        let mut converted: Vec<(Kind, Kind, &str, usize)> = Vec::new();
        for (name, tensor) in weights.iter_mut() {
            let Some((variable, mine)) = own(name) else { continue };
            let (from, to) = (tensor.kind(), mine.kind());
            if from == to || !mine.is_floating_point() || !tensor.is_floating_point() {
                continue;
            }
            *tensor = tensor.f_to_kind(to).map_err(|source| ModelError::Torch { model: self.name.clone(), source })?;
            match converted.iter_mut().find(|(known, other, ..)| (*known, *other) == (from, to)) {
                Some((.., count)) => *count += 1,
                None => converted.push((from, to, variable, 1)),
            }
        }
        told.extend(converted.into_iter().map(|(from, to, first, count)| {
            let others = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            format!("converted from {from:?} to {to:?}, the kind of the model: `{}.{first}`{others}", self.name)
        }));
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, nn};

    /// Four floats, and one integer that has the name of PyTorch's counter.
    fn model() -> ModelEntry {
        let store = nn::VarStore::new(Device::Cpu);
        for name in ["a", "b"] {
            let _ = (store.root() / name).var("weight", &[2], nn::Init::Const(0.0));
        }
        let _ = (store.root() / "own").add("num_batches_tracked", Tensor::from(1i64), false);
        ModelEntry::new("net", store)
    }

    fn weights(kind: Kind, counters: &[&str]) -> Vec<(String, Tensor)> {
        let float = |name: &str| (format!("{name}.weight"), Tensor::from_slice(&[0.5, 1.5]).to_kind(kind));
        let counters = counters.iter().map(|name| (format!("{name}.num_batches_tracked"), Tensor::from(20i64)));
        let mut all: Vec<_> = ["a", "b"].map(float).into_iter().chain(counters).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    #[test]
    fn counters_of_batch_norm_are_left_out_and_told_once_and_one_of_the_model_stays() {
        let mut model = model();
        let mut fitting = weights(Kind::Float, &["a", "b", "own"]);
        let told = model.adapt(&mut fitting).unwrap();
        assert_eq!(told, ["ignored: `a.num_batches_tracked` and 1 more of its name, by which PyTorch counts batches"]);
        model.load(&fitting).unwrap();
        assert_eq!(model.variables()[2].1.int64_value(&[]), 20);
        // of another shape it is no counter
        let mut odd = weights(Kind::Float, &["own"]);
        odd.insert(0, ("a.num_batches_tracked".to_owned(), Tensor::from_slice(&[1i64, 2])));
        let told = model.adapt(&mut odd).unwrap();
        assert!(
            told.is_empty() && model.load(&odd).unwrap_err().to_string().contains("unknown `a.num_batches_tracked`")
        );
    }

    #[test]
    fn another_precision_is_converted_and_told_and_another_kind_is_refused() {
        let mut model = model();
        for kind in [Kind::Half, Kind::BFloat16, Kind::Double] {
            let mut fitting = weights(kind, &["own"]);
            let told = model.adapt(&mut fitting).unwrap();
            let expected =
                format!("converted from {kind:?} to Float, the kind of the model: `net.a.weight` and 1 more");
            assert_eq!(told, [expected]);
            model.load(&fitting).unwrap();
            assert_eq!(model.variables()[1].1.double_value(&[1]), 1.5);
        }
        let mut integers = weights(Kind::Int64, &["own"]);
        assert!(model.adapt(&mut integers).unwrap().is_empty());
        let error = model.load(&integers).unwrap_err().to_string();
        assert!(error.starts_with("`net.a.weight` is of kind Float, the given weights are of kind Int64"), "{error}");
    }
}

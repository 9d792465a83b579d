//! What a dataset tells of its samples, for a choice of them.

use crate::data::dataset::Dataset;

/// Weights, classes and lengths, as far as a dataset tells them.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) weights: Option<Vec<f64>>,
    pub(super) classes: Option<Vec<i64>>,
    pub(super) lengths: Option<Vec<usize>>,
}

impl Told {
    /// Those of these samples, in this order. All indices are within the dataset.
    pub(super) fn of<D: Dataset>(dataset: &D, indices: impl Iterator<Item = usize> + Clone) -> Told {
        Told {
            weights: dataset.weights().map(|weights| chosen(weights, indices.clone())),
            classes: dataset.classes().map(|classes| chosen(classes, indices.clone())),
            lengths: dataset.lengths().map(|lengths| chosen(lengths, indices)),
        }
    }

    /// Those of several datasets, one after the other; a fact that one of them does not tell is not told.
    pub(super) fn joined(all: Vec<Told>) -> Told {
        let mut all = all.into_iter();
        let Some(first) = all.next() else { return Told::default() };
        all.fold(first, |before, next| Told {
            weights: both(before.weights, next.weights),
            classes: both(before.classes, next.classes),
            lengths: both(before.lengths, next.lengths),
        })
    }
}

// a dataset with too few values is refused by the sampler that uses them, which counts them
fn chosen<T: Copy>(values: &[T], indices: impl Iterator<Item = usize>) -> Vec<T> {
    indices.filter_map(|index| values.get(index).copied()).collect()
}

fn both<T>(before: Option<Vec<T>>, next: Option<Vec<T>>) -> Option<Vec<T>> {
    let (mut before, next) = (before?, next?);
    before.extend(next);
    Some(before)
}

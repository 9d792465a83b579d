//! Batches that leave out samples that were read for them.

use engine::prelude::*;
use engine_tests::weighing::Sentence;

/// A sentence with its number.
pub struct Item(Sentence, usize);

impl Collate for Item {
    type Batch = (Tensor, Tensor);

    /// Without every fifth.
    fn collate(items: Vec<Self>) -> Result<(Tensor, Tensor)> {
        let kept = items.into_iter().filter(|Item(_, index)| index % 5 != 1);
        Collate::collate(kept.map(|Item((point, heap, _), _)| (point, heap)).collect::<Vec<_>>())
    }
}

fn parts((points, heaps): &(Tensor, Tensor)) -> (&Tensor, &Tensor, Tensor) {
    (points, heaps, heaps.ones_like().to_kind(Kind::Float))
}

engine_tests::weighing!(Item, (Tensor, Tensor), parts);

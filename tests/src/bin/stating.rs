//! Batches that state their weight.

use engine::prelude::*;
use engine_tests::weighing::Sentence;

/// A sentence with its number.
pub struct Item(Sentence, usize);

/// Points `[n, 4]`, heaps `[n]`, and the words of each.
#[derive(Batch)]
pub struct Words {
    points: Tensor,
    heaps: Tensor,
    #[batch(weight)]
    words: Vec<u32>,
}

impl Collate for Item {
    type Batch = Words;

    fn collate(items: Vec<Self>) -> Result<Words> {
        let (sentences, words): (Vec<_>, Vec<_>) = items
            .into_iter()
            .map(|Item((point, heap, words), number)| ((point, heap), (words + number % 2) as u32))
            .unzip();
        let (points, heaps) = Collate::collate(sentences)?;
        Ok(Words { points, heaps, words })
    }
}

fn parts(batch: &Words) -> (&Tensor, &Tensor, Tensor) {
    let words: Vec<f32> = batch.words.iter().map(|words| *words as f32).collect();
    (&batch.points, &batch.heaps, Tensor::from_slice(&words))
}

engine_tests::weighing!(Item, Words, parts);

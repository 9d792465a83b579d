//! What an order of many samples may not cost: memory for each of them.

use crate::allocations::allocated_bytes;
use engine::base::Result;
use engine::data::{Cursor, Dataset, Infinite, Loader, LoaderConfig, SamplerConfig, Weighted};
use engine::random::SampleRng;

/// Each sample is its index.
#[derive(Debug)]
struct Indices {
    len: usize,
    weights: Option<Vec<f64>>,
}

impl Dataset for Indices {
    type Config = ();
    type Item = i64;

    fn open(_: &()) -> Result<Self> {
        Ok(Indices { len: 3_000_000_000, weights: None })
    }
    fn len(&self) -> usize {
        self.len
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<i64> {
        Ok(index as i64)
    }
    fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }
}

/// The bytes that are asked for when batches are taken at the end of a pass and at the beginning of the next one.
fn bytes(dataset: Indices, sampler: Option<Box<dyn SamplerConfig>>) -> u64 {
    let config = LoaderConfig { shuffle: sampler.is_none(), sampler, ..LoaderConfig::new((), 64) };
    let (before, samples) = (allocated_bytes(), dataset.len as u64);
    let mut loader = Loader::with_dataset("train", dataset, &config, 1).unwrap();
    for cursor in [Cursor { pass: 0, sample: samples.saturating_sub(64) }, Cursor { pass: 1, sample: 0 }] {
        loader.start(cursor).unwrap();
        assert!(loader.next_batch().unwrap().is_some());
    }
    allocated_bytes() - before
}

#[test]
fn three_thousand_million_shuffled_samples_begin_within_a_megabyte() {
    for sampler in [None, Some(Box::new(Infinite {}) as Box<dyn SamplerConfig>)] {
        let bytes = bytes(Indices::open(&()).unwrap(), sampler);
        assert!((1..1_000_000).contains(&bytes), "{bytes} bytes");
    }
}

#[test]
fn draws_by_weight_take_one_table_for_all_passes() {
    let len = 200_000;
    let dataset = Indices { len, weights: Some(vec![1.0; len]) };
    let bytes = bytes(dataset, Some(Box::new(Weighted { samples: Some(4_000_000_000) })));
    let table = 8 * len as u64;
    assert!((table..table + 100_000).contains(&bytes), "{bytes} bytes");
}

//! Very many samples, and more than there can be.

use super::*;
use crate::data::{Infinite, SamplerConfig, Weighted};
use std::time::Instant;

/// As many samples as there are on no disk: each is its index.
#[derive(Debug)]
struct Endless;

impl Dataset for Endless {
    type Config = ();
    type Item = i64;

    fn open(_: &()) -> Result<Self> {
        Ok(Endless)
    }

    fn len(&self) -> usize {
        3_000_000_000
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<i64> {
        Ok(index as i64)
    }
}

#[test]
fn any_place_in_three_thousand_million_shuffled_samples_is_reached_at_once() {
    for sampler in [None, Some(Box::new(Infinite {}) as Box<dyn crate::data::SamplerConfig>)] {
        let config = LoaderConfig { shuffle: sampler.is_none(), sampler, ..LoaderConfig::new((), 4) };
        let mut loader = Loader::<Endless>::open("train", &config, 1).unwrap();
        let begun = Instant::now();
        let mut seen = std::collections::BTreeSet::new();
        for sample in [0, 4, 1_234_567_892, 2_999_999_996] {
            loader.start(Cursor { pass: 3, sample }).unwrap();
            let indices = Vec::<i64>::try_from(loader.next_batch().unwrap().unwrap()).unwrap();
            seen.extend(indices);
        }
        assert_eq!(seen.len(), 16, "an index came twice");
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    }
}

#[test]
fn more_samples_under_way_than_memory_holds_are_refused() {
    let sampler = Some(Box::new(Infinite {}) as Box<dyn crate::data::SamplerConfig>);
    let huge = LoaderConfig { sampler, workers: 256.into(), prefetch: 1024, ..LoaderConfig::new((), 1 << 24) };
    let error = Loader::<Endless>::open("train", &huge, 1).unwrap_err().to_string();
    assert!(error.contains("samples would be in memory at once") && error.contains("smaller `batch_size`"), "{error}");
    let error = Loader::<Endless>::open("train", &LoaderConfig::new((), 1 << 25), 1).unwrap_err().to_string();
    assert_eq!(error, "loader `train`: `batch_size` must be at most 16777216, got 33554432");
    // as many as there are, which are few
    assert!(
        Loader::<Numbers>::open(
            "train",
            &LoaderConfig { workers: 256.into(), prefetch: 1024, ..config(numbers(8), 1 << 24, 0) },
            1
        )
        .is_ok()
    );
}

/// As many samples as a number can count.
#[derive(Debug)]
struct Countless;

impl Dataset for Countless {
    type Config = ();
    type Item = i64;

    fn open(_: &()) -> Result<Self> {
        Ok(Countless)
    }

    fn len(&self) -> usize {
        usize::MAX
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<i64> {
        Ok((index % 1000) as i64)
    }
}

#[test]
fn the_largest_numbers_of_samples_overflow_nothing() {
    for shuffle in [false, true] {
        let config = LoaderConfig { shuffle, ..LoaderConfig::new((), 4) };
        let mut loader = Loader::<Countless>::open("train", &config, 1).unwrap();
        assert_eq!(loader.batches(), Some(1 << 62));
        loader.start(Cursor { pass: u64::MAX, sample: u64::MAX - 3 }).unwrap();
        assert_eq!(loader.next_batch().unwrap().map(|batch| Batch::size(&batch)), Some(3));
        assert!(loader.next_batch().unwrap().is_none());
        assert_eq!(loader.cursor(), Cursor { pass: u64::MAX, sample: 0 });
    }
}

#[test]
fn draws_by_weight_without_number_take_no_memory() {
    let data = Numbers { weights: Some(vec![1.0, 0.0, 1.0]), ..numbers(3) };
    for samples in [10_000_000_000, usize::MAX] {
        let sampler = Some(Box::new(Weighted { samples: Some(samples) }) as Box<dyn SamplerConfig>);
        let mut loader = open(&LoaderConfig { shuffle: false, sampler, ..config(data.clone(), 4, 0) });
        loader.start(Cursor { pass: 1, sample: samples as u64 - 2 }).unwrap();
        let drawn = rest(&mut loader, 99).concat();
        assert!(drawn.len() == 2 && drawn.iter().all(|(index, _)| *index != 1), "{drawn:?}");
    }
}

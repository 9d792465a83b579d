//! What goes wrong in a dataset or a sampler, and what is said of it.

use super::*;
use crate::data::{Order, Pass, Population, Sampler, Samples};
use std::time::Instant;

#[test]
fn an_error_names_loader_sample_and_pass_and_comes_in_its_turn() {
    for workers in [0, 1, 3] {
        let mut loader = open(&config(Numbers { fails_at: Some(17), millis: 1, ..numbers(40) }, 4, workers));
        let begun = Instant::now();
        loader.start(Cursor { pass: 5, sample: 0 }).unwrap();
        let mut before = 0;
        let error = loop {
            match loader.next_batch() {
                Ok(batch) => before += usize::from(batch.is_some()),
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), "loader `train` can't read sample 17 in pass 5: the file is cut short");
        assert_eq!(data_error(&error).cause().unwrap().to_string(), "the file is cut short");
        assert_eq!(loader.cursor(), Cursor { pass: 5, sample: 4 * before as u64 });
        // the same batch fails again
        assert!(loader.next_batch().is_err());
        drop(loader);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }
}

#[test]
fn a_panic_becomes_an_error_with_its_message() {
    for workers in [0, 3] {
        let first_error = |dataset: Numbers| {
            let mut loader = open(&LoaderConfig { shuffle: false, ..config(dataset, 4, workers) });
            let error = (0..10).find_map(|_| loader.next_batch().err()).unwrap();
            assert!(loader.next_batch().is_err(), "the workers are still there");
            error.to_string()
        };
        let panicked = first_error(Numbers { panics_at: Some(6), ..numbers(40) });
        let text =
            "loader `train` can't read sample 6 in pass 0: the dataset panicked: no label in row 6 (at engine/src/";
        assert!(panicked.starts_with(text), "{panicked}");
        let bomb = first_error(Numbers { bomb_at: Some(6), ..numbers(40) });
        let text = "loader `train` can't read sample 6 in pass 0: the dataset panicked: no message (at engine/src/";
        assert!(bomb.starts_with(text), "{bomb}");
    }
}

#[test]
fn samples_that_do_not_fit_together_are_named() {
    let settings = config(Numbers { ragged_at: Some(6), ..numbers(40) }, 4, 2);
    let mut loader = open(&LoaderConfig { shuffle: false, ..settings });
    loader.start(Cursor { pass: 0, sample: 4 }).unwrap();
    let error = loader.next_batch().unwrap_err().to_string();
    let expected = "loader `train` can't make the batch at position 4 of pass 0 (item 2 is sample 6): in part 2 of the sample: item 2 of the batch has shape [3], item 0 has [2];";
    assert!(error.starts_with(expected), "{error}");
}

/// Makes its batches in one go.
struct Whole;

impl Dataset for Whole {
    type Config = ();
    type Item = i64;

    fn open(_: &()) -> Result<Self> {
        Ok(Whole)
    }

    fn len(&self) -> usize {
        20
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<i64> {
        Ok(index as i64)
    }

    fn batch(&self, samples: &Samples) -> Result<Tensor> {
        assert!(samples.indices() != [12, 13, 14, 15], "libtorch said no");
        let items = samples.map(|index, rng| self.get(index, rng))?;
        Ok(Tensor::f_from_slice(&items)?.f_add_scalar(samples.batch_rng().range(100..200) / 100)?)
    }
}

#[test]
fn a_batch_made_in_one_go_is_guarded_too() {
    for workers in [0, 2] {
        let mut loader =
            Loader::<Whole>::open("val", &LoaderConfig { workers: workers.into(), ..LoaderConfig::new((), 4) }, 0)
                .unwrap();
        let first = loader.next_batch().unwrap().unwrap();
        assert_eq!(Vec::<i64>::try_from(first).unwrap(), [1, 2, 3, 4]);
        let error = (0..3).find_map(|_| loader.next_batch().err()).unwrap();
        let text = "loader `val` can't make the batch at position 12 of pass 0 from samples 12, 13, 14, 15: the dataset panicked: libtorch said no (at ";
        assert!(error.to_string().starts_with(text), "{error}");
    }
}

/// Gives an order that does not fit, or none at all.
#[engine_macros::component(sampler)]
struct BadSampler {
    how: Misbehaviour,
}

#[engine_macros::component]
enum Misbehaviour {
    Outside,
    TooShort,
    Panics,
}

impl Sampler for BadSampler {
    fn order(&self, data: &Population<'_>, _: &Pass) -> Result<Order> {
        match self.how {
            Misbehaviour::Outside => Ok(Order::List(vec![data.len; data.len])),
            Misbehaviour::TooShort => Ok(Order::Range(data.len - 1)),
            Misbehaviour::Panics => panic!("no idea"),
        }
    }
}

#[test]
fn a_sampler_that_misbehaves_is_an_error() {
    for workers in [0, 2] {
        let refused = |how: Misbehaviour| {
            let sampler = BadSampler { how };
            let settings = config(numbers(8), 4, workers);
            let mut loader = open(&LoaderConfig { shuffle: false, sampler: Some(Box::new(sampler)), ..settings });
            loader.next_batch().unwrap_err().to_string()
        };
        let place = "the sampler of loader `train` failed in pass 0: ";
        assert_eq!(
            refused(Misbehaviour::Outside),
            format!("{place}`Sampler::order` returned index 8, and the dataset has 8 samples")
        );
        assert_eq!(
            refused(Misbehaviour::TooShort),
            format!("{place}`Sampler::order` returned 7 samples, and `Sampler::samples` said 8")
        );
        assert!(refused(Misbehaviour::Panics).starts_with(&format!("{place}the sampler panicked: no idea (at ")));
    }
}

#[test]
fn data_that_give_no_batch_are_refused_at_once() {
    let refused =
        |config: &LoaderConfig<Numbers>| Loader::<Numbers>::open("train", config, 42).unwrap_err().to_string();
    assert!(refused(&config(numbers(0), 4, 0)).starts_with("loader `train` has no samples"));
    let few = refused(&LoaderConfig { drop_last: true, ..config(numbers(3), 4, 0) });
    assert!(few.starts_with("loader `train` gives no batch: `batch_size` is 4") && few.ends_with("at most 3"), "{few}");
    assert_eq!(
        refused(&config(numbers(usize::MAX), 4, 0)),
        "the data of loader `train` can't be opened: no such folder"
    );
    assert_eq!(refused(&config(numbers(3), 0, 0)), "loader `train`: `batch_size` must be at least 1, got 0");
}

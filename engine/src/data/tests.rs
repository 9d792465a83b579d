//! What the loader promises, seen from outside.

use crate::base::state::Saved;
use crate::base::{Error, Result};
use crate::data::{
    Batch, BatchOf, Cursor, DataError, Dataset, Infinite, Loader, LoaderConfig, Order, Pass, Population, Sampler,
    Samples, Weighted,
};
use crate::random::SampleRng;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tch::Tensor;

/// Numbers that misbehave where they are told to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Numbers {
    len: usize,
    weights: Option<Vec<f64>>,
    fails_at: Option<usize>,
    panics_at: Option<usize>,
    /// A panic without a text, whose payload panics again when it is dropped.
    bomb_at: Option<usize>,
    ragged_at: Option<usize>,
    millis: u64,
    #[serde(skip)]
    gets: std::sync::Arc<AtomicUsize>,
}

// orders and random numbers of loader `train` with seed 42 and 10 samples, by an independent program
const ORDER_0: [i64; 10] = [1, 6, 0, 4, 2, 7, 8, 5, 9, 3];
const ORDER_1: [i64; 10] = [1, 8, 5, 9, 3, 7, 0, 4, 6, 2];
const RANDOM_1: [i64; 10] = [645, 426, 173, 726, 994, 636, 508, 223, 695, 902];

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the bomb went off");
    }
}

impl Dataset for Numbers {
    type Config = Numbers;
    /// The index, a random number, and a row.
    type Item = (i64, i64, Tensor);

    fn open(config: &Numbers) -> Result<Self> {
        match config.len {
            usize::MAX => Err(Error::msg("no such folder")),
            _ => Ok(config.clone()),
        }
    }

    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<Self::Item> {
        self.gets.fetch_add(1, Ordering::SeqCst);
        // the first sample of each four is the slowest, so that workers overtake each other
        std::thread::sleep(Duration::from_millis(if index.is_multiple_of(4) { self.millis } else { 0 }));
        let at = Some(index);
        if at == self.fails_at {
            return Err(Error::msg("the file is cut short"));
        }
        assert!(at != self.panics_at, "no label in row {index}");
        if at == self.bomb_at {
            std::panic::panic_any(Bomb);
        }
        let len = if at == self.ragged_at { 3 } else { 2 };
        Ok((index as i64, rng.range(0..1000), Tensor::f_from_slice(&vec![index as f32; len])?))
    }

    fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }
}

fn numbers(len: usize) -> Numbers {
    Numbers { len, ..Numbers::default() }
}

fn config(dataset: Numbers, batch_size: usize, workers: usize) -> LoaderConfig<Numbers> {
    LoaderConfig { shuffle: true, workers, ..LoaderConfig::new(dataset, batch_size) }
}

fn open(config: &LoaderConfig<Numbers>) -> Loader<Numbers> {
    Loader::open("train", config, 42).unwrap()
}

/// The indices and random numbers of a batch.
fn seen(batch: &BatchOf<Numbers>) -> Vec<(i64, i64)> {
    let part = |tensor: &Tensor| Vec::<i64>::try_from(tensor).unwrap();
    part(&batch.0).into_iter().zip(part(&batch.1)).collect()
}

/// What is left of the pass, batch by batch, at most this many.
fn rest(loader: &mut Loader<Numbers>, most: usize) -> Vec<Vec<(i64, i64)>> {
    let mut batches = Vec::new();
    while batches.len() < most
        && let Some(batch) = loader.next_batch().unwrap()
    {
        assert_eq!(batch.size(), seen(&batch).len());
        batches.push(seen(&batch));
    }
    batches
}

fn pass(loader: &mut Loader<Numbers>, pass: u64) -> Vec<Vec<(i64, i64)>> {
    loader.start(Cursor { pass, sample: 0 }).unwrap();
    rest(loader, usize::MAX)
}

fn data_error(error: &Error) -> &DataError {
    error.downcast_ref().expect("a typed error")
}

#[test]
fn order_and_augmentation_keep_their_values() {
    let mut loader = open(&config(numbers(10), 4, 0));
    let indices = |pass: Vec<Vec<(i64, i64)>>| pass.concat().iter().map(|(index, _)| *index).collect::<Vec<_>>();
    assert_eq!(indices(pass(&mut loader, 0)), ORDER_0);
    let second = pass(&mut loader, 1);
    assert_eq!(second.concat().iter().map(|(_, random)| *random).collect::<Vec<_>>(), RANDOM_1);
    assert_eq!(indices(second), ORDER_1);
}

#[test]
fn the_batches_are_the_same_for_any_number_of_workers() {
    let passes = |workers| {
        let slow = Numbers { millis: 2, ..numbers(37) };
        let mut loader = open(&config(slow, 4, workers));
        (0..3).map(|number| pass(&mut loader, number)).collect::<Vec<_>>()
    };
    let alone = passes(0);
    assert_ne!(alone[0], alone[1]);
    assert_eq!(alone[0].len(), 10);
    assert_eq!(passes(1), alone);
    assert_eq!(passes(3), alone);
}

#[test]
fn two_loaders_of_one_run_draw_differently() {
    let config = config(numbers(20), 20, 0);
    let mut other = Loader::open("other", &config, 42).unwrap();
    assert_ne!(pass(&mut open(&config), 0), pass(&mut other, 0));
}

#[test]
fn going_to_a_sample_is_as_if_the_loader_had_come_there() {
    for workers in [0, 3] {
        let config = config(numbers(37), 4, workers);
        let mut one = open(&config);
        one.start(Cursor { pass: 2, sample: 0 }).unwrap();
        let before = rest(&mut one, 6);
        assert_eq!(before.len(), 6);
        let cursor = Cursor::restore(one.cursor().save()).unwrap();
        assert_eq!((cursor, one.batches_left()), (Cursor { pass: 2, sample: 24 }, Some(4)));
        let mut other = open(&config);
        other.start(cursor).unwrap();
        assert_eq!(rest(&mut other, 99), rest(&mut one, 99));
        assert_eq!((other.cursor(), other.batches_left()), (Cursor { pass: 3, sample: 0 }, Some(0)));
    }
}

/// Samples in the common order, whatever their batches are.
fn flat(batches: Vec<Vec<(i64, i64)>>) -> Vec<(i64, i64)> {
    batches.concat()
}

#[test]
fn with_another_batch_size_the_samples_are_dealt_on_from_where_the_loader_stood() {
    for workers in [0, 2] {
        let mut whole = open(&config(numbers(37), 37, 0));
        let whole = [flat(pass(&mut whole, 0)), flat(pass(&mut whole, 1))].concat();
        let mut first = open(&config(numbers(37), 4, workers));
        let before = flat(rest(&mut first, 3));
        let mut later = open(&config(numbers(37), 7, workers));
        later.start(first.cursor()).unwrap();
        assert_eq!((later.cursor(), later.batches_left()), (Cursor { pass: 0, sample: 12 }, Some(4)));
        let after = rest(&mut later, 99);
        assert_eq!(after.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 7, 4], "the last one ends with the pass");
        assert!(later.next_batch().unwrap().is_none());
        later.start(later.cursor()).unwrap();
        assert_eq!([before, flat(after), flat(rest(&mut later, 99))].concat(), whole);
    }
}

#[test]
fn infinite_and_shuffled_passes_go_on_in_each_others_place() {
    let endless = LoaderConfig { shuffle: false, sampler: Some(Box::new(Infinite {})), ..config(numbers(10), 4, 0) };
    let finite = config(numbers(10), 3, 0);
    let mut passes = open(&config(numbers(10), 10, 0));
    let common: Vec<_> = (0..4).flat_map(|number| flat(pass(&mut passes, number))).collect();
    let mut loader = open(&endless);
    let order = loader.common_order();
    let mut seen = flat(rest(&mut loader, 4));
    assert_eq!(loader.cursor(), Cursor { pass: 1, sample: 6 });
    let mut as_finite = open(&finite);
    assert_eq!(as_finite.common_order(), order);
    as_finite.start(loader.cursor()).unwrap();
    seen.extend(flat(rest(&mut as_finite, 1)));
    let mut again = open(&endless);
    again.start(as_finite.cursor()).unwrap();
    seen.extend(flat(rest(&mut again, 5)));
    assert_eq!(seen, common[..16 + 3 + 20]);
}

#[test]
fn a_tail_that_was_left_out_is_not_given_by_a_smaller_batch_size() {
    let mut loader = open(&LoaderConfig { drop_last: true, ..config(numbers(10), 4, 0) });
    assert_eq!(rest(&mut loader, 99).len(), 2);
    assert_eq!(loader.cursor(), Cursor { pass: 1, sample: 0 });
}

#[test]
fn a_loader_tells_what_its_order_depends_on_and_what_has_changed() {
    let order = |config: &LoaderConfig<Numbers>, seed| {
        Loader::<Numbers>::open("train", config, seed).unwrap().common_order().unwrap()
    };
    let saved = order(&config(numbers(10), 4, 0), 42);
    let saved = crate::data::CommonOrder::restore(saved.save()).unwrap();
    assert_eq!(saved.sampler, "Shuffled()");
    assert!(order(&LoaderConfig { drop_last: true, ..config(numbers(10), 2, 3) }, 42).changes_since(&saved).is_empty());
    let weighted = Weighted { samples: Some(5) };
    let data = Numbers { weights: Some(vec![1.0; 11]), ..numbers(11) };
    let other = LoaderConfig { shuffle: false, sampler: Some(Box::new(weighted)), ..config(data, 4, 0) };
    assert_eq!(
        order(&other, 43).changes_since(&saved),
        [
            "the seed is 43, it was 42",
            "the sampler is `Weighted(samples: 5)`, it was `Shuffled()`",
            "the number of samples is 11, it was 10"
        ]
    );
}

#[test]
fn going_to_a_sample_reads_none_before_it() {
    let data = numbers(1000);
    let gets = data.gets.clone();
    let mut loader = open(&config(data, 10, 0));
    loader.start(Cursor { pass: 3, sample: 980 }).unwrap();
    assert_eq!(rest(&mut loader, 99).len(), 2);
    assert_eq!(gets.load(Ordering::SeqCst), 20);
}

#[test]
fn starting_again_in_the_middle_drops_what_was_made_ahead() {
    let mut loader = open(&config(Numbers { millis: 1, ..numbers(40) }, 4, 3));
    let whole = pass(&mut loader, 0);
    loader.start(Cursor { pass: 1, sample: 0 }).unwrap();
    rest(&mut loader, 2);
    assert_eq!(pass(&mut loader, 0), whole);
    loader.stop();
    assert_eq!(pass(&mut loader, 0), whole);
}

#[test]
fn a_position_behind_the_end_is_refused() {
    let mut loader = open(&config(numbers(10), 4, 0));
    loader.start(Cursor { pass: 0, sample: 10 }).unwrap();
    assert!(loader.next_batch().unwrap().is_none());
    let error = loader.start(Cursor { pass: 0, sample: 11 }).unwrap_err();
    assert!(matches!(data_error(&error), DataError::Cursor { sample: 11, samples: 10, .. }));
}

#[test]
fn workers_read_no_further_ahead_than_they_may() {
    let data = numbers(1000);
    let gets = data.gets.clone();
    let mut loader = open(&LoaderConfig { prefetch: 2, ..config(data, 5, 2) });
    loader.next_batch().unwrap();
    // the batch that was taken, and 2 for each of 2 workers
    let most = (1 + 2 * 2) * 5;
    let begun = Instant::now();
    while gets.load(Ordering::SeqCst) < most && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(gets.load(Ordering::SeqCst), most);
}

#[test]
fn the_last_batch_is_smaller_or_left_out() {
    let sizes = |drop_last| {
        let mut loader = open(&LoaderConfig { drop_last, ..config(numbers(10), 4, 1) });
        assert_eq!(loader.samples(), 10);
        let sizes: Vec<usize> = pass(&mut loader, 0).iter().map(Vec::len).collect();
        assert_eq!(loader.batches(), Some(sizes.len() as u64));
        sizes
    };
    assert_eq!(sizes(false), [4, 4, 2]);
    assert_eq!(sizes(true), [4, 4]);
}

#[test]
fn an_endless_pass_goes_over_its_boundary_with_full_batches() {
    for workers in [0, 2] {
        let settings =
            LoaderConfig { shuffle: false, sampler: Some(Box::new(Infinite {})), ..config(numbers(10), 4, workers) };
        let mut loader = open(&settings);
        assert_eq!(loader.batches(), None);
        let batches = rest(&mut loader, 5);
        assert!(batches.iter().all(|batch| batch.len() == 4));
        let indices: Vec<i64> = batches.concat().iter().map(|(index, _)| *index).collect();
        assert_eq!(indices[..10], ORDER_0);
        assert_eq!(indices[10..], ORDER_1);
        let mut later = open(&settings);
        later.start(Cursor { pass: 0, sample: 8 }).unwrap();
        assert_eq!(rest(&mut later, 3), batches[2..]);
    }
}

#[test]
fn a_sample_drawn_twice_is_augmented_twice() {
    let data = Numbers { weights: Some(vec![1.0, 3.0, 0.0]), ..numbers(3) };
    let sampler = Some(Box::new(Weighted { samples: Some(400) }) as Box<dyn crate::data::SamplerConfig>);
    let mut loader = open(&LoaderConfig { shuffle: false, sampler, ..config(data, 400, 0) });
    assert_eq!((loader.samples(), loader.batches()), (400, Some(1)));
    let drawn = pass(&mut loader, 0).concat();
    let of_second: Vec<i64> = drawn.iter().filter(|(index, _)| *index == 1).map(|(_, random)| *random).collect();
    // expected 300 with a standard deviation of 9
    assert!((260..340).contains(&of_second.len()), "{}", of_second.len());
    assert!(drawn.iter().all(|(index, _)| *index != 2));
    assert!(of_second.iter().any(|random| *random != of_second[0]));
}

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
    let expected = "loader `train` can't make the batch behind 4 samples of pass 0 (item 2 is sample 6): in part 2 of the sample: item 2 of the batch has shape [3], item 0 has [2];";
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
            Loader::<Whole>::open("val", &LoaderConfig { workers, ..LoaderConfig::new((), 4) }, 0).unwrap();
        let first = loader.next_batch().unwrap().unwrap();
        assert_eq!(Vec::<i64>::try_from(first).unwrap(), [1, 2, 3, 4]);
        let error = (0..3).find_map(|_| loader.next_batch().err()).unwrap();
        let text = "loader `val` can't make the batch behind 12 samples of pass 0 from samples 12, 13, 14, 15: the dataset panicked: libtorch said no (at ";
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
        assert_eq!(refused(Misbehaviour::Outside), format!("{place}`order` gave sample 8 of 8"));
        assert_eq!(refused(Misbehaviour::TooShort), format!("{place}`order` gave 7 samples, `samples` promised 8"));
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

#[test]
fn dropping_a_busy_loader_does_not_wait_for_it() {
    // each worker is in a sample of one minute
    let mut loader = open(&config(Numbers { millis: 60_000, ..numbers(40) }, 4, 3));
    loader.start(Cursor::default()).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let begun = Instant::now();
    drop(loader);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn dropping_a_loader_ends_its_workers() {
    let data = Numbers { millis: 5, ..numbers(400) };
    let gets = data.gets.clone();
    let mut loader = open(&LoaderConfig { prefetch: 50, ..config(data, 4, 3) });
    loader.next_batch().unwrap();
    drop(loader);
    let after = gets.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(gets.load(Ordering::SeqCst), after);
    assert!(after < 200, "{after} samples were read of batches that nobody wanted");
    assert_eq!(std::sync::Arc::strong_count(&gets), 1, "a worker still holds the dataset");
}

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
    let huge = LoaderConfig { sampler, workers: 256, prefetch: 1024, ..LoaderConfig::new((), 1 << 24) };
    let error = Loader::<Endless>::open("train", &huge, 1).unwrap_err().to_string();
    assert!(error.contains("samples would be under way at once") && error.contains("smaller `batch_size`"), "{error}");
    let error = Loader::<Endless>::open("train", &LoaderConfig::new((), 1 << 25), 1).unwrap_err().to_string();
    assert_eq!(error, "loader `train`: `batch_size` must be at most 16777216, got 33554432");
    // as many as there are, which are few
    assert!(
        Loader::<Numbers>::open(
            "train",
            &LoaderConfig { workers: 256, prefetch: 1024, ..config(numbers(8), 1 << 24, 0) },
            1
        )
        .is_ok()
    );
}

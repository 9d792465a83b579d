use super::*;
use crate::base::error::{Error, Result};
use crate::base::state::StateValue;
use crate::data::{
    BatchSource as _, Cursor, DataError, Dataset as _, Loader, LoaderConfig, Samples, Source as _, Workers,
};
use crate::random::SampleRng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tch::Tensor;

/// Numbers from 0 on, as many in each round; some of them fail.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Numbers {
    count: u64,
    /// Reading this one fails, once.
    fails_at: Option<u64>,
    /// Making a sample of this one panics.
    panics_at: Option<u64>,
    /// The order of the second half of the round is another one in each round.
    reversed: bool,
    #[serde(skip)]
    read: Arc<AtomicU64>,
    #[serde(skip)]
    failed: Arc<Mutex<bool>>,
}

struct Reader {
    numbers: Numbers,
    next: u64,
    reversed: bool,
}

impl RecordReader for Reader {
    type Record = u64;
    type Place = u64;

    fn next_record(&mut self) -> Result<Option<u64>> {
        if self.next == self.numbers.count {
            return Ok(None);
        }
        if self.numbers.fails_at == Some(self.next)
            && !std::mem::replace(&mut *self.numbers.failed.lock().unwrap(), true)
        {
            return Err(Error::msg("the disk is gone"));
        }
        self.numbers.read.fetch_add(1, Ordering::Relaxed);
        self.next += 1;
        Ok(Some(if self.reversed { self.numbers.count - self.next } else { self.next - 1 }))
    }

    fn place(&self) -> u64 {
        self.next
    }
}

impl RecordStream for Numbers {
    type Config = Numbers;
    type Reader = Reader;
    type Item = (f64, i64);

    fn open(config: &Numbers) -> Result<Self> {
        Ok(config.clone())
    }

    fn read(&self, round: &Round, from: &u64) -> Result<Reader> {
        if *from > self.count {
            return Err(Error::msg(format!("there is no record {from}")));
        }
        Ok(Reader { numbers: self.clone(), next: *from, reversed: self.reversed && round.number() % 2 == 1 })
    }

    fn get(&self, record: &u64, rng: &mut SampleRng) -> Result<(f64, i64)> {
        assert_ne!(self.panics_at, Some(*record), "a number like this");
        Ok((rng.uniform(), *record as i64))
    }

    fn fingerprint(&self) -> String {
        self.count.to_string()
    }
}

fn numbers(count: u64) -> Numbers {
    Numbers { count, ..Numbers::default() }
}

fn open(dataset: Numbers, set: impl FnOnce(&mut StreamLoaderConfig<Numbers>)) -> StreamLoader<Numbers> {
    let mut config = StreamLoaderConfig::new(dataset, 4);
    set(&mut config);
    StreamLoader::open("train", &config, 7).unwrap()
}

/// The draws and the numbers of the next batch.
fn next(loader: &mut StreamLoader<Numbers>) -> Option<(Vec<f64>, Vec<i64>)> {
    loader
        .next_batch()
        .unwrap()
        .map(|(draws, numbers)| (Vec::try_from(draws).unwrap(), Vec::try_from(numbers).unwrap()))
}

fn batches(loader: &mut StreamLoader<Numbers>, count: usize) -> Vec<(Vec<f64>, Vec<i64>)> {
    (0..count).map(|_| next(loader).unwrap()).collect()
}

#[test]
fn rounds_follow_each_other_without_an_end() {
    let mut loader = open(numbers(5), |_| {});
    assert_eq!((loader.batches(), loader.batches_left(), loader.batch_samples()), (None, None, Some(4)));
    let read: Vec<i64> = batches(&mut loader, 4).into_iter().flat_map(|(_, numbers)| numbers).collect();
    assert_eq!(read, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0]);
    assert_eq!(loader.cursor(), Cursor { pass: 0, sample: 16 });
}

#[test]
fn a_pass_has_as_many_samples_as_is_said_and_the_next_one_goes_on_behind_them() {
    let mut loader = open(numbers(100), |config| config.samples = Some(6));
    assert_eq!((loader.batches(), loader.last_batch()), (Some(2), Some(2)));
    let pass = |loader: &mut StreamLoader<Numbers>| {
        loader.go_on().unwrap();
        std::iter::from_fn(|| next(loader)).flat_map(|(_, numbers)| numbers).collect::<Vec<_>>()
    };
    assert_eq!(pass(&mut loader), [0, 1, 2, 3, 4, 5]);
    assert_eq!(pass(&mut loader), [6, 7, 8, 9, 10, 11]);
    assert_eq!(loader.cursor(), Cursor { pass: 2, sample: 0 });
    // an evaluation begins at the first sample again
    loader.start(Cursor::default()).unwrap();
    assert_eq!(pass(&mut loader), [0, 1, 2, 3, 4, 5]);
    // with `drop_last` the records of the last batch are left out
    let mut loader = open(numbers(100), |config| (config.samples, config.drop_last) = (Some(6), true));
    assert_eq!((pass(&mut loader), pass(&mut loader)), (vec![0, 1, 2, 3], vec![6, 7, 8, 9]));
}

#[test]
fn a_buffer_shuffles_and_gives_each_record_once() {
    let shuffled = |buffer, seed| {
        let mut config = StreamLoaderConfig::new(numbers(60), 4);
        config.buffer = buffer;
        let mut loader = StreamLoader::open("train", &config, seed).unwrap();
        batches(&mut loader, 30).into_iter().flat_map(|(_, numbers)| numbers).collect::<Vec<_>>()
    };
    let read = shuffled(20, 7);
    assert_eq!(read, shuffled(20, 7));
    assert_ne!(read, shuffled(20, 8));
    assert_ne!(read[..60], read[60..]);
    for (place, block) in read.chunks(20).enumerate() {
        let begin = (place as i64 % 3) * 20;
        assert_eq!(block.iter().copied().collect::<BTreeSet<_>>(), (begin..begin + 20).collect());
        assert_ne!(block, (begin..begin + 20).collect::<Vec<_>>());
    }
}

#[test]
fn the_batches_are_the_same_for_any_number_of_workers() {
    let read = |workers: Workers| {
        let mut loader = open(Numbers { reversed: true, ..numbers(23) }, |config| {
            (config.workers, config.buffer) = (workers, 10);
        });
        batches(&mut loader, 25)
    };
    let alone = read(0.into());
    for workers in [1.into(), 3.into(), Workers::Auto] {
        assert_eq!(alone, read(workers), "{workers}");
    }
}

/// What a checkpoint holds of a loader.
fn saved(loader: &StreamLoader<Numbers>) -> (Cursor, StateValue) {
    (loader.cursor(), loader.place().unwrap())
}

#[test]
fn a_loader_goes_on_at_any_batch_to_the_bit_and_reads_no_more_than_a_buffer_again() {
    for (buffer, workers, samples) in [(0, 0, None), (10, 0, None), (10, 2, Some(9)), (7, 3, Some(50)), (1, 1, Some(4))]
    {
        let data = || Numbers { reversed: true, ..numbers(230) };
        let set = |config: &mut StreamLoaderConfig<Numbers>| {
            (config.buffer, config.workers, config.samples) = (buffer, workers.into(), samples);
        };
        let take = |loader: &mut StreamLoader<Numbers>| {
            loader.go_on().unwrap();
            next(loader).unwrap()
        };
        let mut whole = open(data(), set);
        let mut places = Vec::new();
        let mut read = Vec::new();
        for _ in 0..150 {
            places.push(saved(&whole));
            read.push(take(&mut whole));
        }
        for (batch, (cursor, place)) in places.into_iter().enumerate().step_by(7) {
            let data = data();
            let count = data.read.clone();
            let mut resumed = open(data, set);
            resumed.start_at(cursor, Some(place)).unwrap();
            for (later, expected) in read.iter().enumerate().skip(batch).take(6) {
                assert_eq!(take(&mut resumed), *expected, "batch {later} of {buffer} {workers} {samples:?}");
            }
            let ahead = 64 + 2 * 64.max(buffer as u64) + 4 * workers as u64 * 2;
            assert!(count.load(Ordering::Relaxed) <= 24 + ahead, "{} records", count.load(Ordering::Relaxed));
        }
    }
}

#[test]
fn without_a_place_a_loader_finds_the_same_records_by_reading_those_before() {
    let mut loader = open(numbers(50), |config| config.buffer = 8);
    let read = batches(&mut loader, 30);
    let mut other = open(numbers(50), |config| config.buffer = 8);
    other.start(Cursor { pass: 0, sample: 80 }).unwrap();
    assert_eq!(batches(&mut other, 3), read[20..23]);
    // and back
    other.start(Cursor { pass: 0, sample: 8 }).unwrap();
    assert_eq!(batches(&mut other, 3), read[2..5]);
}

#[test]
fn ranks_have_the_samples_of_one_process_with_a_larger_batch() {
    let set = |config: &mut StreamLoaderConfig<Numbers>| (config.buffer, config.samples) = (10, Some(30));
    let mut one = open(numbers(100), |config| {
        set(config);
        config.batch_size = 12;
    });
    let ranks: Vec<Vec<(Vec<f64>, Vec<i64>)>> = (0..3)
        .map(|rank| {
            let mut loader = open(numbers(100), |config| {
                set(config);
                config.workers = rank.into();
            });
            loader.deal(rank, 3).unwrap();
            assert_eq!(loader.batches(), Some(3));
            batches(&mut loader, 3)
        })
        .collect();
    for batch in 0..3 {
        let (draws, numbers) = next(&mut one).unwrap();
        let joined: (Vec<f64>, Vec<i64>) = (
            ranks.iter().flat_map(|rank| rank[batch].0.clone()).collect(),
            ranks.iter().flat_map(|rank| rank[batch].1.clone()).collect(),
        );
        assert_eq!(joined, (draws, numbers), "batch {batch}");
    }
    let error =
        open(numbers(100), |config| (config.samples, config.drop_last) = (Some(10), true)).deal(0, 3).unwrap_err();
    assert!(matches!(error.downcast_ref::<DataError>(), Some(DataError::NoBatchForRanks { .. })), "{error}");
}

#[test]
fn errors_tell_the_record_and_the_same_batch_can_be_tried_again() {
    for workers in [0, 2] {
        let mut loader = open(Numbers { fails_at: Some(70), ..numbers(100) }, |config| config.workers = workers.into());
        let mut read = batches(&mut loader, 16);
        let error = loader.next_batch().unwrap_err().to_string();
        assert_eq!(error, "loader `train` can't read record 70 of its stream: the disk is gone");
        read.extend(batches(&mut loader, 4));
        assert_eq!(read, batches(&mut open(numbers(100), |_| {}), 20), "{workers} workers");

        let mut loader = open(Numbers { panics_at: Some(6), ..numbers(100) }, |config| config.workers = workers.into());
        batches(&mut loader, 1);
        let error = loader.next_batch().unwrap_err().to_string();
        assert!(error.contains("loader `train` can't read sample 6 in pass 0: the dataset panicked"), "{error}");
    }
}

#[test]
fn a_stream_without_records_is_told_and_not_waited_for() {
    for workers in [0, 1] {
        let error = open(numbers(0), |config| config.workers = workers.into()).next_batch().unwrap_err().to_string();
        assert_eq!(error, "loader `train` has no samples; check where its dataset looks for the data");
    }
    let config = StreamLoaderConfig { samples: Some(3), drop_last: true, ..StreamLoaderConfig::new(numbers(9), 4) };
    let error = StreamLoader::<Numbers>::open("train", &config, 7).unwrap_err().to_string();
    assert!(error.contains("a pass has 3 samples"), "{error}");
    let error = StreamLoader::<Numbers>::closed("val").next_batch().unwrap_err().to_string();
    assert_eq!(error, "loader `val` is not open: this command does not use it");
}

#[test]
fn a_place_of_something_else_or_of_changed_data_is_refused() {
    let mut loader = open(numbers(300), |_| {});
    batches(&mut loader, 50);
    let (cursor, place) = saved(&loader);
    let mut shorter = open(numbers(100), |_| {});
    shorter.start_at(cursor, Some(place)).unwrap();
    let error = shorter.next_batch().unwrap_err().to_string();
    assert_eq!(error, "loader `train` can't read record 192 of its stream: there is no record 192");
    assert_eq!(
        shorter.common_order().unwrap().changes_since(&loader.common_order().unwrap()).len(),
        1,
        "a resume in the middle is refused before"
    );
    let error = loader.start_at(cursor, Some(StateValue::Int(3))).unwrap_err();
    assert!(format!("{error:#}").starts_with("the place of loader `train` can't be taken back: "), "{error:#}");
}

#[test]
fn a_stream_in_memory_is_a_dataset_with_a_length() {
    let config = CollectedConfig { dataset: numbers(5), most: 5 };
    let mut loader = Loader::<Collected<Numbers>>::open("val", &LoaderConfig::new(config, 4), 7).unwrap();
    assert_eq!(loader.samples(), 5);
    let (_, read) = loader.next_batch().unwrap().unwrap();
    assert_eq!(Vec::<i64>::try_from(read).unwrap(), [0, 1, 2, 3]);
    let error = Collected::<Numbers>::open(&CollectedConfig { dataset: numbers(5), most: 4 }).unwrap_err().to_string();
    assert!(error.starts_with("the stream has more than 4 records"), "{error}");
    let again = Collected::<Numbers>::open(&CollectedConfig { dataset: numbers(5), most: 9 }).unwrap();
    let (_, read): (Tensor, Tensor) = again.batch(&Samples::new(0, vec![4, 2])).unwrap();
    assert_eq!(Vec::<i64>::try_from(read).unwrap(), [4, 2]);
}

#[test]
fn settings_are_read_with_their_bounds() {
    let read = |text: &str| {
        ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
            .from_str::<StreamLoaderConfig<()>>(text)
            .map_err(|error| error.code.to_string())
    };
    let config = read("(dataset: (), batch_size: 8)").unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", StreamLoaderConfig::new((), 8)));
    let refused = |keys: &str| read(&format!("(dataset: (), {keys})")).unwrap_err();
    assert_eq!(refused("batch_size: 0"), "`batch_size` must be at least 1, got 0");
    assert_eq!(refused("batch_size: 1, samples: 0"), "`samples` must be at least 1 and at most 1000000000000, got 0");
    assert_eq!(refused("batch_size: 1, buffer: 16777217"), "`buffer` must be at most 16777216, got 16777217");
    assert!(refused("batch_size: 1, timeout: 5.0").starts_with("`timeout` needs `workers`"));
    assert!(refused("batch_size: 1, shuffle: true").contains("shuffle"));
}

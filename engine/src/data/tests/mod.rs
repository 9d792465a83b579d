//! What the loader promises, seen from outside.

mod mistakes;
mod orders;
mod places;
mod samplers;
mod shares;
mod sizes;
mod transfer;
mod workers;
mod wrappers;

use crate::base::{Error, Result};
use crate::data::{Batch, BatchOf, Cursor, DataError, Dataset, Loader, LoaderConfig, Workers};
use crate::random::SampleRng;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tch::Tensor;

/// Numbers that misbehave where they are told to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Numbers {
    len: usize,
    weights: Option<Vec<f64>>,
    classes: Option<Vec<i64>>,
    lengths: Option<Vec<usize>>,
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

    fn classes(&self) -> Option<&[i64]> {
        self.classes.as_deref()
    }

    fn lengths(&self) -> Option<&[usize]> {
        self.lengths.as_deref()
    }
}

fn numbers(len: usize) -> Numbers {
    Numbers { len, ..Numbers::default() }
}

fn config(dataset: Numbers, batch_size: usize, workers: usize) -> LoaderConfig<Numbers> {
    LoaderConfig { shuffle: true, workers: workers.into(), ..LoaderConfig::new(dataset, batch_size) }
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

/// Samples in the common order, whatever their batches are.
fn flat(batches: Vec<Vec<(i64, i64)>>) -> Vec<(i64, i64)> {
    batches.concat()
}

//! What a batch costs, besides the samples that a dataset makes.

use crate::allocations::{allocated_bytes, allocations};
use engine::base::Result;
use engine::data::{Batch as _, BatchOf, Dataset, Loader, LoaderConfig, Samples, SharedTensor};
use engine::random::SampleRng;
use tch::{Device, Kind, Tensor};

const BATCH: usize = 64;
const NUMBERS: usize = 1_000;
const ROW: u64 = (NUMBERS * size_of::<f32>()) as u64;

/// Rows of numbers.
struct Rows;

impl Dataset for Rows {
    type Config = ();
    type Item = Vec<f32>;

    fn open((): &()) -> Result<Self> {
        Ok(Rows)
    }
    fn len(&self) -> usize {
        BATCH * 100
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Vec<f32>> {
        Ok(vec![index as f32; NUMBERS])
    }
}

/// Allocations and bytes of a batch on the way to the CPU, beyond those of the samples.
fn of_a_batch(pin_memory: bool) -> (u64, u64) {
    let config = LoaderConfig { pin_memory, ..LoaderConfig::new((), BATCH) };
    let mut loader = Loader::<Rows>::open("train", &config, 1).unwrap();
    loader.transfer_to(Device::Cpu);
    // the first batch finds out the order
    loader.next_batch().unwrap();
    let (count, bytes) = (allocations(), allocated_bytes());
    let batch = loader.next_batch().unwrap().unwrap();
    loader.bring_ahead();
    let batch = batch.onto(Device::Cpu).unwrap();
    let (count, bytes) = (allocations() - count, allocated_bytes() - bytes);
    assert_eq!(batch.size(), [BATCH as i64, NUMBERS as i64]);
    assert_eq!(batch.double_value(&[3, 7]), (BATCH + 3) as f64);
    assert!(loader.notice().is_none());
    let samples = BATCH as u64;
    (count - samples, bytes - samples * ROW)
}

#[test]
fn rows_are_copied_once_into_the_tensor_of_their_batch() {
    let (count, bytes) = of_a_batch(true);
    assert!(count <= 12, "{count} allocations");
    // a copy of all rows between the samples and the tensor would be 256,000
    assert!(bytes < 8_000, "{bytes} bytes");
}

#[test]
fn on_the_cpu_pinned_memory_costs_nothing() {
    assert_eq!(of_a_batch(true), of_a_batch(false));
}

/// The same tensor as every batch.
struct Whole(SharedTensor);

impl Dataset for Whole {
    type Config = ();
    type Item = Tensor;

    fn open((): &()) -> Result<Self> {
        Ok(Whole(Tensor::ones([4, 3], (Kind::Float, Device::Cpu)).into()))
    }
    fn len(&self) -> usize {
        400
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Tensor> {
        Ok(self.0.get().get(index as i64 % 4))
    }
    fn batch(&self, _: &Samples) -> Result<BatchOf<Self>> {
        Ok(self.0.get())
    }
}

#[test]
fn on_the_cpu_a_step_gets_the_memory_that_the_dataset_gave() {
    for workers in [0, 1] {
        let transfer_ahead = workers > 0;
        let config = LoaderConfig { workers: workers.into(), transfer_ahead, ..LoaderConfig::new((), 4) };
        let mut loader = Loader::<Whole>::open("train", &config, 1).unwrap();
        loader.transfer_to(Device::Cpu);
        for _ in 0..3 {
            let batch = loader.next_batch().unwrap().unwrap();
            loader.bring_ahead();
            let batch = batch.onto(Device::Cpu).unwrap();
            assert_eq!(batch.data_ptr(), loader.dataset().unwrap().0.get().data_ptr());
        }
    }
}

//! The settings of the loader of a stream in the experiment file.

use crate::config::registry::{Component, FieldInfo};
use crate::config::{Keyed, OfDataset, Shape, to_node};
use crate::data::config::{
    BATCH_SIZE, BATCH_SIZE_FIELD, Bounds, DROP_LAST_FIELD, PIN_MEMORY_FIELD, PREFETCH, PREFETCH_FIELD, TIMEOUT_FIELD,
    TRANSFER_AHEAD_FIELD, WORKERS_FIELD, batch_size, mistake_of_ahead, mistake_of_transfer, prefetch, timeout, two,
    yes,
};
use crate::data::workers::Workers;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What the loader of a stream reads, and how: `(dataset: Lines(paths: ["a.txt"]), batch_size: 64, buffer: 1000)`.
// `remote` makes serde write functions of the type instead of the traits, so that the traits below can check the whole
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, rename = "stream loader")]
#[serde(bound(serialize = "C: Serialize", deserialize = "C: Deserialize<'de>"))]
pub struct StreamLoaderConfig<C> {
    /// The settings of the stream.
    pub dataset: C,
    /// Samples in one batch, 1 to 16,777,216.
    #[serde(deserialize_with = "batch_size")]
    pub batch_size: usize,
    /// Samples of a pass; the next pass goes on behind them. Without it a pass never ends: a training by epoch then needs
    /// `batches_per_epoch` in `train`.
    #[serde(default, deserialize_with = "samples")]
    pub samples: Option<u64>,
    /// Records that are read into memory and given in a random order before the next ones are read, at most 16,777,216.
    /// With 0 the order is that of the stream.
    #[serde(default, deserialize_with = "buffer")]
    pub buffer: usize,
    /// Threads that make samples of records, at most 256. With 0 each batch is made when it is wanted. With `Auto` as many
    /// as the training needs, up to the cores. The data are the same for any number.
    #[serde(default)]
    pub workers: Workers,
    /// Batches that each worker keeps ready, 1 to 1024.
    #[serde(default = "two", deserialize_with = "prefetch")]
    pub prefetch: usize,
    /// Leaves out the last batch of a pass when it is smaller than `batch_size`; its records are not given.
    #[serde(default)]
    pub drop_last: bool,
    /// Seconds for which a batch of the workers is waited for, up to 1,000,000. Needs `workers`.
    #[serde(default, deserialize_with = "timeout")]
    pub timeout: Option<f64>,
    /// Where the steps run on a CUDA device: batches are copied into pinned memory by the thread that makes them, so that
    /// the transfer to the device does not hold up the training. On the CPU it does nothing.
    #[serde(default = "yes")]
    pub pin_memory: bool,
    /// Where the steps run on a CUDA device: the next batch is copied there while the device computes, if it is ready. This
    /// takes the memory of one more batch there. Needs `workers` and `pin_memory`. On the CPU it does nothing.
    #[serde(default)]
    pub transfer_ahead: bool,
}

impl<C> Keyed for StreamLoaderConfig<C> {
    const KEYS: &'static [&'static str] = &[
        "dataset",
        "batch_size",
        "samples",
        "buffer",
        "workers",
        "prefetch",
        "drop_last",
        "timeout",
        "pin_memory",
        "transfer_ahead",
    ];
}

impl<C> OfDataset for StreamLoaderConfig<C> {
    type Dataset = C;
}

impl<C> StreamLoaderConfig<C> {
    /// The same settings, with those of the stream as something else.
    pub(crate) fn map<D>(&self, of: impl FnOnce(&C) -> D) -> StreamLoaderConfig<D> {
        StreamLoaderConfig {
            dataset: of(&self.dataset),
            batch_size: self.batch_size,
            samples: self.samples,
            buffer: self.buffer,
            workers: self.workers,
            prefetch: self.prefetch,
            drop_last: self.drop_last,
            timeout: self.timeout,
            pin_memory: self.pin_memory,
            transfer_ahead: self.transfer_ahead,
        }
    }

    /// The settings with nothing but their defaults.
    pub fn new(dataset: C, batch_size: usize) -> Self {
        StreamLoaderConfig {
            dataset,
            batch_size,
            samples: None,
            buffer: 0,
            workers: Workers::Threads(0),
            prefetch: two(),
            drop_last: false,
            timeout: None,
            pin_memory: true,
            transfer_ahead: false,
        }
    }

    /// What is wrong with the settings, if anything.
    pub(super) fn mistake(&self) -> Option<String> {
        BATCH_SIZE
            .mistake(self.batch_size)
            .or_else(|| mistake_of_samples(self.samples))
            .or_else(|| BUFFER.mistake(self.buffer))
            .or_else(|| PREFETCH.mistake(self.prefetch))
            .or_else(|| mistake_of_ahead(self.workers, self.timeout))
            .or_else(|| mistake_of_transfer(self.workers, self.pin_memory, self.transfer_ahead))
    }
}

impl<C: Serialize> Serialize for StreamLoaderConfig<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StreamLoaderConfig::serialize(self, serializer)
    }
}

impl<'de, C: Deserialize<'de>> Deserialize<'de> for StreamLoaderConfig<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let config = StreamLoaderConfig::deserialize(deserializer)?;
        match config.mistake() {
            Some(mistake) => Err(D::Error::custom(mistake)),
            None => Ok(config),
        }
    }
}

const BUFFER: Bounds = Bounds { key: "buffer", least: 0, most: 1 << 24 };

// by hand: what the macro registers can't depend on another type
inventory::submit! {
    Component {
        kind: "settings",
        name: "stream loader",
        docs: "What the loader of a stream reads, and how.",
        fields: &[
            FieldInfo::unknown("dataset", "The settings of the stream."),
            BATCH_SIZE_FIELD,
            FieldInfo {
                name: "samples",
                shape: Shape::of::<Option<u64>>,
                default: Some(|| to_node(&None::<()>)),
                demand: Some("1..=1000000000000"),
                example: None,
                docs: "Samples of a pass; the next pass goes on behind them. Without it a pass never ends: a training by epoch then needs `batches_per_epoch` in `train`.",
            },
            FieldInfo {
                name: "buffer",
                shape: Shape::of::<usize>,
                default: Some(|| to_node(&0)),
                demand: Some("0..=16777216"),
                example: None,
                docs: "Records that are read into memory and given in a random order before the next ones are read. With 0 the order is that of the stream.",
            },
            WORKERS_FIELD,
            PREFETCH_FIELD,
            DROP_LAST_FIELD,
            TIMEOUT_FIELD,
            PIN_MEMORY_FIELD,
            TRANSFER_AHEAD_FIELD,
        ],
        origin: concat!(file!(), ":", line!()),
    }
}

fn buffer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    BUFFER.read(deserializer)
}

fn samples<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<u64>::deserialize(deserializer)?;
    mistake_of_samples(value).map_or(Ok(value), |mistake| Err(D::Error::custom(mistake)))
}

fn mistake_of_samples(samples: Option<u64>) -> Option<String> {
    const MOST: u64 = 1_000_000_000_000;
    let samples = samples.filter(|samples| !(1..=MOST).contains(samples))?;
    Some(format!("`samples` must be at least 1 and at most {MOST}, got {samples}"))
}

//! The settings of a loader in the experiment file.

use crate::config::registry::{Component, FieldInfo};
use crate::config::{Keyed, OfDataset, Shape, to_node};
use crate::data::sampler::{SamplerConfig, Sequential, Shuffled};
use crate::data::workers::Workers;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a loader reads, and how: `(dataset: Digits(split: Train), batch_size: 64, shuffle: true, workers: 2)`.
// `remote` makes serde write functions of the type instead of the traits, so that the traits below can check the whole
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, rename = "loader")]
#[serde(bound(serialize = "C: Serialize", deserialize = "C: Deserialize<'de>"))]
pub struct LoaderConfig<C> {
    /// The settings of the dataset.
    pub dataset: C,
    /// Samples in one batch, 1 to 16,777,216. The last batch of a pass may be smaller, see `drop_last`.
    #[serde(deserialize_with = "batch_size")]
    pub batch_size: usize,
    /// Each pass in an order of its own, which follows from the seed and the epoch; short for `sampler: Shuffled()`.
    #[serde(default)]
    pub shuffle: bool,
    /// Which samples make a pass, in which order: `Sequential()`, `Shuffled()`, `Weighted()`, `Infinite()` or one of
    /// the program's own. Not together with `shuffle`.
    #[serde(default)]
    pub sampler: Option<Box<dyn SamplerConfig>>,
    /// Threads that read samples ahead, at most 256. With 0 each batch is read when it is wanted. With `Auto` as many as the
    /// training needs, up to the cores. The data are the same for any number.
    #[serde(default)]
    pub workers: Workers,
    /// Batches that each worker keeps ready, 1 to 1024. Every one of them takes the memory of a batch.
    #[serde(default = "two", deserialize_with = "prefetch")]
    pub prefetch: usize,
    /// Leaves out the last batch of a pass when it is smaller than `batch_size`.
    #[serde(default)]
    pub drop_last: bool,
    /// Seconds for which a batch of the workers is waited for, up to 1,000,000; after them the run fails and names the
    /// sample that is being read. Without it a worker that is stuck is waited for without an end. Needs `workers`.
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

impl<C> Keyed for LoaderConfig<C> {
    const KEYS: &'static [&'static str] = &[
        "dataset",
        "batch_size",
        "shuffle",
        "sampler",
        "workers",
        "prefetch",
        "drop_last",
        "timeout",
        "pin_memory",
        "transfer_ahead",
    ];
}

impl<C> OfDataset for LoaderConfig<C> {
    type Dataset = C;
}

impl<C> LoaderConfig<C> {
    /// The same settings, with those of the dataset as something else.
    pub(crate) fn map<D>(&self, of: impl FnOnce(&C) -> D) -> LoaderConfig<D> {
        LoaderConfig {
            dataset: of(&self.dataset),
            batch_size: self.batch_size,
            shuffle: self.shuffle,
            sampler: self.sampler.clone(),
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
        LoaderConfig {
            dataset,
            batch_size,
            shuffle: false,
            sampler: None,
            workers: Workers::Threads(0),
            prefetch: two(),
            drop_last: false,
            timeout: None,
            pin_memory: true,
            transfer_ahead: false,
        }
    }

    /// The sampler that these settings ask for.
    pub fn chosen_sampler(&self) -> Box<dyn SamplerConfig> {
        match &self.sampler {
            Some(sampler) => sampler.clone(),
            None if self.shuffle => Box::new(Shuffled {}),
            None => Box::new(Sequential {}),
        }
    }

    /// What is wrong with the settings, if anything.
    pub(super) fn mistake(&self) -> Option<String> {
        BATCH_SIZE
            .mistake(self.batch_size)
            .or_else(|| PREFETCH.mistake(self.prefetch))
            .or_else(|| mistake_of_ahead(self.workers, self.timeout))
            .or_else(|| mistake_of_transfer(self.workers, self.pin_memory, self.transfer_ahead))
            .or_else(|| {
                let twice = self.shuffle && self.sampler.is_some();
                twice.then(|| {
                    "`shuffle: true` and `sampler` are both given; remove `shuffle` or set it to `false`, the sampler decides the order"
                        .into()
                })
            })
    }
}

impl<C: Serialize> Serialize for LoaderConfig<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        LoaderConfig::serialize(self, serializer)
    }
}

impl<'de, C: Deserialize<'de>> Deserialize<'de> for LoaderConfig<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let config = LoaderConfig::deserialize(deserializer)?;
        match config.mistake() {
            Some(mistake) => Err(D::Error::custom(mistake)),
            None => Ok(config),
        }
    }
}

/// A whole number within bounds.
pub(super) struct Bounds {
    pub(super) key: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
}

// the upper bounds are there to catch a slip of the finger before it takes all memory
pub(super) const BATCH_SIZE: Bounds = Bounds { key: "batch_size", least: 1, most: 1 << 24 };
pub(super) const PREFETCH: Bounds = Bounds { key: "prefetch", least: 1, most: 1024 };

impl Bounds {
    pub(super) fn mistake(&self, value: usize) -> Option<String> {
        let Bounds { key, least, most } = self;
        if value < *least {
            return Some(format!("`{key}` must be at least {least}, got {value}"));
        }
        (value > *most).then(|| format!("`{key}` must be at most {most}, got {value}"))
    }

    pub(super) fn read<'de, D: Deserializer<'de>>(&self, deserializer: D) -> Result<usize, D::Error> {
        let value = usize::deserialize(deserializer)?;
        self.mistake(value).map_or(Ok(value), |mistake| Err(D::Error::custom(mistake)))
    }
}

// settings that the loaders of streams have too

pub(super) const BATCH_SIZE_FIELD: FieldInfo = FieldInfo {
    name: "batch_size",
    shape: Shape::of::<usize>,
    default: None,
    demand: Some("1..=16777216"),
    example: Some(|| to_node(&64)),
    docs: "Samples in one batch. The last batch of a pass may be smaller, see `drop_last`.",
};

pub(super) const WORKERS_FIELD: FieldInfo = FieldInfo {
    name: "workers",
    shape: Shape::of::<Workers>,
    default: Some(|| to_node(&Workers::Threads(0))),
    demand: None,
    example: None,
    docs: "Threads that read samples ahead: 0 for none, `Auto` for as many as the training needs. The data are the same for any number.",
};

pub(super) const PREFETCH_FIELD: FieldInfo = FieldInfo {
    name: "prefetch",
    shape: Shape::of::<usize>,
    default: Some(|| to_node(&two())),
    demand: Some("1..=1024"),
    example: None,
    docs: "Batches that each worker keeps ready. Every one of them takes the memory of a batch.",
};

pub(super) const DROP_LAST_FIELD: FieldInfo = FieldInfo {
    name: "drop_last",
    shape: Shape::of::<bool>,
    default: Some(|| to_node(&false)),
    demand: None,
    example: None,
    docs: "Leaves out the last batch of a pass when it is smaller than `batch_size`.",
};

pub(super) const TIMEOUT_FIELD: FieldInfo = FieldInfo {
    name: "timeout",
    shape: Shape::of::<Option<f64>>,
    default: Some(|| to_node(&None::<()>)),
    demand: Some("f64::MIN_POSITIVE..=1_000_000.0"),
    example: None,
    docs: "Seconds for which a batch of the workers is waited for; after them the run fails and names the sample that is being read. Needs `workers`.",
};

pub(super) const PIN_MEMORY_FIELD: FieldInfo = FieldInfo {
    name: "pin_memory",
    shape: Shape::of::<bool>,
    default: Some(|| to_node(&true)),
    demand: None,
    example: None,
    docs: "For a CUDA device: batches are copied into pinned memory where they are made, so that the transfer does not hold up the training. On the CPU it does nothing.",
};

pub(super) const TRANSFER_AHEAD_FIELD: FieldInfo = FieldInfo {
    name: "transfer_ahead",
    shape: Shape::of::<bool>,
    default: Some(|| to_node(&false)),
    demand: None,
    example: None,
    docs: "For a CUDA device: the next batch is copied there while the device computes, which takes the memory of one more batch. Needs `workers` and `pin_memory`. On the CPU it does nothing.",
};

// by hand: what the macro registers can't depend on another type
inventory::submit! {
    Component {
        kind: "settings",
        name: "loader",
        docs: "What a loader reads, and how.",
        fields: &[
            FieldInfo::unknown("dataset", "The settings of the dataset."),
            BATCH_SIZE_FIELD,
            FieldInfo {
                name: "shuffle",
                shape: Shape::of::<bool>,
                default: Some(|| to_node(&false)),
                demand: None,
                example: None,
                docs: "Each pass in an order of its own, which follows from the seed and the epoch; short for `sampler: Shuffled()`.",
            },
            FieldInfo {
                name: "sampler",
                shape: Shape::of::<Option<Box<dyn SamplerConfig>>>,
                default: Some(|| to_node(&None::<()>)),
                demand: None,
                example: None,
                docs: "Which samples make a pass, in which order. Not together with `shuffle`.",
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

// read one by one, so that a reader that knows positions points at the value
pub(super) fn batch_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    BATCH_SIZE.read(deserializer)
}

pub(super) fn prefetch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    PREFETCH.read(deserializer)
}

pub(super) fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let value = Option::<f64>::deserialize(deserializer)?;
    mistake_of_timeout(value).map_or(Ok(value), |mistake| Err(D::Error::custom(mistake)))
}

/// The most seconds of a `timeout`, more than eleven days.
const LONGEST: f64 = 1e6;

/// What is wrong with the workers and how long they are waited for.
pub(super) fn mistake_of_ahead(workers: Workers, timeout: Option<f64>) -> Option<String> {
    workers.mistake().or_else(|| mistake_of_timeout(timeout)).or_else(|| {
        let alone = timeout.is_some() && !workers.are_any();
        alone.then(|| {
            "`timeout` needs `workers` of at least 1: without them the training reads the samples itself, and nothing can interrupt it"
                .into()
        })
    })
}

/// What is wrong with how batches come to a device.
pub(super) fn mistake_of_transfer(workers: Workers, pin_memory: bool, ahead: bool) -> Option<String> {
    if !ahead {
        return None;
    }
    if !workers.are_any() {
        let why = "`transfer_ahead` needs `workers` of at least 1: without them no batch is ready before the training wants it";
        return Some(why.into());
    }
    let why = "`transfer_ahead` needs `pin_memory: true`: a copy from pageable memory holds up the training";
    (!pin_memory).then(|| why.into())
}

fn mistake_of_timeout(seconds: Option<f64>) -> Option<String> {
    let seconds = seconds.filter(|seconds| !(*seconds > 0.0 && *seconds <= LONGEST))?;
    Some(format!("`timeout` must be above 0 and at most {LONGEST}, got {seconds}"))
}

pub(super) const fn two() -> usize {
    2
}

pub(super) const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<LoaderConfig<()>, String> {
        ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
            .from_str(text)
            .map_err(|error| error.code.to_string())
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let config = read("(dataset: (), batch_size: 8)").unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", LoaderConfig::new((), 8)));
        let again: LoaderConfig<()> = ron::from_str(&ron::to_string(&config).unwrap()).unwrap();
        assert_eq!(format!("{config:?}"), format!("{again:?}"));
    }

    #[test]
    fn what_is_registered_is_what_is_read() {
        let Shape::Struct("loader", fields) = Shape::of::<LoaderConfig<()>>() else { unreachable!() };
        let registered = Component::of_struct("loader", fields.iter().map(|(key, _)| *key)).unwrap();
        let shapes: Vec<Shape> = registered.fields.iter().skip(1).map(|field| (field.shape)()).collect();
        assert_eq!(shapes, fields.iter().skip(1).map(|(_, shape)| shape.clone()).collect::<Vec<_>>());
        let defaults = read("(dataset: (), batch_size: 64)").unwrap();
        for (field, printed) in registered.fields.iter().zip(to_node(&defaults).unwrap().fields()).skip(1) {
            let value = field.default.or(field.example).unwrap()().unwrap();
            assert_eq!(crate::config::print(&value), crate::config::print(&printed.value), "{}", field.name);
        }
    }

    #[test]
    fn a_sampler_is_chosen_by_its_name() {
        let config = read(r#"(dataset: (), batch_size: 8, sampler: {"Weighted": (samples: 5)})"#).unwrap();
        assert_eq!(format!("{:?}", config.chosen_sampler()), "Weighted { samples: Some(5) }");
        let config = read("(dataset: (), batch_size: 8, shuffle: true)").unwrap();
        assert_eq!(format!("{:?}", config.chosen_sampler()), "Shuffled");
    }

    #[test]
    fn each_mistake_has_its_own_sentence() {
        let refused = |keys: &str| read(&format!("(dataset: (), {keys})")).unwrap_err();
        assert_eq!(refused("batch_size: 0"), "`batch_size` must be at least 1, got 0");
        for huge in ["1000000000000", "18446744073709551615"] {
            let text = format!("`batch_size` must be at most 16777216, got {huge}");
            assert_eq!(refused(&format!("batch_size: {huge}")), text);
        }
        let text = "`workers` must be at most 256, got 1000000";
        assert_eq!(refused("batch_size: 1, workers: 1000000"), text);
        let text = "`prefetch` must be at most 1024, got 1000000000";
        assert_eq!(refused("batch_size: 1, prefetch: 1000000000"), text);
        assert_eq!(refused("batch_size: 1, workers: 300"), "`workers` must be at most 256, got 300");
        assert!(refused("batch_size: 1, workers: -1").contains("`workers` must be at least 0, got -1"));
        assert_eq!(refused("batch_size: 1, prefetch: 0"), "`prefetch` must be at least 1, got 0");
        let both = refused(r#"batch_size: 1, shuffle: true, sampler: {"Shuffled": ()}"#);
        assert!(both.starts_with("`shuffle: true` and `sampler` are both given"), "{both}");
        assert!(refused("batch_size: 1, worker: 2").contains("worker"));
        for seconds in ["0.0", "-1.0", "NaN", "inf", "1e7"] {
            let refused = refused(&format!("batch_size: 1, workers: 1, timeout: {seconds}"));
            assert!(refused.starts_with("`timeout` must be above 0 and at most 1000000, got "), "{refused}");
        }
        assert!(refused("batch_size: 1, timeout: 5.0").starts_with("`timeout` needs `workers`"));
        let alone = refused("batch_size: 1, transfer_ahead: true");
        assert!(alone.starts_with("`transfer_ahead` needs `workers` of at least 1"), "{alone}");
        let pageable = refused("batch_size: 1, workers: 1, pin_memory: false, transfer_ahead: true");
        assert!(pageable.starts_with("`transfer_ahead` needs `pin_memory: true`"), "{pageable}");
        assert!(read("(dataset: (), batch_size: 1, workers: 1, transfer_ahead: true)").is_ok());
        assert_eq!(refused("batch_size: 1, pin_memory: 1"), "Expected boolean");
    }
}

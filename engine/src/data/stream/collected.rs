//! A stream that is read into memory and so gets a length.

use crate::base::error::{Error, Result};
use crate::data::dataset::{BatchOf, Dataset, Samples};
use crate::data::stream::traits::{RecordOf, RecordReader, RecordStream, Round};
use crate::random::SampleRng;
use engine_macros::component;
use std::fmt;

/// All records of a stream in memory, as a dataset: for the validation data of a training on a stream, and wherever a
/// sampler has to know the length.
pub struct Collected<S: RecordStream> {
    stream: S,
    records: Vec<RecordOf<S>>,
}

/// A stream in memory: `(dataset: (paths: ["val.txt"]))`.
#[component(dataset)]
pub struct CollectedConfig<C> {
    /// The settings of the stream.
    pub dataset: C,
    /// A stream of more records than this is refused.
    #[config(default = 1_000_000, range = 1..)]
    pub most: usize,
}

impl<S: RecordStream> Collected<S> {
    /// Reads the first round of a stream into memory.
    ///
    /// # Errors
    /// When a record can't be read, or there are more than `most`.
    pub fn new(stream: S, most: usize) -> Result<Self> {
        let mut reader = stream.read(&Round { number: 0, seed: 0 }, &Default::default())?;
        let mut records = Vec::new();
        while let Some(record) = reader.next_record()? {
            if records.len() == most {
                return Err(Error::msg(format!(
                    "the stream has more than {most} records, the most that are kept in memory; set a larger `most`, or use a `StreamLoader`"
                )));
            }
            records.push(record);
        }
        Ok(Collected { stream, records })
    }

    /// The stream itself.
    pub fn stream(&self) -> &S {
        &self.stream
    }
}

#[diagnostic::do_not_recommend]
impl<S: RecordStream> Dataset for Collected<S> {
    type Config = CollectedConfig<S::Config>;
    type Item = S::Item;

    fn open(config: &Self::Config) -> Result<Self> {
        Collected::new(S::open(&config.dataset)?, config.most)
    }

    fn len(&self) -> usize {
        self.records.len()
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<S::Item> {
        self.stream.get(&self.records[index], rng)
    }

    fn batch(&self, samples: &Samples) -> Result<BatchOf<Self>> {
        self.stream.batch(samples.map(|index, rng| self.get(index, rng))?, samples)
    }
}

impl<S: RecordStream> fmt::Debug for Collected<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collected").field("records", &self.records.len()).finish_non_exhaustive()
    }
}

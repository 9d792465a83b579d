//! What a user implements to provide data without a length.

use crate::base::checked::ConfigValue;
use crate::base::error::Result;
use crate::base::state::Saved;
use crate::data::collate::Collate;
use crate::data::dataset::Samples;
use crate::random::{SampleRng, Stream, permutation};

/// Data that are read from their beginning to their end, and then once more: files too large to be indexed, archives,
/// a query.
///
/// Reading is cut into two parts. A [`RecordReader`] reads records in order, for example the bytes of an image and its
/// class, in one thread. [`RecordStream::get`] makes a sample of a record, in several threads at once: put there what takes
/// time.
///
/// ```
/// use engine::data::{RecordReader, RecordStream, Round};
/// use engine::prelude::*;
/// use std::fs::File;
/// use std::io::{BufRead, BufReader, Seek, SeekFrom};
/// use std::path::PathBuf;
///
/// #[component(dataset)]
/// pub struct NumbersConfig { path: PathBuf }
///
/// /// A file with a number in each line.
/// pub struct Numbers(PathBuf);
///
/// pub struct NumberReader(BufReader<File>, u64);
///
/// impl RecordReader for NumberReader {
///     type Record = String;
///     type Place = u64;                     // bytes from the beginning of the file
///
///     fn next_record(&mut self) -> Result<Option<String>> {
///         let mut line = String::new();
///         self.1 += self.0.read_line(&mut line)? as u64;
///         Ok((!line.is_empty()).then_some(line))
///     }
///     fn place(&self) -> u64 {
///         self.1
///     }
/// }
///
/// impl RecordStream for Numbers {
///     type Config = NumbersConfig;
///     type Reader = NumberReader;
///     type Item = f32;
///
///     fn open(config: &NumbersConfig) -> Result<Self> {
///         Ok(Numbers(config.path.clone()))
///     }
///     fn read(&self, _: &Round, from: &u64) -> Result<NumberReader> {
///         let mut file = File::open(&self.0)?;
///         file.seek(SeekFrom::Start(*from))?;
///         Ok(NumberReader(BufReader::new(file), *from))
///     }
///     fn get(&self, record: &String, _: &mut SampleRng) -> Result<f32> {
///         Ok(record.trim().parse()?)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stream of records",
    label = "this type does not implement `RecordStream`",
    note = "implement `engine::data::RecordStream` for `{Self}`: `open` reads its settings, `read` begins to read, `get` makes a sample of a record"
)]
pub trait RecordStream: Sized + Send + Sync + 'static {
    /// The type of the settings in the experiment file.
    type Config: ConfigValue + Send + Sync + 'static;

    /// Reads the records in order.
    type Reader: RecordReader<Record: Send + Sync + 'static, Place: Saved + Clone + Default + 'static> + 'static;

    /// One sample: a tensor, a number, a text, or a tuple of them.
    type Item: Collate;

    /// Opens the data. Called once, before anything is read.
    ///
    /// # Errors
    /// When the data can't be read; the loader's name is added to the error.
    fn open(config: &Self::Config) -> Result<Self>;

    /// Begins to read a round, at its beginning (the default of the place) or at a place that
    /// [`RecordReader::place`] has told in the same round.
    ///
    /// # Errors
    /// When the data can't be read, or the place is not in them.
    fn read(&self, round: &Round, from: &PlaceOf<Self>) -> Result<Self::Reader>;

    /// Makes a sample of a record.
    ///
    /// Use only `rng` for random numbers; it is different for each position. With another generator the data would depend
    /// on the number of workers.
    ///
    /// # Errors
    /// When the record is wrong; the loader adds its name and the number of the record.
    fn get(&self, record: &RecordOf<Self>, rng: &mut SampleRng) -> Result<Self::Item>;

    /// Makes a batch of its samples. Override it to cut or pad samples so that they fit each other, or to augment a
    /// whole batch with the generators of `samples`.
    ///
    /// # Errors
    /// When the samples don't fit together.
    fn batch(&self, items: Vec<Self::Item>, samples: &Samples) -> Result<<Self::Item as Collate>::Batch> {
        let _ = samples;
        Self::Item::collate(items)
    }

    /// What the order of the records depends on, for example the names of the files: a run that stands in the middle
    /// is not resumed when it has changed.
    fn fingerprint(&self) -> String {
        String::new()
    }
}

/// Reads the records of a [`RecordStream`] in order.
pub trait RecordReader {
    /// What is read at once; a sample is made of it later, perhaps by another thread.
    type Record;

    /// Where the next record begins, as a checkpoint holds it. Its default is the beginning of a round.
    type Place;

    /// The next record; `None` at the end of the round.
    ///
    /// # Errors
    /// When it can't be read. The loader then reads from the last place again, or the run ends.
    fn next_record(&mut self) -> Result<Option<Self::Record>>;

    /// Where the next record begins.
    fn place(&self) -> Self::Place;
}

/// The records of a stream.
pub type RecordOf<S> = <<S as RecordStream>::Reader as RecordReader>::Record;

/// The places of a stream.
pub type PlaceOf<S> = <<S as RecordStream>::Reader as RecordReader>::Place;

/// One time through all records of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    pub(super) number: u64,
    pub(super) seed: u64,
}

impl Round {
    /// A round of this number, for reading a stream without a loader.
    pub fn new(number: u64, seed: u64) -> Self {
        Round { number, seed }
    }

    /// From 0 on.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// An order of so many things, for example files, that is another one in each round.
    pub fn shuffled(&self, len: usize) -> Vec<usize> {
        permutation(len, &mut Stream::new(self.seed, "round", self.number, 0))
    }
}

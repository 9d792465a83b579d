//! Which records make which batch, and where they are kept until their batch is made.
//!
//! The records of all rounds are one sequence, numbered from 0 on. It is cut into blocks of as many records as the
//! buffer has. A block is read as a whole and its records are given in an order of its own, which follows from the seed
//! and the number of the block. So a position in the data needs no list of what the buffer held: it is enough to know
//! where the block begins, and to read it again.

use crate::base::error::Error;
use crate::base::state::{Saved, StateError, StateMap, StateValue};
use crate::data::collate::Collate;
use crate::data::common_order::{CommonOrder, of_stream};
use crate::data::cursor::Cursor;
use crate::data::dataset::{Dataset, Reading, Samples};
use crate::data::error::{DataError, caught};
use crate::data::facts::Facts;
use crate::data::plan::Planned;
use crate::data::stream::traits::{PlaceOf, RecordOf, RecordReader, RecordStream, Round};
use crate::data::windows::Windows;
use crate::random::{SampleRng, Stream, permutation};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records that are read at once where nothing is shuffled.
const IN_ORDER: u64 = 64;

/// A stream with the records that wait for their batch, as a dataset: the index of a sample is the number of its record.
pub(super) struct Shelf<S: RecordStream> {
    pub(super) stream: S,
    /// Records of a block.
    block: u64,
    held: Mutex<BTreeMap<u64, Arc<Vec<RecordOf<S>>>>>,
}

impl<S: RecordStream> Shelf<S> {
    /// For blocks of as many records as a buffer has; 0 and 1: nothing is shuffled.
    pub(super) fn new(stream: S, buffer: usize) -> Self {
        let block = if buffer > 1 { buffer as u64 } else { IN_ORDER };
        Shelf { stream, block, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Vec<RecordOf<S>>>>> {
        // nothing is half done behind this lock: entries are inserted and removed as a whole
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[diagnostic::do_not_recommend]
impl<S: RecordStream> Dataset for Shelf<S> {
    type Config = S::Config;
    type Item = S::Item;

    fn open(config: &S::Config) -> crate::base::Result<Self> {
        Ok(Shelf::new(S::open(config)?, 0))
    }

    fn len(&self) -> usize {
        usize::MAX
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> crate::base::Result<S::Item> {
        let (block, place) = (index as u64 / self.block, index as u64 % self.block);
        let records = self.held().get(&block).cloned();
        match records.as_ref().and_then(|records| records.get(place as usize)) {
            Some(record) => self.stream.get(record, rng),
            None => Err(Error::msg("the record is not in memory any more")),
        }
    }

    fn batch(&self, samples: &Samples) -> crate::base::Result<<S::Item as Collate>::Batch> {
        self.stream.batch(samples.map(|index, rng| self.get(index, rng))?, samples)
    }
}

/// Where to begin to read: the number of the record there, its round, and its place in it.
#[derive(Clone)]
struct Start<P> {
    record: u64,
    round: u64,
    place: P,
}

/// A block of records that is in memory.
struct Block<P> {
    start: Start<P>,
    /// In which order its records are given, when they are shuffled.
    order: Option<Vec<usize>>,
}

/// A reader in the middle of a round.
struct Open<S: RecordStream> {
    reader: S::Reader,
    round: u64,
    /// The number of the record that it reads next.
    next: u64,
    /// Whether this round has given a record, or has not been read from its beginning.
    has_records: bool,
}

impl<S: RecordStream> Open<S> {
    fn start(&self) -> Start<PlaceOf<S>> {
        Start { record: self.next, round: self.round, place: self.reader.place() }
    }
}

/// The batches of a stream.
pub(super) struct Feed<S: RecordStream> {
    loader: Arc<str>,
    seed: u64,
    windows: Windows,
    buffer: usize,
    block: u64,
    /// A position, and the number of its record. Others are counted from there.
    anchor: (Cursor, u64),
    /// The blocks that are in memory, by their numbers.
    blocks: BTreeMap<u64, Block<PlaceOf<S>>>,
    open: Option<Open<S>>,
    /// A place from which one can go on when there is no reader.
    known: Start<PlaceOf<S>>,
}

impl<S: RecordStream> Feed<S> {
    /// # Errors
    /// When there is no batch.
    pub(super) fn new(
        loader: &Arc<str>,
        seed: u64,
        windows: Windows,
        buffer: usize,
        shelf: &Shelf<S>,
    ) -> Result<Self, DataError> {
        windows.check(loader)?;
        Ok(Feed {
            loader: loader.clone(),
            seed,
            windows,
            buffer,
            block: shelf.block,
            anchor: (Cursor::default(), 0),
            blocks: BTreeMap::new(),
            open: None,
            known: Start { record: 0, round: 0, place: Default::default() },
        })
    }

    /// The number of the record at this position of the order.
    fn record_at(&self, at: Cursor) -> u64 {
        let flat = |at: Cursor| i128::from(at.pass) * i128::from(self.windows.samples) + i128::from(at.sample);
        let record = i128::from(self.anchor.1) + flat(at) - flat(self.anchor.0);
        u64::try_from(record).unwrap_or_default()
    }

    /// Counts positions as at the beginning of a run: pass 0 begins with record 0.
    pub(super) fn count_from_the_beginning(&mut self) {
        self.anchor = (Cursor::default(), 0);
    }

    /// What a checkpoint holds beside this position: the number of its record, and the last known place before it.
    pub(super) fn place(&self, at: Cursor) -> StateValue {
        let record = self.record_at(at);
        let held = self.blocks.values().map(|block| &block.start).rfind(|start| start.record <= record).cloned();
        let open = self.open.as_ref().filter(|open| open.next <= record).map(Open::start);
        let known = Some(self.known.clone()).filter(|start| start.record <= record);
        let starts = [held, open, known].into_iter().flatten();
        let mut map = StateMap::new();
        map.put("record", &record);
        if let Some(start) = starts.max_by_key(|start| start.record) {
            map.put_map("start", |map| {
                map.put("record", &start.record);
                map.put("round", &start.round);
                map.put("place", &start.place);
            });
        }
        StateValue::Map(map)
    }

    /// Goes on at a position with what [`Feed::place`] gave for it.
    ///
    /// # Errors
    /// When the value is of something else.
    pub(super) fn go_on(&mut self, at: Cursor, place: StateValue) -> Result<(), StateError> {
        let mut map = StateMap::restore(place)?;
        let record = map.take("record")?;
        if map.0.contains_key("start") {
            let mut start = map.take_map("start").map_err(|error| error.at("start"))?;
            self.known =
                Start { record: start.take("record")?, round: start.take("round")?, place: start.take("place")? };
            self.open = None;
        }
        self.anchor = (at, record);
        Ok(())
    }

    /// Reads a block into memory, if it is not there.
    fn load(&mut self, shelf: &Shelf<S>, block: u64) -> Result<(), DataError> {
        if self.blocks.contains_key(&block) {
            return Ok(());
        }
        let begin = block * self.block;
        // a reader can't go back
        if self.open.as_ref().is_some_and(|open| open.next > begin) {
            self.open = None;
            if self.known.record > begin {
                self.known = Start { record: 0, round: 0, place: Default::default() };
            }
        }
        while self.next(shelf)? < begin {
            self.read(shelf)?;
        }
        let open = self.open.as_ref().ok_or_else(|| self.failed(begin, Error::msg("it is not open")))?;
        let start = open.start();
        // an error within the block is tried again from its beginning
        self.known = start.clone();
        let mut records = Vec::new();
        let batch_size = self.windows.batch_size;
        let reserved = records.try_reserve_exact(self.block as usize);
        reserved.map_err(|_| DataError::Memory { loader: self.loader.to_string(), batch_size })?;
        while (records.len() as u64) < self.block {
            records.push(self.read(shelf)?);
        }
        shelf.held().insert(block, Arc::new(records));
        let shuffled = || permutation(self.block as usize, &mut Stream::new(self.seed, "buffer", block, 0));
        let order = (self.buffer > 1).then(shuffled);
        self.blocks.insert(block, Block { start, order });
        Ok(())
    }

    /// The number of the record that is read next; opens a reader if there is none.
    fn next(&mut self, shelf: &Shelf<S>) -> Result<u64, DataError> {
        if let Some(open) = &self.open {
            return Ok(open.next);
        }
        let Start { record, round, place } = self.known.clone();
        let reader = self.begin(shelf, round, &place, record)?;
        // one that goes on in the middle had records before
        self.open = Some(Open { reader, round, next: record, has_records: record > 0 });
        Ok(record)
    }

    /// Reads one record, of the next round when this one is over.
    fn read(&mut self, shelf: &Shelf<S>) -> Result<RecordOf<S>, DataError> {
        let at = self.next(shelf)?;
        loop {
            let Some(open) = &mut self.open else { return Err(self.failed(at, Error::msg("it is not open"))) };
            let read = caught(|| open.reader.next_record())
                .unwrap_or_else(|panic| Err(Error::msg(format!("the reader panicked: {panic}"))));
            match read {
                Ok(Some(record)) => {
                    open.next += 1;
                    open.has_records = true;
                    return Ok(record);
                }
                Ok(None) if !open.has_records => {
                    self.open = None;
                    return Err(DataError::Empty { loader: self.loader.to_string() });
                }
                Ok(None) => {
                    let round = open.round + 1;
                    self.open = None;
                    let reader = self.begin(shelf, round, &Default::default(), at)?;
                    self.open = Some(Open { reader, round, next: at, has_records: false });
                }
                Err(why) => {
                    self.open = None;
                    return Err(self.failed(at, why));
                }
            }
        }
    }

    fn begin(&self, shelf: &Shelf<S>, round: u64, place: &PlaceOf<S>, record: u64) -> Result<S::Reader, DataError> {
        let round = Round { number: round, seed: self.seed };
        caught(|| shelf.stream.read(&round, place))
            .unwrap_or_else(|panic| Err(Error::msg(format!("the stream panicked: {panic}"))))
            .map_err(|why| self.failed(record, why))
    }

    fn failed(&self, record: u64, why: Error) -> DataError {
        DataError::Record { loader: self.loader.to_string(), record, why }
    }
}

impl<S: RecordStream> Planned<Shelf<S>> for Feed<S> {
    fn windows(&self) -> &Windows {
        &self.windows
    }

    fn windows_mut(&mut self) -> &mut Windows {
        &mut self.windows
    }

    fn batch(&mut self, shelf: &Shelf<S>, at: Cursor) -> Result<Option<Samples>, DataError> {
        let Some((at, size)) = self.windows.own(at) else { return Ok(None) };
        let mut indices = Vec::new();
        let batch_size = self.windows.batch_size;
        let reserved = indices.try_reserve_exact(size as usize);
        reserved.map_err(|_| DataError::Memory { loader: self.loader.to_string(), batch_size })?;
        let (mut record, end) = (self.record_at(at), self.record_at(at) + size);
        while record < end {
            let block = record / self.block;
            self.load(shelf, block)?;
            let order = self.blocks.get(&block).and_then(|block| block.order.as_ref());
            let until = end.min((block + 1) * self.block);
            let places = (record..until).map(|record| (record % self.block) as usize);
            let places = places.map(|place| order.map_or(place, |order| order[place]));
            indices.extend(places.map(|place| (block * self.block) as usize + place));
            record = until;
        }
        Ok(Some(Samples {
            loader: self.loader.clone(),
            seed: self.seed,
            at,
            batch_size: batch_size as u64,
            per_pass: self.windows.samples,
            indices,
            reading: Reading::default(),
        }))
    }

    fn common_order(&self, run_seed: u64, shelf: &Shelf<S>) -> CommonOrder {
        let hash = blake3::hash(shelf.stream.fingerprint().as_bytes()).to_hex();
        CommonOrder {
            loader: self.loader.to_string(),
            seed: run_seed,
            sampler: of_stream(self.buffer, &hash[..16]),
            population: 0,
            samples: self.windows.samples,
            facts: Facts::default(),
        }
    }

    fn let_go(&mut self, shelf: &Shelf<S>, before: Cursor) {
        let first = self.record_at(before) / self.block;
        self.blocks = self.blocks.split_off(&first);
        let mut held = shelf.held();
        *held = held.split_off(&first);
    }
}

impl<S: RecordStream> fmt::Debug for Feed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("windows", &self.windows)
            .field("buffer", &self.buffer)
            .field("blocks", &self.blocks.keys())
            .finish_non_exhaustive()
    }
}

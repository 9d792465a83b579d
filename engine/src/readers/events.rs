//! Images, histograms and texts, from the event files that the sink `TensorBoard` writes into a run's folder.

use super::place;
use super::series::LONGEST_NAME;
use crate::sinks::event_files::{Event, Held, Histogram, START, What, check_sum};
use prost::Message as _;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// The sink's folder in that of a run.
const FOLDER: &str = "tensorboard";
/// A longer record is no image of a run.
const LONGEST: u64 = 256 << 20;
/// Values that are remembered.
const MOST: usize = 200_000;
/// The bytes with which every PNG begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    /// An image or a figure of pixels, as PNG.
    Image,
    /// A histogram.
    Histogram,
    /// A text, or a table in Markdown.
    Text,
}

/// Which values there are, and where their bytes lie; the bytes are read when they are asked for.
#[derive(Debug, Default)]
pub struct MediaReader {
    /// How far each file was read.
    files: BTreeMap<String, u64>,
    found: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    medium: Medium,
    key: String,
    iter: u64,
    file: String,
    /// Where the record begins, and which of its values it is.
    record: u64,
    value: usize,
}

impl MediaReader {
    /// Reads on. Files that were cut, as by a resume, are read again.
    pub fn read(&mut self, run: &Path) {
        let folder = run.join(FOLDER);
        let names = names(&folder);
        let was_cut = self.files.iter().any(|(name, position)| {
            let length = place::open(&folder, name).and_then(|file| file.metadata()).map_or(0, |found| found.len());
            length < *position
        });
        if was_cut {
            *self = MediaReader::default();
        }
        for name in names {
            let Ok(file) = place::open(&folder, &name) else { continue };
            let mut position = self.files.get(&name).copied().unwrap_or(0);
            while let Some((event, next)) = record(&file, position) {
                self.take(event, &name, position);
                position = next;
            }
            self.files.insert(name, position);
        }
    }

    fn take(&mut self, event: Event, file: &str, record: u64) {
        let iter = u64::try_from(event.step).unwrap_or(0);
        match event.what {
            // a resume voids what follows its checkpoint
            Some(What::SessionLog(_)) => self.found.retain(|place| place.iter < iter),
            Some(What::Summary(summary)) => {
                for (value, of) in summary.value.into_iter().enumerate() {
                    let medium = match of.held {
                        Some(Held::Image(_)) => Medium::Image,
                        Some(Held::Histogram(_)) => Medium::Histogram,
                        Some(Held::Tensor(tensor)) if !tensor.string_val.is_empty() => Medium::Text,
                        _ => continue,
                    };
                    // what the sink writes about the run itself
                    if of.tag != "experiment" && of.tag.len() <= LONGEST_NAME && self.found.len() < MOST {
                        self.found.push(Place { medium, key: of.tag, iter, file: file.to_owned(), record, value });
                    }
                }
            }
            _ => {}
        }
    }

    /// The names of all values of a kind, each with its iters in order.
    pub fn list(&self, medium: Medium) -> Vec<(String, Vec<u64>)> {
        let mut found: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for place in self.found.iter().filter(|place| place.medium == medium) {
            found.entry(&place.key).or_default().push(place.iter);
        }
        found
            .into_iter()
            .map(|(key, mut iters)| {
                iters.sort_unstable();
                iters.dedup();
                (key.to_owned(), iters)
            })
            .collect()
    }

    /// The bytes of an image, as PNG.
    pub fn image(&self, run: &Path, key: &str, iter: u64) -> Option<Vec<u8>> {
        match self.held(run, Medium::Image, key, iter)? {
            Held::Image(image) => Some(image.encoded).filter(|bytes| bytes.starts_with(PNG)),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self, run: &Path, key: &str, iter: u64) -> Option<String> {
        match self.held(run, Medium::Text, key, iter)? {
            Held::Tensor(tensor) => tensor.string_val.first().map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    /// The buckets of a histogram: their limits in ascending order, one more than there are counts, and how many elements lie
    /// in each.
    pub fn histogram(&self, run: &Path, key: &str, iter: u64) -> Option<(Vec<f64>, Vec<f64>)> {
        match self.held(run, Medium::Histogram, key, iter)? {
            Held::Histogram(Histogram { min, bucket_limit, bucket, .. }) => {
                let first = bucket_limit.first().map(|limit| limit.min(min))?;
                Some((std::iter::once(first).chain(bucket_limit).collect(), bucket))
            }
            _ => None,
        }
    }

    fn held(&self, run: &Path, medium: Medium, key: &str, iter: u64) -> Option<Held> {
        let is_it = |place: &&Place| place.medium == medium && place.key == key && place.iter == iter;
        // the last one that was written counts
        let found = self.found.iter().rev().find(is_it)?;
        let file = place::open(&run.join(FOLDER), &found.file).ok()?;
        let What::Summary(mut summary) = record(&file, found.record)?.0.what? else { return None };
        (found.value < summary.value.len()).then(|| summary.value.swap_remove(found.value).held)?
    }
}

/// The event files of a folder, in the order in which they are read.
fn names(folder: &Path) -> Vec<String> {
    if !place::is_folder(folder) {
        return Vec::new();
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with(START));
    names.sort();
    names
}

/// The record at a position, and where the next one begins; `None` for one that is torn, damaged or not there yet.
fn record(file: &File, position: u64) -> Option<(Event, u64)> {
    let mut head = [0; 12];
    file.read_exact_at(&mut head, position).ok()?;
    let (length, sum) = head.split_at(8);
    let bytes = u64::from_le_bytes(length.try_into().ok()?);
    if sum != check_sum(length) || bytes > LONGEST || file.metadata().ok()?.len() < position + 16 + bytes {
        return None;
    }
    let mut record = vec![0; bytes as usize + 4];
    file.read_exact_at(&mut record, position + 12).ok()?;
    let (record, sum) = record.split_at(bytes as usize);
    if sum != check_sum(record) {
        return None;
    }
    Some((Event::decode(record).ok()?, position + 16 + bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::state::State as _;
    use crate::record::{self, Moment, RowPhase, RunInfo, Sink as _, SinkComponent as _, Table, Value};
    use crate::sinks::TensorBoard;

    fn sink() -> TensorBoard {
        TensorBoard::build(&ron::from_str("(flush_interval: 0.0)").unwrap())
    }

    fn event(name: &str, iter: u64, value: Value) -> record::Event {
        let at = Moment { iter, ..Moment::default() };
        record::Event { phase: RowPhase::Train, loader: None, at, name: name.to_owned(), value }
    }

    /// A value of each kind.
    fn write(sink: &mut TensorBoard, iter: u64) {
        let image = record::Image::new(2, 1, 1, vec![iter as u8, 255]).unwrap();
        let bucket = |low, high, count| record::Bucket { low, high, count };
        let buckets = vec![bucket(-1.0, 0.0, iter), bucket(2.0, 4.0, 5)];
        let histogram =
            record::Histogram { min: -0.5, max: 3.0, sum: 0.0, sum_of_squares: 0.0, buckets, not_finite: 0 };
        let table = Table::new(["a", "b"]).row([1.0.into(), "x|y".into()]);
        for (name, value) in [
            ("image", Value::Image(image)),
            ("histogram", Value::Histogram(histogram)),
            ("text", Value::Text(format!("iter {iter}"))),
            ("table", Value::Table(table)),
        ] {
            sink.event(&event(name, iter, value)).unwrap();
        }
        sink.flush().unwrap();
    }

    #[test]
    fn what_the_sink_has_written_is_read_also_after_a_resume() {
        let dir = tempfile::tempdir().unwrap();
        let (run, folder) = (RunInfo::new("run", dir.path()), dir.path());
        let mut reader = MediaReader::default();
        reader.read(folder);
        assert!(reader.list(Medium::Image).is_empty());
        let mut first = sink();
        first.open(&run).unwrap();
        write(&mut first, 1);
        let checkpoint = first.save_state();
        write(&mut first, 2);
        reader.read(folder);
        let named = |name: &str, iters: &[u64]| (format!("train/{name}"), iters.to_vec());
        assert_eq!(reader.list(Medium::Image), [named("image", &[1, 2])]);
        assert_eq!(reader.list(Medium::Text), [named("table", &[1, 2]), named("text", &[1, 2])]);
        assert!(reader.image(folder, "train/image", 2).unwrap().starts_with(PNG));
        assert_eq!(reader.text(folder, "train/text", 2).unwrap(), "iter 2");
        assert_eq!(reader.text(folder, "train/table", 1).unwrap(), "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n");
        let (limits, counts) = reader.histogram(folder, "train/histogram", 2).unwrap();
        assert_eq!((limits.len(), counts.iter().sum::<f64>()), (counts.len() + 1, 7.0));
        assert!(limits.is_sorted() && limits[0] == -1.0 && limits[limits.len() - 1] == 4.0, "{limits:?}");
        assert_eq!(reader.image(folder, "train/image", 3), None);
        assert_eq!(reader.image(folder, "train/text", 1), None);
        // the resumed run cuts its files at the checkpoint, and goes on in another one
        drop(first);
        let mut second = sink();
        second.load_state(checkpoint).unwrap();
        let resumed = Some(Moment { iter: 1, ..Moment::default() });
        second.open(&RunInfo { resumed, ..run }).unwrap();
        reader.read(folder);
        assert_eq!(reader.list(Medium::Image), [named("image", &[1])]);
        write(&mut second, 3);
        reader.read(folder);
        assert_eq!(reader.list(Medium::Histogram), [named("histogram", &[1, 3])]);
        assert_eq!(reader.text(folder, "train/text", 3).unwrap(), "iter 3");
    }

    #[test]
    fn files_torn_at_any_place_and_links_are_read_as_far_as_they_are_whole() {
        let dir = tempfile::tempdir().unwrap();
        let mut written = sink();
        written.open(&RunInfo::new("run", dir.path())).unwrap();
        write(&mut written, 1);
        write(&mut written, 2);
        let folder = dir.path().join(FOLDER);
        let file = folder.join(&names(&folder)[0]);
        let whole = std::fs::read(&file).unwrap();
        let mut most = 0;
        for end in (0..whole.len()).step_by(7) {
            std::fs::write(&file, &whole[..end]).unwrap();
            let mut reader = MediaReader::default();
            reader.read(dir.path());
            assert!(reader.found.len() >= most && reader.found.len() < 8);
            most = reader.found.len();
        }
        // a byte that was changed ends the reading before it
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        std::fs::write(&file, damaged).unwrap();
        let mut reader = MediaReader::default();
        reader.read(dir.path());
        assert!((1..8).contains(&reader.found.len()));
        // a folder that is a link is not followed
        let other = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(&folder, other.path().join(FOLDER)).unwrap();
        let mut reader = MediaReader::default();
        reader.read(other.path());
        assert!(reader.found.is_empty());
    }
}

//! Samples in tar archives, as GNU tar writes them.

use super::*;
use crate::base::error::Result;
use crate::data::{
    BatchSource as _, RecordReader as _, RecordStream, Round, Source as _, StreamLoader, StreamLoaderConfig,
};
use crate::random::SampleRng;
use std::process::Command;

/// Classes and texts of archives.
struct Pairs(Shards);

impl RecordStream for Pairs {
    type Config = ShardsConfig;
    type Reader = ShardReader;
    type Item = (i64, String);

    fn open(config: &ShardsConfig) -> Result<Self> {
        Ok(Pairs(Shards::open(config)?))
    }
    fn read(&self, round: &Round, from: &(u64, u64)) -> Result<ShardReader> {
        self.0.read(round, from)
    }
    fn get(&self, sample: &ShardSample, _: &mut SampleRng) -> Result<(i64, String)> {
        Ok((sample.number("cls")?, format!("{} {}", sample.key(), sample.text("txt")?)))
    }
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }
}

/// Packs these files, in this order, into an archive beside them.
fn pack(dir: &Path, archive: &str, format: &str, files: &[(String, String)]) -> PathBuf {
    for (name, content) in files {
        std::fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
        std::fs::write(dir.join(name), content).unwrap();
    }
    let path = dir.join(archive);
    let names = files.iter().map(|(name, _)| name);
    let made =
        Command::new("tar").arg("--format").arg(format).arg("-cf").arg(&path).arg("-C").arg(dir).args(names).status();
    assert!(made.unwrap().success());
    path
}

/// Files of so many samples from the first number on.
fn samples(first: usize, count: usize) -> Vec<(String, String)> {
    let of = |number: usize| {
        let text = format!("text {number}").repeat(number % 5 * 40 + 1);
        [(format!("set/{number:03}.cls"), format!("{number}\n")), (format!("set/{number:03}.txt"), text)]
    };
    (first..first + count).flat_map(of).collect()
}

fn config(paths: Vec<PathBuf>) -> ShardsConfig {
    ShardsConfig { paths, shuffle_files: false, largest: 1 << 20 }
}

fn open(config: ShardsConfig, set: impl FnOnce(&mut StreamLoaderConfig<ShardsConfig>)) -> StreamLoader<Pairs> {
    let mut config = StreamLoaderConfig::new(config, 4);
    set(&mut config);
    StreamLoader::open("train", &config, 7).unwrap()
}

fn classes(loader: &mut StreamLoader<Pairs>, batches: usize) -> Vec<i64> {
    let batch = |_| Vec::<i64>::try_from(loader.next_batch().unwrap().unwrap().0).unwrap();
    (0..batches).flat_map(batch).collect()
}

#[test]
fn archives_of_every_format_are_read_sample_by_sample() {
    for format in ["gnu", "pax", "ustar"] {
        let dir = tempfile::tempdir().unwrap();
        // ustar can't name longer ones
        let long = if format == "ustar" { "long".to_owned() } else { "long".repeat(60) };
        let mut first = samples(0, 7);
        first.insert(0, ("set/.hidden".to_owned(), "no".to_owned()));
        first.insert(3, ("set/readme".to_owned(), "no".to_owned()));
        first.push((format!("b.c/{long}.CLS"), "77".to_owned()));
        first.push((format!("b.c/{long}.txt"), String::new()));
        first.push((format!("b.c/{long}.left.seg.txt"), "more".to_owned()));
        pack(dir.path(), "0.tar", format, &first);
        pack(dir.path(), "1.tar", format, &samples(7, 4));
        let shards = Shards::open(&config(vec![dir.path().to_owned()])).unwrap();
        let mut reader = shards.read(&Round::new(0, 0), &(0, 0)).unwrap();
        let mut read = Vec::new();
        while let Some(sample) = reader.next_record().unwrap() {
            read.push(sample);
        }
        let keys: Vec<&str> = read.iter().map(ShardSample::key).collect();
        assert_eq!(keys[..2], ["set/000", "set/001"], "{format}");
        assert_eq!((keys.len(), keys[7], keys[11]), (12, format!("b.c/{long}").as_str(), "set/010"));
        assert_eq!(read[7].names().collect::<Vec<_>>(), ["cls", "left.seg.txt", "txt"]);
        assert_eq!((read[7].number("cls").unwrap(), read[7].text("txt").unwrap()), (77, ""));
        assert_eq!(read[3].text("txt").unwrap(), "text 3".repeat(121));
    }
}

#[test]
fn a_place_between_any_two_samples_leads_to_the_same_samples() {
    let dir = tempfile::tempdir().unwrap();
    for archive in 0..4 {
        pack(dir.path(), &format!("{archive}.tar"), "pax", &samples(archive * 9, 9));
    }
    let new = |workers| {
        let config = ShardsConfig { shuffle_files: true, ..config(vec![dir.path().to_owned()]) };
        open(config, |settings| (settings.buffer, settings.workers) = (6, usize::into(workers)))
    };
    let mut whole = new(2);
    let mut places = Vec::new();
    let read: Vec<Vec<i64>> = (0..30)
        .map(|_| {
            places.push((whole.cursor(), whole.place()));
            classes(&mut whole, 1)
        })
        .collect();
    for (batch, (cursor, place)) in places.into_iter().enumerate().take(25) {
        let mut resumed = new(0);
        resumed.start_at(cursor, place).unwrap();
        assert_eq!(classes(&mut resumed, 3), read[batch..batch + 3].concat(), "batch {batch}");
    }
    let round: std::collections::BTreeSet<i64> = read[..9].concat().into_iter().collect();
    assert_eq!(round, (0..36).collect());
}

#[test]
fn damaged_archives_and_wrong_samples_are_told_and_never_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = pack(dir.path(), "0.tar", "gnu", &samples(0, 6));
    let whole = std::fs::read(&path).unwrap();
    let read_all = |largest| {
        let shards = Shards::open(&ShardsConfig { largest, ..config(vec![path.clone()]) })?;
        let mut reader = shards.read(&Round::new(0, 0), &(0, 0))?;
        let mut count = 0;
        while reader.next_record()?.is_some() {
            count += 1;
        }
        Ok::<usize, crate::base::Error>(count)
    };
    assert_eq!(read_all(1 << 20).unwrap(), 6);
    // cut anywhere: fewer samples or an error, and no endless loop
    for cut in (0..whole.len()).step_by(97) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert!(read_all(1 << 20).map_or(true, |count| count <= 6), "cut at {cut}");
    }
    std::fs::write(&path, &whole[..512 + 100]).unwrap();
    // a byte of the header changed: its checksum does not fit
    let mut changed = whole.clone();
    changed[3] ^= 1;
    std::fs::write(&path, &changed).unwrap();
    let error = read_all(1 << 20).unwrap_err().to_string();
    assert!(error.contains("0.tar` can't be read as a tar archive: behind 0 bytes: "), "{error}");
    std::fs::write(&path, &whole).unwrap();
    let error = read_all(1).unwrap_err().to_string();
    assert!(error.contains("`set/000.cls` has 2 bytes, more than `largest`: 1"), "{error}");

    let error_of = |files: &[(&str, &str)]| {
        let files: Vec<(String, String)> =
            files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let path = pack(dir.path(), "1.tar", "gnu", &files);
        let error = open(config(vec![path]), |_| {}).next_batch().unwrap_err().to_string();
        error.replace(&dir.path().display().to_string(), "")
    };
    let error = error_of(&[("a.txt", "x"), ("b.cls", "1")]);
    assert_eq!(
        error,
        "loader `train` can't read sample 0 in pass 0: `/1.tar` can't be read as a tar archive: sample `a`: it has no file `cls`, it has `txt`"
    );
    let error = error_of(&[("a.cls", "many"), ("a.txt", "x")]);
    assert!(error.contains("sample `a`: its file `cls` has `many`, expected a whole number"), "{error}");
    let error = error_of(&[("a.cls", "1"), ("a.CLS", "1")]);
    assert!(error.contains("sample `a`: it has two files `cls`"), "{error}");
    assert_eq!(
        error_of(&[("readme", "x")]),
        "loader `train` has no samples; check where its dataset looks for the data"
    );
    let refused = |content: &[u8]| {
        let path = dir.path().join("2.tar");
        std::fs::write(&path, content).unwrap();
        let error = Shards::open(&config(vec![path])).and_then(|shards| {
            let mut reader = shards.read(&Round::new(0, 0), &(0, 0))?;
            while reader.next_record()?.is_some() {}
            Ok(())
        });
        error.unwrap_err().to_string()
    };
    // cut behind whole samples: each of them takes a header and a block for each of two files
    for cut in [0, 4 * 512, 8 * 512] {
        assert!(refused(&whole[..cut]).contains("it has no end: every archive ends with empty blocks"), "{cut}");
    }
    let joined = [whole.as_slice(), &whole].concat();
    assert!(refused(&joined).contains("there is more behind its end"));
    let packed = b"\x1f\x8b\x08\x00\x00\x00\x00\x00".repeat(100);
    assert!(refused(&packed).contains("it is packed with gzip; unpack it first"));
}

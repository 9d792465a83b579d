//! Lines of text files as a stream.

use super::*;
use crate::data::{
    BatchSource as _, Cursor, RecordReader as _, RecordStream as _, Round, Source as _, StreamLoader,
    StreamLoaderConfig,
};

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, content)| std::fs::write(dir.path().join(name), content).unwrap());
    dir
}

fn config(paths: Vec<PathBuf>) -> LinesConfig {
    LinesConfig { paths, shuffle_files: false, length: None, longest: 100 }
}

fn open(config: LinesConfig, set: impl FnOnce(&mut StreamLoaderConfig<LinesConfig>)) -> StreamLoader<Lines> {
    let mut config = StreamLoaderConfig::new(config, 2);
    set(&mut config);
    StreamLoader::open("train", &config, 7).unwrap()
}

fn read(loader: &mut StreamLoader<Lines>, batches: usize) -> Vec<String> {
    (0..batches).flat_map(|_| loader.next_batch().unwrap().unwrap()).collect()
}

#[test]
fn lines_of_all_files_come_in_their_order_and_blank_ones_are_passed_over() {
    let dir = folder(&[
        ("b.txt", b"\n \t\nfour\r\nf\xc3\xbcnf"),
        ("a.txt", b"one\ntwo\n\nthree\n"),
        ("empty.txt", b""),
        ("c.md", b"no\n"),
    ]);
    let mut loader = open(config(vec![dir.path().to_owned()]), |_| {});
    assert_eq!(read(&mut loader, 5), ["one", "two", "three", "four", "fünf", "one", "two", "three", "four", "fünf"]);
    let mut named = open(config(vec![dir.path().join("c.md"), dir.path().join("b.txt")]), |_| {});
    assert_eq!(read(&mut named, 2), ["no", "four", "fünf", "no"]);
}

#[test]
fn a_part_of_a_long_line_is_at_a_random_place_that_workers_do_not_change() {
    let dir = folder(&[("a.txt", "äbcdefghij\nxy\n".as_bytes())]);
    let parts = |workers| {
        let config = LinesConfig { length: Some(4), ..config(vec![dir.path().join("a.txt")]) };
        read(&mut open(config, |settings| settings.workers = usize::into(workers)), 40)
    };
    let read = parts(0);
    assert_eq!(read, parts(2));
    let begins: std::collections::BTreeSet<&str> = read.iter().step_by(2).map(String::as_str).collect();
    // every place, the first and the last too
    assert_eq!(begins, ["äbcd", "bcde", "cdef", "defg", "efgh", "fghi", "ghij"].into());
    assert!(read.iter().skip(1).step_by(2).all(|short| short == "xy"));
}

#[test]
fn a_place_in_the_middle_of_shuffled_files_leads_to_the_same_lines() {
    let texts: Vec<(String, String)> = (0..9)
        .map(|file| (format!("{file}.txt"), (0..40).map(|line| format!("{file} {line}\n")).collect::<String>()))
        .collect();
    let files: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let dir = folder(&files);
    let new = || {
        let config = LinesConfig { shuffle_files: true, ..config(vec![dir.path().to_owned()]) };
        open(config, |settings| (settings.buffer, settings.workers) = (40, 2.into()))
    };
    let mut whole = new();
    read(&mut whole, 211);
    let (cursor, place) = (whole.cursor(), whole.place());
    let rest = read(&mut whole, 40);
    let mut resumed = new();
    resumed.start_at(cursor, place).unwrap();
    assert_eq!(read(&mut resumed, 40), rest);
    // each line once in a round, and the next round has another order
    let mut all = new();
    let (first, second) = (read(&mut all, 180), read(&mut all, 180));
    assert_ne!(first, second);
    assert_eq!(first.iter().collect::<std::collections::BTreeSet<_>>().len(), 360);
    assert_ne!(
        resumed.common_order(),
        open(config(vec![dir.path().to_owned()]), |settings| settings.buffer = 40).common_order()
    );
}

#[test]
fn what_is_no_text_is_refused_with_its_place() {
    let refused = |content: &[u8]| {
        let dir = folder(&[("a.txt", content)]);
        let mut loader = open(config(vec![dir.path().join("a.txt")]), |_| {});
        let error = loader.next_batch().unwrap_err().to_string();
        error.replace(&dir.path().display().to_string(), "")
    };
    let error = refused(b"good\nb\xffd\n");
    assert!(
        error.starts_with("loader `train` can't read sample 1 in pass 0: `/a.txt` can't be read as lines of text: the line behind 5 bytes is not UTF-8"),
        "{error}"
    );
    let error = refused(&[b'x'; 200]);
    assert!(
        error.contains("`/a.txt` can't be read as lines of text: the line behind 0 bytes is longer than 100 bytes"),
        "{error}"
    );
    assert_eq!(refused(b"\n\n"), "loader `train` has no samples; check where its dataset looks for the data");

    let dir = folder(&[("a.txt", b"x\n")]);
    let fails = |paths: Vec<PathBuf>| {
        let error = StreamLoader::<Lines>::open("train", &StreamLoaderConfig::new(config(paths), 2), 7).unwrap_err();
        error.to_string()
    };
    assert!(fails(vec![dir.path().join("b.txt")]).contains("b.txt` can't be read: No such file"));
    assert!(fails(Vec::new()).contains("there is no file: `paths` names files, or folders with files `*.txt`"));
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(fails(vec![pipe]).contains("it is a pipe, not a regular file"));
    // a file that was cut since a checkpoint
    let mut loader = open(config(vec![dir.path().join("a.txt")]), |_| {});
    let mut map = crate::base::StateMap::new();
    map.put("record", &0u64);
    map.put_map("start", |start| {
        start.put("record", &0u64);
        start.put("round", &0u64);
        start.put("place", &(0u64, 10u64));
    });
    loader.start_at(Cursor::default(), Some(crate::base::StateValue::Map(map))).unwrap();
    let error = loader.next_batch().unwrap_err().to_string();
    assert!(error.contains("the place to go on from is behind 10 bytes, and it has 2"), "{error}");
}

#[test]
fn a_file_that_changes_while_it_is_read_loses_no_line_without_a_word() {
    let read = |becomes: &[u8]| {
        let dir = folder(&[("a.txt", b"one\n"), ("b.txt", b"two\nthree\n")]);
        let lines = Lines::open(&config(vec![dir.path().to_owned()]))?;
        std::fs::write(dir.path().join("b.txt"), becomes).unwrap();
        let mut reader = lines.read(&Round::new(0, 0), &(0, 0))?;
        let mut count = 0;
        while reader.next_record()?.is_some() {
            count += 1;
        }
        Ok::<usize, crate::base::Error>(count)
    };
    let error = read(b"two\n").unwrap_err().to_string();
    assert!(error.contains("it had 10 bytes at the begin, and ends behind 4 now"), "{error}");
    // what is added belongs to another order
    assert_eq!(read(b"two\nthree\nfour\n").unwrap(), 3);
}

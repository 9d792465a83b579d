//! TensorBoard's own readers, on the event files of whole runs and of runs that were killed and resumed.

use crate::bench::{Bench, chosen};
use crate::left::{TIMES, rows};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// TensorBoard's readers at the event files of `runs/run`, one of them there from the start.
struct Reader {
    child: Child,
    answers: BufReader<ChildStdout>,
    /// The folder of the bench, which the experiment's text names.
    folder: String,
}

impl Reader {
    fn at(bench: &Bench) -> Reader {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/peers/read_events.py");
        let mut command = Command::new(super::python("tensorboard"));
        let command = command.arg("-I").arg(script).arg(bench.path("runs")).arg("run/tensorboard");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Reader { child, answers, folder: bench.path("").display().to_string() }
    }

    /// Reads as far as the files are.
    fn read_on(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"on\n").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, "read\n");
    }

    /// Reads to the end, and gives all that was found.
    fn found(mut self) -> Value {
        drop(self.child.stdin.take());
        let mut found = String::new();
        self.answers.read_to_string(&mut found).unwrap();
        assert!(self.child.wait().unwrap().success(), "the reader failed; its own words are above");
        serde_json::from_str(&found.replace(&self.folder, "BENCH/")).unwrap()
    }
}

/// A test that fails leaves no process behind.
impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run with a value of each kind after every iter, each of which is in the file at once. Its steps take long enough to
/// be interrupted.
fn bench() -> Bench {
    let bench = Bench::by_epoch();
    let last = "    hooks: (\n";
    let more = "sinks: [TensorBoard(flush_interval: 0.0)], custom_hooks: [Painter()], trainer: (pause: 10),";
    bench.edit(last, &format!("    {more}\n{last}"));
    bench
}

const TRAIN: [&str; 2] = ["train", "exp.ron"];
const RESUME: [&str; 3] = ["train", "exp.ron", "--resume"];

/// The run that nothing has interrupted: its folder, and what TensorBoard finds of it.
fn reference() -> &'static (PathBuf, Value) {
    static DONE: OnceLock<(Bench, (PathBuf, Value))> = OnceLock::new();
    let (_, found) = DONE.get_or_init(|| {
        let bench = bench();
        bench.train(&[]).exits(0);
        let found = (bench.path("runs/run"), Reader::at(&bench).found());
        (bench, found)
    });
    found
}

/// By its tag, a series without those of times.
fn series(found: &Value, kind: &str) -> BTreeMap<String, Value> {
    let all = found[kind].as_object().unwrap().iter();
    let timeless = all.filter(|(tag, _)| !TIMES.iter().any(|time| tag.ends_with(&format!("/{time}"))));
    timeless.map(|(tag, series)| (tag.clone(), series.clone())).collect()
}

/// What a run that was stopped and resumed must share with one that was not.
#[track_caller]
fn assert_same_series(found: &Value, what: &str) {
    let (_, whole) = reference();
    for kind in ["scalars", "histograms", "images", "texts", "watched"] {
        let (whole, found) = (series(whole, kind), series(found, kind));
        assert!(whole.keys().eq(found.keys()), "{what}: {kind} are {:?}", found.keys());
        for (tag, series) in &whole {
            assert_eq!(series, &found[tag], "{what}: {kind} of `{tag}`");
        }
    }
    assert_eq!(whole["others"], found["others"], "{what}");
    assert_eq!(whole["runs"], found["runs"], "{what}");
}

/// The steps and values of a tag.
fn of<'a>(found: &'a Value, kind: &str, tag: &str) -> Vec<(u64, &'a Value)> {
    let series = found[kind][tag].as_array().unwrap_or_else(|| panic!("no {kind} of `{tag}` in {}", found[kind]));
    series.iter().map(|event| (event[0].as_u64().unwrap(), &event[1])).collect()
}

#[test]
#[ignore = "needs TensorBoard: `cargo xtask test --peers`"]
fn every_number_of_every_row_is_a_scalar_at_its_iter() {
    let (run, found) = reference();
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let mut expected: BTreeMap<String, Vec<(u64, f32)>> = BTreeMap::new();
    for row in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let phase = match row.get("loader") {
            Some(loader) => format!("{}/{}", row["phase"].as_str().unwrap(), loader.as_str().unwrap()),
            None => row["phase"].as_str().unwrap().to_owned(),
        };
        for (name, value) in row.as_object().unwrap() {
            if !["phase", "loader", "epoch", "iter", "time"].contains(&name.as_str()) {
                let point = (row["iter"].as_u64().unwrap(), value.as_f64().unwrap() as f32);
                expected.entry(format!("{phase}/{name}")).or_default().push(point);
            }
        }
    }
    // a histogram tells beside itself how many elements were not finite
    expected.insert("train/numbers/not_finite".to_owned(), (1..=9).map(|iter| (iter, 1.0)).collect());
    let scalars = found["scalars"].as_object().unwrap();
    assert!(scalars.keys().eq(expected.keys()), "{:?}\n{:?}", scalars.keys(), expected.keys());
    for (tag, points) in expected {
        let read: Vec<(u64, f32)> = of(found, "scalars", &tag)
            .into_iter()
            .map(|(step, value)| (step, value.as_f64().unwrap() as f32))
            .collect();
        assert_eq!(read, points, "{tag}");
    }
}

#[test]
#[ignore = "needs TensorBoard: `cargo xtask test --peers`"]
fn a_histogram_holds_each_element_in_a_bucket_around_it() {
    let (_, found) = reference();
    let number = |value: &Value| value.as_f64().unwrap();
    let numbers = |value: &Value| value.as_array().unwrap().iter().map(number).collect::<Vec<f64>>();
    let steps: Vec<u64> = of(found, "histograms", "train/numbers").iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, (1..=9).collect::<Vec<u64>>());
    for (step, histogram) in of(found, "histograms", "train/numbers") {
        let elements = [-1.0, 0.0, 0.5, 2.0, step as f64];
        assert_eq!(number(&histogram["min"]), -1.0);
        assert_eq!(number(&histogram["max"]), elements.into_iter().fold(0.0, f64::max));
        assert_eq!(number(&histogram["num"]), 5.0);
        assert_eq!(number(&histogram["sum"]), elements.iter().sum::<f64>());
        assert_eq!(number(&histogram["sum_squares"]), elements.iter().map(|element| element * element).sum::<f64>());
        let (limits, counts) = (numbers(&histogram["bucket_limit"]), numbers(&histogram["bucket"]));
        assert!(limits.is_sorted() && limits.len() == counts.len(), "{histogram}");
        // a bucket reaches from the limit before it to its own
        let mut expected = vec![0.0; counts.len()];
        for element in elements {
            let around = (0..limits.len()).find(|&place| element < limits[place] || place + 1 == limits.len()).unwrap();
            expected[around] += 1.0;
        }
        assert_eq!(counts, expected, "iter {step}: {limits:?}");
    }
}

#[test]
#[ignore = "needs TensorBoard: `cargo xtask test --peers`"]
fn pictures_texts_and_tables_are_those_that_were_recorded() {
    let (_, found) = reference();
    let iters: Vec<u64> = (1..=9).collect();
    let pixels = |bytes: &[u8]| Value::from(bytes.to_vec());
    for (kind, tag) in [
        ("images", "train/picture"),
        ("images", "train/figure"),
        ("texts", "train/word"),
        ("texts", "train/table"),
        ("histograms", "train/weights"),
    ] {
        let steps: Vec<u64> = of(found, kind, tag).iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, iters, "{tag}");
    }
    for (iter, picture) in of(found, "images", "train/picture") {
        // [3, 3, 4] becomes pixels of three colours
        let at = |colour: u64, pixel: u64| ((colour * 12 + pixel) * 7 + iter * 11) as u8;
        let expected: Vec<u8> = (0..12).flat_map(|pixel| [at(0, pixel), at(1, pixel), at(2, pixel)]).collect();
        assert_eq!((&picture["width"], &picture["height"], &picture["mode"]), (&4.into(), &3.into(), &"RGB".into()));
        assert_eq!(picture["pixels"], pixels(&expected), "iter {iter}");
    }
    for (iter, figure) in of(found, "images", "train/figure") {
        assert_eq!((&figure["mode"], &figure["pixels"]), (&"L".into(), &pixels(&[iter as u8, 255])));
    }
    for (iter, word) in of(found, "texts", "train/word") {
        assert_eq!(word[0], format!("**after iter {iter}**, größer"));
    }
    for (iter, table) in of(found, "texts", "train/table") {
        let even = iter % 2 == 0;
        let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>().join("|");
        let lines: Vec<String> = table[0].as_str().unwrap().lines().map(cells).collect();
        assert_eq!((lines[0].as_str(), lines[2].clone()), ("|iter|even|", format!("|{iter}|{even}|")), "{table}");
    }
    let experiment = of(found, "texts", "experiment");
    assert_eq!(experiment.len(), 1);
    assert!(experiment[0].1[0].as_str().unwrap().starts_with("```\nExperiment("), "{experiment:?}");
}

#[test]
#[ignore = "needs TensorBoard: `cargo xtask test --peers`"]
fn the_table_of_runs_has_the_settings_and_the_last_metrics() {
    let (run, found) = reference();
    let table = found["runs"].as_object().unwrap();
    assert_eq!(table.keys().collect::<Vec<_>>(), ["run/tensorboard"]);
    let row = &table["run/tensorboard"];
    assert_eq!(row["status"], "STATUS_SUCCESS");
    for (name, value) in [
        ("seed", Value::from(7.0)),
        ("optimizer", "AdamW".into()),
        ("optimizer.lr", 0.02.into()),
        ("model.dropout", 0.3.into()),
        ("loaders.train.shuffle", true.into()),
        ("train.accumulate", 4.0.into()),
    ] {
        assert_eq!(row["settings"][name], value, "{name} in {}", row["settings"]);
    }
    let rows = rows(run);
    let last = |loader: &str, name: &str| {
        let row = rows.iter().rfind(|row| row["loader"] == loader).unwrap();
        row[name].as_f64().unwrap() as f32
    };
    for (loader, name) in [("val", "accuracy"), ("val", "loss"), ("hard", "accuracy"), ("hard", "confidence")] {
        let value = &row["metrics"][format!("val/{loader}/{name}")];
        assert_eq!(value["value"].as_f64().map(|value| value as f32), Some(last(loader, name)), "{}", row["metrics"]);
        assert_eq!(value["step"], 9);
    }
}

#[test]
#[ignore = "needs TensorBoard: `cargo xtask test --peers`"]
fn after_sigkill_and_resume_the_series_are_those_of_an_undisturbed_run() {
    for round in 0..6 {
        let bench = bench();
        // it sees what the killed processes have written after their last checkpoint
        let mut reader = Reader::at(&bench);
        let mut kills = Vec::new();
        for attempt in 0..3 {
            let mut running = bench.start(if attempt == 0 { &TRAIN } else { &RESUME });
            running.wait_for("Heaps in");
            let wait = chosen(600);
            kills.push(wait);
            std::thread::sleep(Duration::from_millis(wait));
            running.kill();
            running.end();
            reader.read_on();
        }
        bench.train(&["--resume"]).exits(0);
        assert_same_series(&reader.found(), &format!("round {round}, killed after {kills:?} ms"));
    }
}

#[test]
#[ignore = "needs TensorBoard: `cargo xtask test --peers`"]
fn after_sigterm_and_resume_the_series_are_those_of_an_undisturbed_run() {
    let bench = bench();
    let mut reader = Reader::at(&bench);
    for (mark, arguments) in [("train 6", &TRAIN[..]), ("train 17", &RESUME), ("val 3", &RESUME)] {
        let mut running = bench.start(arguments);
        running.wait_for(&format!("mark {mark}"));
        running.signal("TERM");
        running.end().exits(143);
        reader.read_on();
    }
    bench.train(&["--resume"]).exits(0);
    assert_same_series(&reader.found(), "three signals");
}

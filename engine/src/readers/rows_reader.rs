//! `metrics.jsonl`, as it grows.

use super::line::Line;
use super::rows::Rows;
use super::shape::Shapes;
use super::tail::{Found, Tail};
use crate::folder::METRICS;
use std::path::Path;

/// The rows so far, and how the next ones are likely to look.
#[derive(Debug, Default)]
struct Reading {
    rows: Rows,
    shapes: Shapes,
}

impl Reading {
    fn put(&mut self, text: &[u8]) {
        if self.shapes.put(text, &mut self.rows) {
            return;
        }
        let Some(line) = Line::read(text) else {
            self.rows.put_unreadable();
            return;
        };
        if let Some(group) = self.rows.put(&line) {
            self.shapes.learn(text, group, line.is_train(), &self.rows);
        }
    }
}

/// Reads the rows of a run.
#[derive(Debug, Default)]
pub struct RowsReader {
    tail: Tail,
    read: Reading,
}

impl RowsReader {
    /// Reads what was added, about `budget` bytes of it.
    pub(super) fn read(&mut self, folder: &Path, budget: u64) -> Found {
        let begin = |read: &mut Reading| *read = Reading::default();
        self.tail.read(folder, METRICS, budget, &mut self.read, begin, Reading::put)
    }

    /// What was read.
    pub fn rows(&self) -> &Rows {
        &self.read.rows
    }

    /// How many bytes were read.
    pub(super) fn bytes(&self) -> u64 {
        self.tail.position()
    }

    /// How much of the file was read, from 0 to 1.
    pub fn progress(&self) -> f64 {
        self.tail.progress()
    }

    /// What a person has to know of the reading.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = self.read.rows.notices();
        if self.tail.has_given_up() {
            notices.push(format!("`{METRICS}` has a line of more than 16 MB; what follows was not read"));
        }
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::series::Axis;

    fn rows(lines: &[&str]) -> Rows {
        let mut read = Reading::default();
        lines.iter().for_each(|line| read.put(line.as_bytes()));
        read.rows
    }

    fn points(rows: &Rows, key: &str, axis: Axis) -> Vec<(f64, f64)> {
        let (group, series) = rows.find(key).unwrap();
        series.places(group, axis, rows.iters_per_epoch()).zip(series.values().iter().copied()).collect()
    }

    #[test]
    fn rows_become_series_under_their_full_names() {
        let read = rows(&[
            r#"{"phase":"train","epoch":0,"iter":5,"time":1.0,"loss":0.5,"lr":1}"#,
            r#"{"phase":"train","epoch":1,"iter":10,"time":2.0,"loss":0.25}"#,
            r#"{"phase":"val","loader":"hard","epoch":1,"iter":10,"time":2.5,"accuracy":0.75}"#,
        ]);
        assert_eq!(read.keys().collect::<Vec<_>>(), ["train/loss", "train/lr", "val/hard/accuracy"]);
        assert_eq!(points(&read, "train/loss", Axis::Iter), [(5.0, 0.5), (10.0, 0.25)]);
        assert_eq!(points(&read, "train/loss", Axis::Epoch), [(0.5, 0.5), (1.0, 0.25)]);
        assert_eq!(points(&read, "val/hard/accuracy", Axis::Time), [(2.5, 0.75)]);
        assert_eq!(points(&read, "train/lr", Axis::Iter), [(5.0, 1.0)]);
        assert_eq!(read.last(), Some((1, 10, 2.5)));
    }

    #[test]
    fn a_training_row_drops_later_ones_and_an_evaluation_only_replaces_its_own() {
        let train =
            |iter: u64, loss: f64| format!(r#"{{"phase":"train","epoch":0,"iter":{iter},"time":0,"loss":{loss}}}"#);
        let val = |iter: u64, loss: f64| format!(r#"{{"phase":"val","epoch":0,"iter":{iter},"time":0,"loss":{loss}}}"#);
        let lines = [
            train(1, 1.0),
            train(2, 2.0),
            train(3, 3.0),
            train(2, 20.0),
            val(5, 1.0),
            val(9, 2.0),
            val(5, 3.0),
            val(7, 4.0),
        ];
        let read = rows(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(points(&read, "train/loss", Axis::Iter), [(1.0, 1.0), (2.0, 20.0)]);
        assert_eq!(points(&read, "val/loss", Axis::Iter), [(5.0, 3.0), (7.0, 4.0), (9.0, 2.0)]);
        // also what was known of the values that are gone
        let extremes = |key| {
            let series = read.find(key).unwrap().1;
            [false, true].map(|largest| series.values()[series.extreme(largest).unwrap()])
        };
        assert_eq!((extremes("train/loss"), extremes("val/loss")), ([1.0, 20.0], [2.0, 4.0]));
    }

    #[test]
    fn what_is_not_finite_is_a_point_and_what_is_no_row_is_told() {
        let read = rows(&[
            r#"{"phase":"train","epoch":0,"iter":1,"time":0,"loss":null,"text":"x","list":[1,{"a":2}],"flag":true}"#,
            "nonsense",
            "{}",
            r#"{"phase":"train","iter":-1}"#,
            "\u{1}\0",
        ]);
        let (_, series) = read.find("train/loss").unwrap();
        assert!(series.values()[0].is_nan() && series.not_finite() == 1);
        assert_eq!(read.keys().collect::<Vec<_>>(), ["train/loss"]);
        assert_eq!(read.notices(), ["4 lines of `metrics.jsonl` are no rows, and were left out"]);
    }

    #[test]
    fn names_that_are_too_long_are_left_out_and_told() {
        let (long, longest) = ("x".repeat(513), "y".repeat(512));
        let read = rows(&[
            &format!(r#"{{"phase":"val","epoch":0,"iter":1,"time":0,"{long}":1,"{longest}":2,"loss":3}}"#),
            &format!(r#"{{"phase":"val","loader":"{longest}","epoch":0,"iter":1,"time":0,"loss":3}}"#),
        ]);
        assert_eq!(read.keys().collect::<Vec<_>>(), [format!("val/{longest}"), "val/loss".to_owned()]);
        let notices = read.notices();
        assert_eq!(notices[0], "1 lines of `metrics.jsonl` are no rows, and were left out");
        assert_eq!(notices[1], "`val` has too many names, or too long ones: 1 values were left out");
    }

    /// `cargo test --release -p engine --lib -- --ignored a_million_rows --nocapture` prints the processor time, which other
    /// programs do not change much.
    #[test]
    #[ignore = "a measurement"]
    fn a_million_rows_of_fifty_runs_are_read_in_a_second() {
        use std::fmt::Write as _;
        let dir = tempfile::tempdir().unwrap();
        let noise = |iter: u32, which: u32| (f64::from(iter * 7 + which) * 0.7).sin().abs();
        let mut text = String::new();
        for iter in 1..=20_000_u32 {
            let (epoch, time) = ((iter - 1) / 400, f64::from(iter * 57) / 1000.0);
            write!(text, r#"{{"phase":"train","epoch":{epoch},"iter":{iter},"time":{time:?}"#).unwrap();
            for (which, name) in
                (0_u32..).zip(["loss", "grad_norm", "iter_time", "data_time", "samples_per_second", "eta", "lr"])
            {
                write!(text, r#","{name}":{:?}"#, noise(iter, which) * 10.0).unwrap();
            }
            text.push_str("}\n");
            if iter % 400 == 0 {
                let head = format!(r#"{{"phase":"val","loader":"val","epoch":{epoch},"iter":{iter},"time":{time:?}"#);
                writeln!(text, r#"{head},"accuracy":{:?}}}"#, noise(iter, 9)).unwrap();
            }
        }
        let folders: Vec<_> = (0..50).map(|run| dir.path().join(format!("{run}"))).collect();
        for folder in &folders {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join(METRICS), &text).unwrap();
        }
        // nanoseconds on a processor: proc(5)
        let spent = || -> f64 {
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            text.split(' ').next().unwrap().parse::<f64>().unwrap() * 1e-9
        };
        let mut readers: Vec<RowsReader> = folders.iter().map(|_| RowsReader::default()).collect();
        let begin = spent();
        while readers
            .iter_mut()
            .zip(&folders)
            .fold(false, |more, (reader, folder)| more | reader.read(folder, 1 << 17).more)
        {}
        let read = spent() - begin;
        let mut points = 0;
        for reader in &readers {
            let series =
                reader.rows().groups().iter().flat_map(|group| group.series().iter().map(move |one| (group, one)));
            for (group, series) in series {
                let places = series.places(group, Axis::Iter, None).zip(series.values().iter().copied());
                let all = places.map(|(x, y)| crate::readers::Point { x, y });
                points += crate::readers::Picture::new(all, f64::NEG_INFINITY, f64::INFINITY, 440).points.len();
            }
        }
        let drawn = spent() - begin - read;
        let megabytes = text.len() * 50 / 1_000_000;
        println!("{megabytes} MB: {read:.2} s to read, {drawn:.2} s for {points} points of all curves");
        if !cfg!(debug_assertions) {
            assert!(read + drawn < 1.0, "{read} + {drawn}");
        }
    }
}

//! A sweep, as its folder shows it: the settings that it varies, its trials, and how they have ended.

use super::place;
use crate::config::{Kind, MAX_FILE, Node, parse_text, print_line};
use serde::Deserialize;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

/// The sweep as it was begun, and what it has begun and ended.
const COPY: &str = "sweep.ron";
const JOURNAL: &str = "trials.jsonl";
/// More trials than a page can show.
const MOST: usize = 10_000;
/// A longer line is none of a journal.
const LONGEST_LINE: u64 = 1 << 20;
/// A value has so many characters at most.
const WIDEST: usize = 80;

/// A sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sweep {
    /// The metric that says how good a trial is: `val/accuracy`.
    pub watch: String,
    /// The settings that it varies: `optimizer.lr`.
    pub over: Vec<String>,
    /// The iters at which trials stop until they are found good enough to go on, with `halve: Asha(..)`; else empty.
    pub rungs: Vec<u64>,
    /// Its trials, in the order of their numbers, which are also the names of their runs: `0007`.
    pub trials: Vec<Trial>,
}

/// A trial of a sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// The values of the settings, in the order of `over`.
    pub values: Vec<String>,
    /// The best value of the metric; `None` while the trial is at work, and when it has failed.
    pub value: Option<f64>,
    /// The best value when it came to each rung.
    pub rungs: Vec<f64>,
    /// How often it went on from a rung.
    pub promoted: usize,
    /// Why it has failed.
    pub failed: Option<String>,
}

impl Sweep {
    /// Whether a folder is that of a sweep.
    pub fn is_in(folder: &Path) -> bool {
        [COPY, JOURNAL].iter().all(|name| folder.join(name).symlink_metadata().is_ok_and(|found| found.is_file()))
    }

    /// The name of the run of a trial.
    pub fn run_of(trial: usize) -> String {
        format!("{trial:04}")
    }

    /// Reads a sweep that may still be at work.
    ///
    /// # Errors
    /// A sentence, when its file can't be read. Lines of the journal that are none are left out.
    pub fn read(folder: &Path) -> Result<Sweep, String> {
        let told = |error: &dyn std::fmt::Display| format!("`{COPY}` can't be read: {error}");
        let mut text = String::new();
        let file = place::open(folder, COPY).map_err(|error| told(&error))?;
        file.take(MAX_FILE).read_to_string(&mut text).map_err(|error| told(&error))?;
        let document = parse_text(COPY, &text).map_err(|errors| told(&errors.render(false)))?;
        let watch = match document.root.get("watch").map(|node| &node.kind) {
            Some(Kind::Str(watch)) => watch.clone(),
            _ => return Err(told(&"it has no `watch`")),
        };
        let over = match document.root.get("over").map(|node| &node.kind) {
            Some(Kind::Map(pairs)) => pairs.as_slice(),
            _ => return Err(told(&"it has no `over`")),
        };
        let path = |key: &Node| match &key.kind {
            Kind::Str(path) => path.clone(),
            _ => print_line(key),
        };
        let rungs = document.root.find("halve.rungs").map(rungs).unwrap_or_default();
        let over_paths = over.iter().map(|(key, _)| path(key)).collect();
        let mut sweep = Sweep { watch, over: over_paths, rungs, trials: Vec::new() };
        let dimensions: Vec<&Node> = over.iter().map(|(_, values)| values).collect();
        if let Ok(file) = place::open(folder, JOURNAL) {
            let mut lines = BufReader::new(file);
            let mut line = Vec::new();
            while sweep.trials.len() < MOST {
                line.clear();
                match lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
                    Ok(1..) => sweep.put(&line, &dimensions),
                    _ => break,
                }
            }
        }
        Ok(sweep)
    }

    /// `{"begun":{"trial":0,"picks":[{"float":0.1},{"choice":1}]}}`, `{"paused":{"trial":0,"value":0.7}}`,
    /// `{"promoted":{"trial":0}}`, `{"ended":{"trial":0,"end":{"value":0.9}}}`, `{"retried":{"trial":0}}`.
    fn put(&mut self, line: &[u8], dimensions: &[&Node]) {
        let Ok(line) = serde_json::from_slice::<Line>(line) else { return };
        if let Some(begun) = line.begun.filter(|begun| begun.trial == self.trials.len()) {
            let values = dimensions.iter().zip(&begun.picks).map(|(values, pick)| told(values, pick)).collect();
            self.trials.push(Trial { values, ..Trial::default() });
        }
        if let Some(paused) = line.paused
            && let Some(trial) = self.trials.get_mut(paused.trial).filter(|trial| trial.rungs.len() < self.rungs.len())
        {
            trial.rungs.push(paused.value);
        }
        if let Some(promoted) = line.promoted
            && let Some(trial) = self.trials.get_mut(promoted.trial).filter(|trial| trial.promoted < trial.rungs.len())
        {
            trial.promoted += 1;
        }
        if let Some(ended) = line.ended
            && let Some(trial) = self.trials.get_mut(ended.trial)
        {
            trial.value = ended.end["value"].as_f64();
            trial.failed = ended.end["failed"].as_str().map(str::to_owned);
        }
        if let Some(retried) = line.retried
            && let Some(trial) = self.trials.get_mut(retried.trial)
        {
            (trial.value, trial.failed) = (None, None);
        }
    }
}

#[derive(Deserialize)]
struct Line {
    begun: Option<Begun>,
    paused: Option<Paused>,
    promoted: Option<Promoted>,
    ended: Option<Ended>,
    retried: Option<Retried>,
}

#[derive(Deserialize)]
struct Begun {
    trial: usize,
    picks: Vec<Value>,
}

#[derive(Deserialize)]
struct Paused {
    trial: usize,
    value: f64,
}

#[derive(Deserialize)]
struct Promoted {
    trial: usize,
}

#[derive(Deserialize)]
struct Retried {
    trial: usize,
}

#[derive(Deserialize)]
struct Ended {
    trial: usize,
    end: Value,
}

/// `[6, 12]`
fn rungs(node: &Node) -> Vec<u64> {
    let Kind::Seq(rungs) = &node.kind else { return Vec::new() };
    let iter = |node: &Node| match node.kind {
        Kind::Int(iter) => u64::try_from(iter).ok(),
        _ => None,
    };
    rungs.iter().filter_map(iter).collect()
}

/// A value as the experiment of its trial has it.
fn told(values: &Node, pick: &Value) -> String {
    let choices = match &values.kind {
        Kind::Tuple(items) => match items.first().map(|first| &first.kind) {
            Some(Kind::Seq(choices)) => choices.as_slice(),
            _ => &[],
        },
        _ => &[],
    };
    let chosen = pick["choice"].as_u64().and_then(|index| choices.get(usize::try_from(index).ok()?));
    let text = match (chosen, pick["float"].as_f64(), pick["int"].as_i64()) {
        (Some(chosen), ..) => print_line(chosen),
        // as the table in the terminal has it
        (None, Some(float), _) => print_line(&Node::new(Kind::Float(float))),
        (None, None, Some(int)) => int.to_string(),
        (None, None, None) => String::new(),
    };
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_have_their_values_and_what_is_no_line_of_a_journal_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Sweep::is_in(dir.path()));
        let file = "Sweep(base: \"a.ron\", over: {\"optimizer.lr\": LogUniform(1e-4, 1e-1), \"optimizer\": Choice([AdamW(lr: 0.1), Sgd(lr: 1.0)]), \"n\": Int(1, 8)}, by: Random(trials: 3), watch: \"val/accuracy\", halve: Asha(rungs: [6, 12]))";
        std::fs::write(dir.path().join(COPY), file).unwrap();
        let lines = [
            r#"{"begun":{"trial":0,"picks":[{"float":0.0012},{"choice":1},{"int":-3}]}}"#,
            r#"{"begun":{"trial":1,"picks":[{"float":0.1},{"choice":7}]}}"#,
            r#"{"promoted":{"trial":0}}"#,
            r#"{"paused":{"trial":0,"value":0.5}}"#,
            r#"{"promoted":{"trial":0}}"#,
            r#"{"promoted":{"trial":0}}"#,
            r#"{"paused":{"trial":0,"value":0.625}}"#,
            r#"{"paused":{"trial":0,"value":0.75}}"#,
            r#"{"paused":{"trial":7,"value":0.75}}"#,
            r#"{"ended":{"trial":1,"end":{"failed":"error: a"}}}"#,
            r#"{"retried":{"trial":1}}"#,
            r#"{"retried":{"trial":7}}"#,
            r#"{"ended":{"trial":1,"end":{"failed":"error: <b>"}}}"#,
            r#"{"ended":{"trial":0,"end":{"failed":"error: c"}}}"#,
            r#"{"retried":{"trial":0}}"#,
            r#"{"ended":{"trial":0,"end":{"value":0.75}}}"#,
            r#"{"ended":{"trial":9,"end":{"value":0.75}}}"#,
            r#"{"another":{"trial":1}}"#,
            "nonsense",
            r#"{"begun":{"trial":2,"pi"#,
        ];
        std::fs::write(dir.path().join(JOURNAL), lines.join("\n")).unwrap();
        assert!(Sweep::is_in(dir.path()));
        let sweep = Sweep::read(dir.path()).unwrap();
        assert_eq!((sweep.watch.as_str(), sweep.over.len()), ("val/accuracy", 3));
        assert_eq!(sweep.trials.len(), 2);
        assert_eq!(sweep.trials[0].values, ["0.0012", "Sgd(lr: 1.0)", "-3"]);
        assert_eq!(sweep.rungs, [6, 12]);
        assert_eq!((sweep.trials[0].rungs.as_slice(), sweep.trials[0].promoted), (&[0.5, 0.625][..], 1));
        assert!(sweep.trials[1].rungs.is_empty());
        assert_eq!((sweep.trials[0].value, &sweep.trials[0].failed), (Some(0.75), &None));
        assert_eq!(sweep.trials[1].values, ["0.1", ""]);
        assert_eq!(sweep.trials[1].failed.as_deref(), Some("error: <b>"));
        for (file, why) in
            [("Sweep(", "can't be read"), ("Sweep()", "no `watch`"), ("Sweep(watch: \"a\", over: 1)", "no `over`")]
        {
            std::fs::write(dir.path().join(COPY), file).unwrap();
            assert!(Sweep::read(dir.path()).unwrap_err().contains(why), "{file}");
        }
    }
}

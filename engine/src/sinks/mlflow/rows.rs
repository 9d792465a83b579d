//! The rows of a run as metrics for MLflow.

use super::names;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Bytes that are read at a time.
const PART: u64 = 1 << 18;
/// A longer line was not written by a run.
const LONGEST_LINE: u64 = 16 << 20;
/// The keys of a row that are no metrics.
const OTHERS: [&str; 5] = ["phase", "loader", "epoch", "iter", "time"];

/// The last step of each metric that the server has.
pub(super) type Known = BTreeMap<String, i64>;

/// A value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Metric {
    pub(super) key: String,
    pub(super) value: f64,
    pub(super) step: i64,
    /// Milliseconds since 1970.
    pub(super) timestamp: i64,
}

impl Metric {
    pub(super) fn json(&self) -> Value {
        // as protocol buffers write such numbers in JSON
        let value = match self.value {
            value if value.is_nan() => json!("NaN"),
            value => json!(value),
        };
        json!({ "key": self.key, "value": value, "step": self.step, "timestamp": self.timestamp })
    }
}

/// A part of a file of rows.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) metrics: Vec<Metric>,
    /// Where its last whole line ends.
    pub(super) end: u64,
}

/// Reads whole lines from a position on. Values of steps that the server has are left out. `begun` is when the run began, in
/// milliseconds since 1970.
///
/// # Errors
/// When the file can't be read; a missing one has no rows.
pub(super) fn read(path: &Path, position: u64, begun: i64, known: &Known) -> io::Result<Part> {
    let mut part = Part { end: position, ..Part::default() };
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(part),
        file => file?,
    };
    file.seek(SeekFrom::Start(position))?;
    let (mut lines, mut line) = (BufReader::new(file), Vec::new());
    // of several values of a step, the first stays
    let mut known = known.clone();
    while part.end < position + PART {
        line.clear();
        lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            break;
        }
        part.end += line.len() as u64;
        for metric in metrics(&line, begun).unwrap_or_default() {
            let last = known.entry(metric.key.clone()).or_insert(i64::MIN);
            if metric.step > *last {
                *last = metric.step;
                part.metrics.push(metric);
            }
        }
    }
    Ok(part)
}

/// `None` for what is no row.
fn metrics(line: &[u8], begun: i64) -> Option<Vec<Metric>> {
    let row: serde_json::Map<String, Value> = serde_json::from_slice(line).ok()?;
    let group = match (row.get("phase")?.as_str()?, row.get("loader").and_then(Value::as_str)) {
        (phase, None) => phase.to_owned(),
        (phase, Some(loader)) => format!("{phase}/{loader}"),
    };
    let step = row.get("iter")?.as_i64()?;
    let time = row.get("time").and_then(Value::as_f64).unwrap_or_default();
    let timestamp = begun.saturating_add((time * 1e3) as i64);
    let value = |value: &Value| if value.is_null() { Some(f64::NAN) } else { value.as_f64() };
    let values = row.iter().filter(|(name, _)| !OTHERS.contains(&name.as_str()));
    let values = values.filter_map(|(name, found)| Some((name, value(found)?)));
    let metric = |(name, value): (&String, f64)| Metric {
        key: names::plain(&format!("{group}/{name}")),
        value,
        step,
        timestamp,
    };
    Some(values.map(metric).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_metrics_and_what_the_server_has_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows");
        assert_eq!(read(&path, 0, 0, &Known::new()).unwrap().end, 0);
        let lines = [
            r#"{"phase":"train","epoch":0,"iter":5,"time":1.5,"loss":0.5,"lr":null,"flag":true}"#,
            "nonsense",
            r#"{"phase":"train","epoch":0,"iter":10,"time":3,"loss":0.25}"#,
            r#"{"phase":"val","loader":"hard#1","epoch":0,"iter":10,"time":3,"top-5 %":1}"#,
            r#"{"phase":"train","epoch":0,"iter":10,"time":4,"loss":9}"#,
            r#"{"phase":"train","epoch":0,"iter":15,"ti"#,
        ];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let known = Known::from([("train/loss".to_owned(), 5)]);
        let part = read(&path, 0, 1000, &known).unwrap();
        let found: Vec<_> = part.metrics.iter().map(|m| (m.key.as_str(), m.step, m.timestamp)).collect();
        assert_eq!(found, [("train/lr", 5, 2500), ("train/loss", 10, 4000), ("val/hard_1/top-5 _", 10, 4000)]);
        assert_eq!(part.metrics[0].json()["value"], "NaN");
        assert_eq!(part.end, lines[..5].iter().map(|line| line.len() as u64 + 1).sum::<u64>());
        assert_eq!(read(&path, part.end, 0, &known).unwrap().metrics, []);
    }
}

//! Reading `predictions.jsonl`: each line is a sample, and samples of the same shapes are batches.

use crate::base::disk::DiskContext as _;
use crate::base::{Error, ErrorContext as _, Output, Result, plain};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use tch::Tensor;

/// Samples in a batch, at most.
const BATCH: usize = 256;

/// The outputs in a file of predictions, each with the number of its samples.
pub(super) struct Outputs {
    lines: std::iter::Enumerate<Lines<BufReader<File>>>,
    path: PathBuf,
    /// The names of parts, which live as long as the process: a file has few.
    names: BTreeMap<String, &'static str>,
    /// The first sample of the next batch.
    next: Option<Sample>,
}

type Sample = BTreeMap<String, Part>;

/// A value of a sample.
#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    Numbers { shape: Vec<i64>, numbers: Vec<f64>, whole: bool },
}

impl Outputs {
    /// # Errors
    /// When the file can't be opened.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = plain::open(path, OpenOptions::new().read(true)).while_trying("read", path)?;
        let lines = BufReader::new(file).lines().enumerate();
        Ok(Outputs { lines, path: path.to_owned(), names: BTreeMap::new(), next: None })
    }

    /// The next sample; none at the end.
    fn sample(&mut self) -> Result<Option<Sample>> {
        for (number, line) in self.lines.by_ref() {
            let line = line.while_trying("read", &self.path)?;
            if line.trim().is_empty() {
                continue;
            }
            let place = || format!("line {} of `{}`", number + 1, self.path.display());
            let object: serde_json::Map<String, Value> = serde_json::from_str(&line)
                .with_context(|| format!("{} is not an object of JSON, as `predict` writes them", place()))?;
            let parts = object.iter().filter(|(name, _)| name.as_str() != "index").map(|(name, value)| {
                let part = Part::of(value).map_err(|why| Error::msg(format!("`{name}` in {} {why}", place())))?;
                Ok((name.clone(), part))
            });
            return parts.collect::<Result<_>>().map(Some);
        }
        Ok(None)
    }

    /// Samples of the same parts and shapes as one output.
    fn batch(&mut self) -> Result<Option<(Output, usize)>> {
        let Some(first) = self.next.take().map_or_else(|| self.sample(), |sample| Ok(Some(sample)))? else {
            return Ok(None);
        };
        let mut samples = vec![first];
        while samples.len() < BATCH {
            let Some(sample) = self.sample()? else { break };
            if !fit(&samples[0], &sample) {
                self.next = Some(sample);
                break;
            }
            samples.push(sample);
        }
        let count = samples.len();
        let mut output = Output::without_loss();
        let parts: Vec<String> = samples[0].keys().cloned().collect();
        for part in parts {
            let name: &'static str = self.names.entry(part.clone()).or_insert_with(|| String::leak(part.clone()));
            let column: Vec<Part> = samples.iter_mut().filter_map(|sample| sample.remove(&part)).collect();
            output = match joined(column)? {
                Column::Texts(texts) => output.texts(name, texts),
                Column::Tensor(tensor) => output.tensor(name, &tensor),
            };
        }
        Ok(Some((output, count)))
    }
}

impl Iterator for Outputs {
    type Item = Result<(Output, usize)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

/// Whether two samples have the same parts in the same shapes.
fn fit(one: &Sample, other: &Sample) -> bool {
    let shape = |part: &Part| match part {
        Part::Text(_) => None,
        Part::Numbers { shape, whole, .. } => Some((shape.clone(), *whole)),
    };
    one.len() == other.len() && one.iter().zip(other).all(|((name, a), (same, b))| name == same && shape(a) == shape(b))
}

/// One part of all samples.
enum Column {
    Texts(Vec<String>),
    Tensor(Tensor),
}

fn joined(column: Vec<Part>) -> Result<Column> {
    let (mut texts, mut all, mut sizes, mut is_whole) = (Vec::new(), Vec::new(), vec![column.len() as i64], true);
    for part in column {
        match part {
            Part::Text(text) => texts.push(text),
            Part::Numbers { shape, numbers, whole } => {
                all.extend(numbers);
                sizes.truncate(1);
                sizes.extend(shape);
                is_whole &= whole;
            }
        }
    }
    if !texts.is_empty() {
        return Ok(Column::Texts(texts));
    }
    let tensor = Tensor::f_from_slice(&all)?.f_reshape(&sizes)?;
    Ok(Column::Tensor(if is_whole { tensor.f_to_kind(tch::Kind::Int64)? } else { tensor }))
}

impl Part {
    /// A text, a number, or lists of numbers in which all lists of a level have one length.
    fn of(value: &Value) -> Result<Part, String> {
        if let Value::String(text) = value {
            return Ok(Part::Text(text.clone()));
        }
        let mut shape = Vec::new();
        let mut inner = value;
        while let Value::Array(items) = inner {
            shape.push(items.len() as i64);
            let Some(first) = items.first() else { break };
            inner = first;
        }
        let (mut numbers, mut whole) = (Vec::new(), true);
        flatten(value, &shape, &mut numbers, &mut whole)?;
        Ok(Part::Numbers { shape, numbers, whole })
    }
}

fn flatten(value: &Value, shape: &[i64], numbers: &mut Vec<f64>, whole: &mut bool) -> Result<(), String> {
    match (value, shape) {
        (Value::Array(items), [length, rest @ ..]) if items.len() as i64 == *length => {
            items.iter().try_for_each(|item| flatten(item, rest, numbers, whole))
        }
        (Value::Array(_), _) => Err("has lists of several lengths; pad them".to_owned()),
        (_, [_, ..]) => Err("has numbers and lists beside each other".to_owned()),
        // JSON has no NaN, and `predict` writes `null` for it
        (Value::Null, []) => {
            *whole = false;
            numbers.push(f64::NAN);
            Ok(())
        }
        (Value::Bool(flag), []) => {
            numbers.push(f64::from(u8::from(*flag)));
            Ok(())
        }
        (Value::Number(number), []) => {
            *whole &= number.is_i64() || number.is_u64();
            numbers.push(number.as_f64().unwrap_or(f64::NAN));
            Ok(())
        }
        (other, []) => Err(format!("is {other}; expected a text, a number, or lists of numbers")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(text: &str) -> Result<Vec<(Output, usize)>> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("predictions.jsonl");
        std::fs::write(&path, text)?;
        Outputs::open(&path)?.collect()
    }

    #[test]
    fn lines_of_the_same_shapes_are_a_batch() {
        let text = "{\"index\":0,\"a\":[1.5,2],\"n\":3,\"t\":\"x\"}\n{\"index\":1,\"a\":[null,1.5],\"n\":4,\"t\":\"y\"}\n\n{\"index\":2,\"a\":[0.5],\"n\":5,\"t\":\"z\"}\n";
        let found = outputs(text).unwrap();
        let [(first, 2), (second, 1)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(first.get("a").unwrap().size(), [2, 2]);
        assert!(f64::try_from(first.get("a").unwrap().get(1).get(0)).unwrap().is_nan());
        assert_eq!(Vec::<i64>::try_from(first.get("n").unwrap()).unwrap(), [3, 4]);
        assert_eq!(first.get_texts("t").unwrap(), ["x", "y"]);
        assert_eq!(second.get("a").unwrap().size(), [1, 1]);
        assert!(first.get("index").is_none());
    }

    #[test]
    fn a_line_that_is_no_sample_is_told_with_its_number() {
        let refused = |line: &str| format!("{:#}", outputs(&format!("{{\"a\":1}}\n{line}\n")).unwrap_err());
        assert!(refused("[1]").starts_with("line 2 of `"));
        assert!(refused("{\"a\":[[1],[1,2]]}").contains("`a` in line 2 of"));
        assert!(refused("{\"a\":[[1],[1,2]]}").contains("has lists of several lengths; pad them"));
        assert!(refused("{\"a\":{}}").contains("is {}; expected a text, a number"));
        assert!(refused("{\"a\":[1,[2]]}").contains("has lists of several lengths"));
    }
}

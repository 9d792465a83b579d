//! How many words must be changed to get the right text.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::error::{MetricError, texts};
use crate::metric::text::units::{TextUnit, same_number};
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;

/// The word error rate: the words that must be inserted, deleted or replaced to turn the predictions into the targets
/// (Levenshtein distance), divided by the words of the targets. With `unit: Characters` it is the character error rate.
///
/// Reads the texts `prediction` and `target` of the step's output, one for each sample: see [`Output::texts`]. When all
/// targets are empty, the value is infinite, or NaN when all predictions are empty too. The numbers are those of
/// torchmetrics' `WordErrorRate` and `CharErrorRate`.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{MetricComponent as _, WordErrorRate};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut wer = WordErrorRate::build(&parse_text("example", "()")?.read()?);
/// let texts = |text: &str| vec![text.to_owned()];
/// let output = Output::without_loss().texts("prediction", texts("the cat sat")).texts("target", texts("a cat sat down"));
/// wer.update(&output, 1)?;
/// assert_eq!(wer.compute()?, [("wer".to_owned(), 2.0 / 4.0)]);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct WordErrorRate {
    /// What is compared.
    #[config(default = TextUnit::Words)]
    unit: TextUnit,
    /// The value's name; `wer`, or `cer` for characters, when it is not given.
    #[config(default)]
    name: Option<String>,
    /// Insertions, deletions and replacements so far.
    #[state]
    edits: u64,
    /// Units of the targets.
    #[state]
    units: u64,
    /// Samples.
    #[state]
    samples: u64,
}

impl WordErrorRate {
    fn name(&self) -> &str {
        match (&self.name, self.unit) {
            (Some(name), _) => name,
            (None, TextUnit::Words) => "wer",
            (None, TextUnit::Characters) => "cer",
        }
    }
}

#[diagnostic::do_not_recommend]
impl Metric for WordErrorRate {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        let (predictions, targets) = (texts(self.name(), output, "prediction")?, texts(self.name(), output, "target")?);
        same_number(self.name(), "target", targets.len(), predictions.len())?;
        let (mut edits, mut units) = (0, 0);
        for (prediction, target) in predictions.iter().zip(targets) {
            let target = self.unit.of(target);
            edits += distance(&self.unit.of(prediction), &target);
            units += target.len() as u64;
        }
        (self.edits, self.units) = (self.edits + edits, self.units + units);
        self.samples += predictions.len() as u64;
        Ok(())
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        match self.samples {
            0 => Err(MetricError::NoBatch { metric: self.name().to_owned() }.into()),
            _ => Ok(vec![(self.name().to_owned(), self.edits as f64 / self.units as f64)]),
        }
    }

    fn reset(&mut self) {
        (self.edits, self.units, self.samples) = (0, 0, 0);
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        self.edits += other.take::<u64>("edits")?;
        self.units += other.take::<u64>("units")?;
        self.samples += other.take::<u64>("samples")?;
        Ok(())
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name(), Better::Lower)]
    }
}

/// The Levenshtein distance, row by row.
fn distance(one: &[&str], other: &[&str]) -> u64 {
    let mut row: Vec<u64> = (0..=other.len() as u64).collect();
    for (above, unit) in one.iter().enumerate() {
        let mut corner = row[0];
        row[0] = above as u64 + 1;
        for (place, target) in other.iter().enumerate() {
            let replaced = corner + u64::from(unit != target);
            corner = row[place + 1];
            row[place + 1] = replaced.min(corner + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

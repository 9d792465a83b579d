//! How many sequences of words a translation has in common with its references.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::error::{MetricError, texts};
use crate::metric::text::units::{TextUnit, same_number};
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;
use std::collections::BTreeMap;

/// BLEU (Papineni and others, 2002) of the whole corpus, from 0 to 1: the geometric mean of the precisions of sequences
/// of 1 to `max_n` words, times a penalty for predictions that are shorter than their references.
///
/// Reads the texts `prediction` and those named by `references` of the step's output, one for each sample: see
/// [`Output::texts`]. Of several references the one closest in length counts for the penalty, the shorter one of two.
/// Texts are split at white space only, so scores equal those of other tools when these do not split texts further.
/// Without `smooth` the value is 0 when no sequence of some length is found. The numbers are those of torchmetrics'
/// `BLEUScore`.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{Bleu, MetricComponent as _};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut bleu = Bleu::build(&parse_text("example", "(max_n: 2)")?.read()?);
/// let texts = |text: &str| vec![text.to_owned()];
/// let output = Output::without_loss().texts("prediction", texts("a black cat")).texts("target", texts("a black dog"));
/// bleu.update(&output, 1)?;
/// assert!((bleu.compute()?[0].1 - (2f64 / 3.0 * 1.0 / 2.0).sqrt()).abs() < 1e-12);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct Bleu {
    /// The longest sequence.
    #[config(default = 4, range = 1..=10)]
    max_n: usize,
    /// Adds 1 to the counts of sequences of two and more (Lin and Och, 2004): for single sentences.
    #[config(default = false)]
    smooth: bool,
    /// What a sequence consists of.
    #[config(default = TextUnit::Words)]
    unit: TextUnit,
    /// The texts of the step's output that are references.
    #[config(default = vec!["target".to_owned()])]
    references: Vec<String>,
    /// The value's name.
    #[config(default = "bleu")]
    name: String,
    /// Sequences of 1, 2, … words that were found, each at most as often as in a reference.
    #[state]
    found: Vec<u64>,
    /// Sequences of 1, 2, … words in predictions.
    #[state]
    predicted: Vec<u64>,
    /// `[samples, words of predictions, words of the closest references]`
    #[state]
    lengths: [u64; 3],
}

#[diagnostic::do_not_recommend]
impl Metric for Bleu {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        let predictions = texts(&self.name, output, "prediction")?;
        let mut references = Vec::new();
        for name in &self.references {
            let of_name = texts(&self.name, output, name)?;
            same_number(&self.name, name, of_name.len(), predictions.len())?;
            references.push(of_name);
        }
        if references.is_empty() {
            let why = "`references` is empty; name the texts of the output to compare with".to_owned();
            return Err(MetricError::Data { metric: self.name.clone(), why }.into());
        }
        self.found.resize(self.max_n, 0);
        self.predicted.resize(self.max_n, 0);
        for (sample, prediction) in predictions.iter().enumerate() {
            let prediction = self.unit.of(prediction);
            let references: Vec<Vec<&str>> = references.iter().map(|texts| self.unit.of(&texts[sample])).collect();
            self.count(&prediction, &references);
        }
        Ok(())
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let [samples, predicted, closest] = self.lengths;
        if samples == 0 {
            return Err(MetricError::NoBatch { metric: self.name.clone() }.into());
        }
        if self.found.contains(&0) && !(self.smooth && self.found[0] > 0) {
            return Ok(vec![(self.name.clone(), 0.0)]);
        }
        let precision = |(n, (found, predicted)): (usize, (&u64, &u64))| {
            let more = if self.smooth && n > 0 { 1.0 } else { 0.0 };
            ((*found as f64 + more) / (*predicted as f64 + more)).ln()
        };
        let logarithms: f64 = self.found.iter().zip(&self.predicted).enumerate().map(precision).sum();
        let penalty = if predicted > closest { 0.0 } else { 1.0 - closest as f64 / predicted as f64 };
        Ok(vec![(self.name.clone(), (logarithms / self.max_n as f64 + penalty).exp())])
    }

    fn reset(&mut self) {
        (self.found, self.predicted, self.lengths) = (Vec::new(), Vec::new(), [0; 3]);
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        // an empty one has counted nothing yet
        self.found.resize(self.max_n, 0);
        self.predicted.resize(self.max_n, 0);
        add(&mut self.found, &other.take::<Vec<u64>>("found")?);
        add(&mut self.predicted, &other.take::<Vec<u64>>("predicted")?);
        add(&mut self.lengths, &other.take::<[u64; 3]>("lengths")?);
        Ok(())
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name.clone(), Better::Higher)]
    }
}

impl Bleu {
    fn count(&mut self, prediction: &[&str], references: &[Vec<&str>]) {
        let away = |reference: &&Vec<&str>| (reference.len().abs_diff(prediction.len()), reference.len());
        let closest = references.iter().min_by_key(away).map_or(0, Vec::len);
        for (sum, length) in self.lengths.iter_mut().zip([1, prediction.len(), closest]) {
            *sum += length as u64;
        }
        for n in 1..=self.max_n {
            let mut most: BTreeMap<&[&str], u64> = BTreeMap::new();
            for reference in references {
                for (sequence, count) in sequences(reference, n) {
                    let most = most.entry(sequence).or_default();
                    *most = count.max(*most);
                }
            }
            for (sequence, count) in sequences(prediction, n) {
                self.predicted[n - 1] += count;
                self.found[n - 1] += count.min(most.get(sequence).copied().unwrap_or(0));
            }
        }
    }
}

/// How often each sequence of `n` units occurs.
fn sequences<'a, 'b>(units: &'a [&'b str], n: usize) -> BTreeMap<&'a [&'b str], u64> {
    let mut counts = BTreeMap::new();
    for sequence in units.windows(n) {
        *counts.entry(sequence).or_default() += 1;
    }
    counts
}

fn add(sums: &mut [u64], terms: &[u64]) {
    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
}

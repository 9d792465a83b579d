//! Scores of all samples, for metrics that depend on their order.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::metric::classify::per_class::Average;
use crate::metric::classify::read::{Labelled, Scored, Targets, no_class, scored};
use crate::metric::error::MetricError;
use crate::metric::kept::Kept;
use crate::metric::{Better, Measure};
use tch::{Kind, TchError, Tensor};

/// The settings that these metrics have in common.
pub(super) struct Ranked {
    pub(super) name: String,
    pub(super) average: Average,
    pub(super) per_class: Option<usize>,
    pub(super) ignore_index: Option<i64>,
}

/// Targets in a kept tensor that are left out, and those that are neither a class nor 0 or 1.
const IGNORED: i64 = -1;
const STRANGE: i64 = -2;

/// A score and whether its target is positive.
type Sample = (f32, bool);

impl Ranked {
    /// Keeps `scores` `[m, classes]` and `targets`: `[m]` classes, or `[m, labels]`.
    pub(super) fn update(&self, scores: &mut Kept, targets: &mut Kept, output: &Output) -> Result<()> {
        let (found, (of_batch, target)) = match scored(&self.name, output)? {
            // the order of the logarithms is that of the probabilities, and close to 1 they differ more
            Scored::Classes(batch) => {
                let scores = batch.logits.f_log_softmax(1, Kind::Double)?.f_movedim_int(1, -1)?.f_flatten(0, -2)?;
                (batch.classes, (scores, marked(batch.targets(self.ignore_index)?)?.f_flatten(0, -1)?))
            }
            Scored::Labels(batch) => (batch.labels, of_labels(&batch, self.ignore_index)?),
        };
        if let Some(classes) = self.per_class.filter(|classes| *classes as i64 != found) {
            let why = format!("it has {found} classes, but `per_class` is {classes}");
            return Err(MetricError::Unfit { metric: self.name.clone(), tensor: "logits".to_owned(), why }.into());
        }
        scores.add(&of_batch.f_to_kind(Kind::Float)?)?;
        Ok(targets.add(&target)?)
    }

    /// The value of each class against the others, and their average. `value` gets the samples of a class from the
    /// highest score to the lowest; it has no value for classes where none is defined.
    pub(super) fn compute(
        &self,
        scores: &Kept,
        targets: &Kept,
        value: impl Fn(&[Sample]) -> Option<f64>,
    ) -> Result<Vec<(String, f64)>> {
        let mut classes = self.by_class(scores, targets)?;
        let broken = classes.iter().flatten().any(|(score, _)| score.is_nan());
        for samples in &mut classes {
            samples.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        }
        let value = |samples: &[Sample]| if broken { None } else { value(samples) };
        let each: Vec<Option<f64>> = classes.iter().map(|samples| value(samples)).collect();
        let mean = |weight: &dyn Fn(&[Sample]) -> f64| {
            let known = classes.iter().zip(&each).filter_map(|(class, value)| Some((weight(class), (*value)?)));
            let (sum, total) =
                known.fold((0.0, 0.0), |(sum, total), (weight, value)| (sum + weight * value, total + weight));
            sum / total
        };
        let average = match self.average {
            Average::Macro => mean(&|_| 1.0),
            Average::Weighted => mean(&|class| class.iter().filter(|(_, positive)| *positive).count() as f64),
            Average::Micro => {
                let mut all = classes.concat();
                all.sort_by(|(one, _), (other, _)| other.total_cmp(one));
                value(&all).unwrap_or(f64::NAN)
            }
        };
        let mut values = vec![(self.name.clone(), average)];
        if self.per_class.is_some() {
            let named = each.iter().enumerate();
            values.extend(named.map(|(class, value)| (format!("{}/{class}", self.name), value.unwrap_or(f64::NAN))));
        }
        Ok(values)
    }

    pub(super) fn measures(&self) -> Vec<Measure> {
        let per_class = (0..self.per_class.unwrap_or(0)).map(|class| format!("{}/{class}", self.name));
        let names = std::iter::once(self.name.clone()).chain(per_class);
        names.map(|name| Measure::new(name, Better::Higher)).collect()
    }

    /// The samples of each class or label that count.
    fn by_class(&self, scores: &Kept, targets: &Kept) -> Result<Vec<Vec<Sample>>> {
        let (mut classes, mut strange): (Vec<Vec<Sample>>, i64) = (Vec::new(), 0);
        for (scores, targets) in scores.on_host()?.iter().zip(targets.on_host()?) {
            let width = scores.size()[1] as usize;
            classes.resize(classes.len().max(width), Vec::new());
            let of_labels = targets.dim() == 2;
            let scores = Vec::<f32>::try_from(scores.f_flatten(0, -1)?)?;
            let targets = Vec::<i64>::try_from(targets.f_flatten(0, -1)?)?;
            strange += targets.iter().filter(|target| **target == STRANGE).count() as i64;
            for (row, scores) in scores.chunks_exact(width).enumerate() {
                for (class, score) in scores.iter().enumerate() {
                    let target = if of_labels { targets[row * width + class] } else { targets[row] };
                    let positive = if of_labels { target == 1 } else { target == class as i64 };
                    if target >= 0 {
                        classes[class].push((*score, positive));
                    }
                }
            }
        }
        match strange {
            1.. => Err(no_class(&self.name, strange).into()),
            _ if classes.iter().all(Vec::is_empty) => Err(MetricError::NoBatch { metric: self.name.clone() }.into()),
            _ => Ok(classes),
        }
    }
}

/// Calls `each` with the number of positive and of negative samples for each distinct score, from the highest on.
pub(super) fn by_score(samples: &[Sample], mut each: impl FnMut(f64, f64)) {
    for equal in samples.chunk_by(|(one, _), (other, _)| one == other) {
        let positives = equal.iter().filter(|(_, positive)| *positive).count();
        each(positives as f64, (equal.len() - positives) as f64);
    }
}

fn of_labels(batch: &Labelled, ignore_index: Option<i64>) -> Result<(Tensor, Tensor), TchError> {
    Ok((batch.logits.shallow_clone(), marked(batch.targets(ignore_index)?)?))
}

/// The targets as whole numbers, with marks for those that do not count.
fn marked(targets: Targets) -> Result<Tensor, TchError> {
    let Targets { target, strange, ignored } = targets;
    target.f_to_kind(Kind::Int64)?.f_masked_fill(&ignored, IGNORED)?.f_masked_fill(&strange, STRANGE)
}

/// Implements `Metric` for a component with the settings of [`Ranked`] and the states `scores` and `targets`.
macro_rules! metric_of_ranks {
    ($type:ident, $name:literal, $value:expr) => {
        impl $type {
            fn settings(&self) -> $crate::metric::classify::ranked::Ranked {
                $crate::metric::classify::ranked::Ranked {
                    name: self.name.clone().unwrap_or_else(|| $name.to_owned()),
                    average: self.average,
                    per_class: self.per_class,
                    ignore_index: self.ignore_index,
                }
            }
        }

        #[diagnostic::do_not_recommend]
        impl Metric for $type {
            fn update(&mut self, output: &Output, _: usize) -> Result<()> {
                let settings = self.settings();
                settings.update(&mut self.scores, &mut self.targets, output)
            }

            fn compute(&self) -> Result<Vec<(String, f64)>> {
                self.settings().compute(&self.scores, &self.targets, $value)
            }

            fn reset(&mut self) {
                (self.scores, self.targets) = (Kept::default(), Kept::default());
            }

            fn release(&mut self) {
                self.reset();
            }

            fn merge(&mut self, mut other: StateMap) -> Result<()> {
                self.scores.merge(other.take("scores")?);
                self.targets.merge(other.take("targets")?);
                Ok(())
            }

            fn measures(&self) -> Vec<Measure> {
                self.settings().measures()
            }
        }
    };
}
pub(super) use metric_of_ranks;

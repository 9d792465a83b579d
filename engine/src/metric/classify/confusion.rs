//! How often each class is predicted for each target.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::classify::read::{Classified, Targets, classified};
use crate::metric::error::MetricError;
use crate::metric::total::Total;
use crate::metric::{Better, Matrix, Measure, Metric};
use engine_macros::component;
use tch::{Kind, TchError, Tensor};

/// Counts of target and predicted class, with the recall, precision and F1 that follow.
///
/// Reads `logits` `[n, classes, …]` and `target` `[n, …]` (`Int64`) of the step's output. Its values are `recall`,
/// `precision` and `f1`, each the unweighted mean over the classes that occur as a target or as a prediction; a ratio
/// with the divisor 0 counts as 0. This is the result of scikit-learn's
/// `precision_recall_fscore_support(average="macro", zero_division=0)`. With `per_class` there are also `recall/0`,
/// `recall/1`, …, which are NaN for a class that was never a target. When classes have equal logits, the one with the
/// lowest index is predicted, as in [`Accuracy`](crate::metric::Accuracy). A sample whose logits contain NaN has no
/// prediction: it lowers the recall of its class. A target that is not a class is an error of [`Metric::compute`],
/// unless it is `ignore_index`.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::MetricComponent as _;
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut confusion = ConfusionMatrix::build(&parse_text("example", "(classes: 2)")?.read()?);
/// let logits = Tensor::from_slice2(&[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]); // 0, 0, 1, 0
/// let target = Tensor::from_slice(&[0i64, 0, 1, 1]);
/// let output = Output::new(Tensor::from(0.0)).tensor("logits", &logits).tensor("target", &target);
/// confusion.update(&output, 4)?;
/// assert_eq!(confusion.matrix()?, [[2, 0], [1, 1]]);
/// assert_eq!(confusion.compute()?[0], ("recall".to_owned(), (1.0 + 0.5) / 2.0));
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct ConfusionMatrix {
    /// The number of classes, as many as `logits` has. The counts take `8 · (classes + 1)²` bytes.
    #[config(example = 10, range = 1..=10_000)]
    classes: usize,
    /// Gives the recall of each class too, as `recall/0`, `recall/1`, ….
    #[config(default = false)]
    per_class: bool,
    /// Samples with this target are left out.
    #[config(default)]
    ignore_index: Option<i64>,
    /// Records the counts after each evaluation as a table, `confusion_matrix`, and as a picture,
    /// `confusion_matrix_picture`, of at most 256 classes. In the picture a row is a target, and the colour of a cell
    /// its share of the row: white is 0, dark blue is 1.
    #[config(default = false)]
    show: bool,
    /// The names of the classes in the table; their numbers when it is empty.
    #[config(default)]
    labels: Vec<String>,
    /// `[(classes + 1)²]`: row by row, a row for each target, a column for each prediction. The last row holds targets
    /// that are no class, the last column samples without a prediction, so that nothing must be read to check them.
    #[state]
    counts: Total,
}

/// A larger table is no help to anybody.
const MOST_SHOWN: usize = 256;

impl ConfusionMatrix {
    /// The counts: one row for each target class, one column for each predicted class.
    ///
    /// # Errors
    /// When there was no batch, or a target was not a class.
    pub fn matrix(&self) -> Result<Vec<Vec<i64>>> {
        let mut rows = self.rows()?;
        rows.truncate(self.classes);
        for row in &mut rows {
            row.truncate(self.classes);
        }
        Ok(rows)
    }

    /// The counts with the row and column of what is no class.
    fn rows(&self) -> Result<Vec<Vec<i64>>> {
        let metric = || "confusion_matrix".to_owned();
        let counts = self.counts.tensor().ok_or_else(|| MetricError::NoBatch { metric: metric() })?;
        let side = self.classes as i64 + 1;
        let rows = Vec::<Vec<i64>>::try_from(counts.f_to_device(tch::Device::Cpu)?.f_reshape([side, side])?)?;
        match rows[self.classes].iter().sum::<i64>() {
            0 => Ok(rows),
            strange => {
                let why = format!(
                    "{strange} targets are outside 0..{}; set a larger `classes`, or set `ignore_index` to leave them out",
                    self.classes
                );
                Err(MetricError::Data { metric: metric(), why }.into())
            }
        }
    }
}

#[diagnostic::do_not_recommend]
impl Metric for ConfusionMatrix {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        let batch = classified("confusion_matrix", output)?;
        if batch.classes != self.classes as i64 {
            let why = format!("it has {} classes, but `classes` is {}", batch.classes, self.classes);
            let (metric, tensor) = ("confusion_matrix".to_owned(), "logits".to_owned());
            return Err(MetricError::Unfit { metric, tensor, why }.into());
        }
        if self.show && self.classes > MOST_SHOWN {
            let why =
                format!("`show` is for at most {MOST_SHOWN} classes, and there are {}; leave it out", self.classes);
            return Err(MetricError::Data { metric: "confusion_matrix".to_owned(), why }.into());
        }
        Ok(self.counts.add(&counts(&batch, self.ignore_index)?)?)
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let rows = self.rows()?;
        if rows.iter().flatten().all(|count| *count == 0) {
            return Err(MetricError::NoBatch { metric: "confusion_matrix".to_owned() }.into());
        }
        let classes: Vec<Class> = (0..self.classes).map(|class| Class::of(&rows, class)).collect();
        let occurring = classes.iter().filter(|class| class.targets + class.predictions > 0).count() as f64;
        let mean = |value: fn(&Class) -> f64| classes.iter().map(value).sum::<f64>() / occurring;
        let mut values = vec![
            ("recall".to_owned(), mean(Class::recall)),
            ("precision".to_owned(), mean(Class::precision)),
            ("f1".to_owned(), mean(Class::f1)),
        ];
        if self.per_class {
            let recalls = classes.iter().enumerate().map(|(class, counts)| {
                let recall = if counts.targets == 0 { f64::NAN } else { counts.recall() };
                (format!("recall/{class}"), recall)
            });
            values.extend(recalls);
        }
        Ok(values)
    }

    fn reset(&mut self) {
        self.counts = Total::default();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        Ok(self.counts.merge(other.take("counts")?)?)
    }

    fn shown(&self) -> Result<Vec<Matrix>> {
        if !self.show {
            return Ok(Vec::new());
        }
        let label = |class: usize| self.labels.get(class).cloned().unwrap_or_else(|| class.to_string());
        Ok(vec![Matrix {
            name: "confusion_matrix".to_owned(),
            corner: "target \\ prediction".to_owned(),
            labels: (0..self.classes).map(label).collect(),
            counts: self.matrix()?,
        }])
    }

    fn measures(&self) -> Vec<Measure> {
        let mean = ["recall", "precision", "f1"].map(str::to_owned).into_iter();
        let per_class = (0..if self.per_class { self.classes } else { 0 }).map(|class| format!("recall/{class}"));
        mean.chain(per_class).map(|name| Measure::new(name, Better::Higher)).collect()
    }
}

/// What became of one class.
struct Class {
    targets: i64,
    predictions: i64,
    hits: i64,
}

impl Class {
    fn of(rows: &[Vec<i64>], class: usize) -> Class {
        Class {
            targets: rows[class].iter().sum(),
            predictions: rows.iter().map(|row| row[class]).sum(),
            hits: rows[class][class],
        }
    }

    fn recall(&self) -> f64 {
        ratio(self.hits, self.targets)
    }

    fn precision(&self) -> f64 {
        ratio(self.hits, self.predictions)
    }

    /// The harmonic mean of recall and precision.
    fn f1(&self) -> f64 {
        ratio(2 * self.hits, self.targets + self.predictions)
    }
}

fn ratio(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The counts of one batch, `[(classes + 1)²]`, on the logits' device.
fn counts(batch: &Classified<'_>, ignore_index: Option<i64>) -> Result<Tensor, TchError> {
    let classes = batch.classes;
    let Targets { target, strange, ignored } = batch.targets(ignore_index)?;
    let target = target.f_masked_fill(&strange.f_logical_or(&ignored)?, classes)?;
    let cell = target.f_mul_scalar(classes + 1)?.f_add(&batch.predicted()?)?.f_flatten(0, -1)?;
    let zeros = Tensor::f_zeros([(classes + 1) * (classes + 1)], (Kind::Int64, batch.logits.device()))?;
    zeros.f_scatter_add(0, &cell, &ignored.f_logical_not()?.f_to_kind(Kind::Int64)?.f_flatten(0, -1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::state::State as _;

    /// A batch in which each (target, prediction) is a sample; `None`: its logits are NaN.
    fn output(samples: &[(i64, Option<usize>)]) -> Output {
        let logits: Vec<[f32; 4]> = samples
            .iter()
            .map(|(_, predicted)| match predicted {
                Some(class) => [0, 1, 2, 3].map(|other| if other == *class { 2.0 } else { -1.0 }),
                None => [f32::NAN, 3.0, 0.0, 0.0],
            })
            .collect();
        let target: Vec<i64> = samples.iter().map(|(target, _)| *target).collect();
        Output::new(Tensor::from(0.0))
            .tensor("logits", &Tensor::from_slice2(&logits))
            .tensor("target", &Tensor::from_slice(&target))
    }

    fn fed(batches: &[&[(i64, Option<usize>)]]) -> ConfusionMatrix {
        let mut metric = ConfusionMatrix {
            classes: 4,
            per_class: true,
            ignore_index: None,
            show: false,
            labels: Vec::new(),
            counts: Total::default(),
        };
        for samples in batches {
            metric.update(&output(samples), samples.len()).unwrap();
        }
        metric
    }

    // class 3 occurs nowhere
    const ONE: &[(i64, Option<usize>)] = &[(0, Some(0)), (0, Some(1)), (1, Some(1))];
    const TWO: &[(i64, Option<usize>)] = &[(1, Some(1)), (2, Some(0)), (0, Some(0)), (2, Some(2))];

    #[test]
    fn counts_and_ratios_are_those_by_hand() {
        let metric = fed(&[ONE, TWO]);
        assert_eq!(metric.matrix().unwrap(), [[2, 1, 0, 0], [0, 2, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]);
        let values = metric.compute().unwrap();
        // per class; the mean is over the three that occur
        let recall = (2.0 / 3.0 + 1.0 + 0.5) / 3.0;
        let precision = (2.0 / 3.0 + 2.0 / 3.0 + 1.0) / 3.0;
        let f1 = (2.0 / 3.0 + 0.8 + 2.0 / 3.0) / 3.0;
        for ((_, value), expected) in values.iter().zip([recall, precision, f1, 2.0 / 3.0, 1.0, 0.5]) {
            assert!((value - expected).abs() < 1e-15, "{values:?}");
        }
        assert!(values[6].1.is_nan());
    }

    #[test]
    fn the_counts_are_shown_where_the_file_says_so() {
        assert!(fed(&[ONE]).shown().unwrap().is_empty());
        let metric = ConfusionMatrix { show: true, labels: vec!["cat".into()], ..fed(&[ONE, TWO]) };
        let shown = metric.shown().unwrap().remove(0);
        assert_eq!(shown.labels, ["cat", "1", "2", "3"]);
        assert_eq!(shown.counts, metric.matrix().unwrap());
    }

    #[test]
    fn every_declared_value_is_given() {
        for per_class in [false, true] {
            let metric = ConfusionMatrix { per_class, ..fed(&[ONE]) };
            let declared: Vec<String> = metric.measures().into_iter().map(|measure| measure.name).collect();
            let given: Vec<String> = metric.compute().unwrap().into_iter().map(|(name, _)| name).collect();
            assert_eq!(declared, given);
            assert_eq!(given.len(), if per_class { 7 } else { 3 });
        }
    }

    #[test]
    fn parts_merged_are_the_whole() {
        let mut one = fed(&[ONE]);
        one.merge(fed(&[TWO]).save_state()).unwrap();
        one.merge(fed(&[]).save_state()).unwrap();
        assert_eq!(one.matrix().unwrap(), fed(&[ONE, TWO]).matrix().unwrap());
        let mut restored = fed(&[]);
        restored.load_state(one.save_state()).unwrap();
        assert_eq!(restored.matrix().unwrap(), one.matrix().unwrap());
    }

    #[test]
    fn a_sample_without_a_prediction_lowers_the_recall() {
        let metric = fed(&[&[(1, Some(1)), (1, None)]]);
        let values = metric.compute().unwrap();
        assert_eq!((values[0].1, values[1].1), (0.5, 1.0));
        assert_eq!(metric.matrix().unwrap()[1], [0, 1, 0, 0]);
    }

    #[test]
    fn of_equal_logits_the_class_with_the_lowest_index_is_predicted() {
        let mut metric = fed(&[]);
        let logits = Tensor::from_slice2(&[[1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 1.0, 2.0]]);
        let target = Tensor::from_slice(&[0i64, 3]);
        let output = Output::new(Tensor::from(0.0)).tensor("logits", &logits).tensor("target", &target);
        metric.update(&output, 2).unwrap();
        assert_eq!(metric.matrix().unwrap(), [[1, 0, 0, 0], [0; 4], [0; 4], [0, 1, 0, 0]]);
    }

    #[test]
    fn a_target_to_be_ignored_is_in_no_count() {
        let ignoring = |samples| {
            let mut metric = ConfusionMatrix { ignore_index: Some(255), ..fed(&[]) };
            metric.update(&output(samples), 1).unwrap();
            metric
        };
        let metric = ignoring(&[(255, Some(1)), (1, Some(1)), (255, None)]);
        assert_eq!(metric.matrix().unwrap(), [[0; 4], [0, 1, 0, 0], [0; 4], [0; 4]]);
        assert_eq!(metric.compute().unwrap()[1].1, 1.0);
        let error = ignoring(&[(255, Some(1))]).compute().unwrap_err().to_string();
        assert!(error.contains("saw no batch"), "{error}");
    }

    #[test]
    fn a_target_that_is_no_class_is_an_error_of_compute() {
        let error = fed(&[&[(4, Some(0)), (-1, Some(0)), (0, Some(0))]]).compute().unwrap_err();
        assert_eq!(
            error.to_string(),
            "metric `confusion_matrix`: 2 targets are outside 0..4; set a larger `classes`, or set `ignore_index` to leave them out"
        );
        let empty = fed(&[]).compute().unwrap_err();
        assert!(empty.to_string().starts_with("metric `confusion_matrix` has no value"), "{empty}");
        let mut other = ConfusionMatrix { classes: 5, ..fed(&[]) };
        assert!(
            other.update(&output(ONE), 3).unwrap_err().to_string().ends_with("it has 4 classes, but `classes` is 5")
        );
    }
}

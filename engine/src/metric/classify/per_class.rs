//! Ratios of counts for each class, and how they become one number.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::metric::classify::read::{Classified, Labelled, Scored, Targets, no_class, scored};
use crate::metric::error::MetricError;
use crate::metric::total::Total;
use crate::metric::{Better, Measure};
use engine_macros::component;
use tch::{Device, Kind, TchError, Tensor};

/// How the values of several classes become one.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Average {
    /// The mean over the classes that occur as a target or as a prediction: each class counts the same.
    Macro,
    /// The value of the sums over all classes: each sample counts the same.
    Micro,
    /// The mean over the classes, each weighted by how often it is a target.
    Weighted,
}

/// The settings that these metrics have in common.
pub(super) struct PerClass {
    pub(super) name: String,
    pub(super) average: Average,
    pub(super) per_class: Option<usize>,
    pub(super) threshold: f64,
    pub(super) ignore_index: Option<i64>,
}

/// What became of one class, or the sums over several.
#[derive(Clone, Copy, Default)]
pub(super) struct Class {
    pub(super) hits: i64,
    pub(super) predictions: i64,
    pub(super) targets: i64,
}

/// The last column of the counts has what belongs to no class, in these rows.
const COUNTED: usize = 0;
const STRANGE: usize = 2;

impl PerClass {
    /// Adds `[3, classes + 1]`: hits, predictions and targets of each class. The last column has the number of
    /// positions that count, those without a prediction, and those whose target is no class.
    pub(super) fn update(&self, counts: &mut Total, output: &Output) -> Result<()> {
        let scored = scored(&self.name, output)?;
        let found = match &scored {
            Scored::Classes(batch) => batch.classes,
            Scored::Labels(batch) => batch.labels,
        };
        if let Some(classes) = self.per_class.filter(|classes| *classes as i64 != found) {
            let why = format!("it has {found} classes, but `per_class` is {classes}");
            return Err(MetricError::Unfit { metric: self.name.clone(), tensor: "logits".to_owned(), why }.into());
        }
        let of_batch = match scored {
            Scored::Classes(batch) => of_classes(&batch, self.ignore_index)?,
            Scored::Labels(batch) => of_labels(&batch, self.threshold, self.ignore_index)?,
        };
        Ok(counts.add(&of_batch)?)
    }

    /// The value, and those of the classes.
    pub(super) fn compute(&self, counts: &Total, value: impl Fn(&Class) -> f64) -> Result<Vec<(String, f64)>> {
        let none = || MetricError::NoBatch { metric: self.name.clone() };
        let rows = Vec::<Vec<i64>>::try_from(counts.tensor().ok_or_else(none)?.f_to_device(Device::Cpu)?)?;
        let columns = rows[0].len() - 1;
        match (rows[STRANGE][columns], rows[COUNTED][columns]) {
            (strange @ 1.., _) => return Err(no_class(&self.name, strange).into()),
            (_, 0) => return Err(none().into()),
            _ => {}
        }
        let class = |place| Class { hits: rows[0][place], predictions: rows[1][place], targets: rows[2][place] };
        let classes: Vec<Class> = (0..columns).map(class).collect();
        let mut values = vec![(self.name.clone(), self.average.of(&classes, &value))];
        if self.per_class.is_some() {
            let known = |class: &Class| if class.occurs() { value(class) } else { f64::NAN };
            let named = classes.iter().enumerate();
            values.extend(named.map(|(place, class)| (format!("{}/{place}", self.name), known(class))));
        }
        Ok(values)
    }

    pub(super) fn measures(&self) -> Vec<Measure> {
        let per_class = (0..self.per_class.unwrap_or(0)).map(|class| format!("{}/{class}", self.name));
        let names = std::iter::once(self.name.clone()).chain(per_class);
        names.map(|name| Measure::new(name, Better::Higher)).collect()
    }
}

impl Average {
    fn of(self, classes: &[Class], value: &impl Fn(&Class) -> f64) -> f64 {
        let occurring = || classes.iter().filter(|class| class.occurs());
        let mean = |weight: &dyn Fn(&Class) -> f64| {
            let total: f64 = occurring().map(weight).sum();
            let sum: f64 = occurring().map(|class| weight(class) * value(class)).sum();
            if total == 0.0 { 0.0 } else { sum / total }
        };
        match self {
            Average::Macro => mean(&|_| 1.0),
            Average::Weighted => mean(&|class| class.targets as f64),
            Average::Micro => value(&classes.iter().fold(Class::default(), Class::plus)),
        }
    }
}

impl Class {
    fn occurs(&self) -> bool {
        self.targets + self.predictions > 0
    }

    fn plus(self, other: &Class) -> Class {
        Class {
            hits: self.hits + other.hits,
            predictions: self.predictions + other.predictions,
            targets: self.targets + other.targets,
        }
    }
}

/// A ratio; 0 when the divisor is 0.
pub(super) fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

fn of_classes(batch: &Classified<'_>, ignore_index: Option<i64>) -> Result<Tensor, TchError> {
    let Targets { target, strange, ignored } = batch.targets(ignore_index)?;
    let target = target.f_masked_fill(&strange.f_logical_or(&ignored)?, batch.classes)?.f_flatten(0, -1)?;
    let predicted = batch.predicted()?.f_flatten(0, -1)?;
    let counted = ignored.f_logical_not()?.f_flatten(0, -1)?;
    let zeros = Tensor::f_zeros([batch.classes + 1], (Kind::Int64, batch.logits.device()))?;
    let count = |place: &Tensor, which: &Tensor| zeros.f_scatter_add(0, place, &which.f_to_kind(Kind::Int64)?);
    let within = counted.f_logical_and(&target.f_ne(batch.classes)?)?;
    let hits = count(&target, &within.f_logical_and(&target.f_eq_tensor(&predicted)?)?)?;
    let hits = hits.f_narrow(0, 0, batch.classes)?;
    let hits = Tensor::f_cat(&[hits, within.f_sum(Kind::Int64)?.f_unsqueeze(0)?], 0)?;
    Tensor::f_stack(&[hits, count(&predicted, &counted)?, count(&target, &counted)?], 0)
}

fn of_labels(batch: &Labelled, threshold: f64, ignore_index: Option<i64>) -> Result<Tensor, TchError> {
    let Targets { target, strange, ignored } = batch.targets(ignore_index)?;
    // on the logits: sigmoid is monotonic
    let predicted = batch.logits.f_gt((threshold / (1.0 - threshold)).ln())?;
    let predicted = predicted.f_logical_and(&ignored.f_logical_not()?)?;
    let positive = target.f_eq(1)?.f_logical_and(&ignored.f_logical_not()?)?;
    let hits = predicted.f_logical_and(&positive)?;
    let counted = strange.f_logical_or(&ignored)?.f_logical_not()?;
    let broken = batch.logits.f_isnan()?;
    let row = |which: &Tensor, last: &Tensor| {
        let sums = which.f_sum_dim_intlist(0, false, Kind::Int64)?;
        Tensor::f_cat(&[sums, last.f_sum(Kind::Int64)?.f_unsqueeze(0)?], 0)
    };
    Tensor::f_stack(&[row(&hits, &counted)?, row(&predicted, &broken)?, row(&positive, &strange)?], 0)
}

/// Implements `Metric` for a component with the settings of [`PerClass`] and the state `counts`, whose value for a
/// class is `$value`.
macro_rules! metric_per_class {
    ($type:ident, $self:ident => $name:expr, $value:expr) => {
        impl $type {
            fn settings(&$self) -> $crate::metric::classify::per_class::PerClass {
                $crate::metric::classify::per_class::PerClass {
                    name: $self.name.clone().unwrap_or_else(|| $name),
                    average: $self.average,
                    per_class: $self.per_class,
                    threshold: $self.threshold,
                    ignore_index: $self.ignore_index,
                }
            }
        }

        #[diagnostic::do_not_recommend]
        impl Metric for $type {
            fn update(&mut self, output: &Output, _: usize) -> Result<()> {
                let settings = self.settings();
                settings.update(&mut self.counts, output)
            }

            fn compute(&$self) -> Result<Vec<(String, f64)>> {
                $self.settings().compute(&$self.counts, $value)
            }

            fn reset(&mut self) {
                self.counts = Total::default();
            }

            fn merge(&mut self, mut other: StateMap) -> Result<()> {
                Ok(self.counts.merge(other.take("counts")?)?)
            }

            fn measures(&self) -> Vec<Measure> {
                self.settings().measures()
            }
        }
    };
}
pub(super) use metric_per_class;

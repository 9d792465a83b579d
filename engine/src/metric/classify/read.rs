//! What classification metrics read from the output of a step.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::metric::error::{MetricError, tensor};
use tch::{Kind, TchError, Tensor};

/// A batch in one of the two forms.
pub(super) enum Scored<'a> {
    /// Each position has one of several classes.
    Classes(Classified<'a>),
    /// Each label is 1 or 0 by itself.
    Labels(Labelled),
}

/// Positions of which each has one class.
pub(super) struct Classified<'a> {
    /// `[n, classes, …]`
    pub(super) logits: &'a Tensor,
    /// `[n, …]`
    pub(super) target: &'a Tensor,
    pub(super) classes: i64,
}

/// Labels of which each is 1 or 0.
pub(super) struct Labelled {
    /// `[m, labels]`
    pub(super) logits: Tensor,
    /// `[m, labels]`, on the logits' device.
    pub(super) target: Tensor,
    pub(super) labels: i64,
}

/// The targets of a batch, on the logits' device, each in the shape of the target.
pub(super) struct Targets {
    /// As they are.
    pub(super) target: Tensor,
    /// Which are neither a class nor to be left out.
    pub(super) strange: Tensor,
    /// Which are to be left out.
    pub(super) ignored: Tensor,
}

/// `logits` `[n, classes, …]` with classes `target` `[n, …]`, or `logits` `[n]` or `[n, labels, …]` with a `target` of
/// zeros and ones in the same shape.
pub(super) fn scored<'a>(metric: &str, output: &'a Output) -> Result<Scored<'a>, MetricError> {
    let (logits, target) = (tensor(metric, output, "logits")?, tensor(metric, output, "target")?);
    if logits.size() != target.size() {
        return classified(metric, output).map(Scored::Classes);
    }
    let libtorch = |error: TchError| unfit(metric, "logits", error.to_string());
    let rows = |tensor: &Tensor| match tensor.dim() {
        1 => tensor.f_unsqueeze(1),
        2 => Ok(tensor.shallow_clone()),
        _ => tensor.f_movedim_int(1, -1)?.f_flatten(0, -2),
    };
    match logits.dim() {
        0 | 3 => {
            let why = format!(
                "its shape is {:?} as that of `target`, expected [n], [n, labels] or [n, labels, h, w] for labels of 0 and 1",
                logits.size()
            );
            Err(unfit(metric, "logits", why))
        }
        _ => {
            let target = target.f_to_device(logits.device()).and_then(|target| rows(&target)).map_err(libtorch)?;
            let logits = rows(logits).map_err(libtorch)?;
            let labels = logits.size()[1];
            Ok(Scored::Labels(Labelled { logits, target, labels }))
        }
    }
}

/// `logits` `[n, classes, …]` and `target` `[n, …]`, checked for their shapes.
pub(super) fn classified<'a>(metric: &str, output: &'a Output) -> Result<Classified<'a>, MetricError> {
    let (logits, target) = (tensor(metric, output, "logits")?, tensor(metric, output, "target")?);
    let mut expected = logits.size();
    if expected.len() < 2 {
        return Err(unfit(metric, "logits", format!("its shape is {expected:?}, expected [n, classes]")));
    }
    let classes = expected.remove(1);
    if target.size() != expected {
        let mut why = format!("its shape is {:?}, expected {expected:?} as `logits` has", target.size());
        if logits.size()[..logits.dim() - 1] == target.size()[..] {
            why.push_str("; the classes of `logits` are its dimension 1: use `.transpose(1, -1)`");
        }
        return Err(unfit(metric, "target", why));
    }
    if target.kind() != Kind::Int64 {
        let why = format!("its kind is {:?}, expected Int64: one class for each sample", target.kind());
        return Err(unfit(metric, "target", why));
    }
    Ok(Classified { logits, target, classes })
}

fn unfit(metric: &str, tensor: &str, why: String) -> MetricError {
    MetricError::Unfit { metric: metric.to_owned(), tensor: tensor.to_owned(), why }
}

impl Classified<'_> {
    /// The targets, of which those that equal `ignore_index` are to be left out.
    pub(super) fn targets(&self, ignore_index: Option<i64>) -> Result<Targets, TchError> {
        let target = self.target.f_to_device(self.logits.device())?;
        let ignored = ignored(&target, ignore_index)?;
        let outside = target.f_lt(0)?.f_logical_or(&target.f_ge(self.classes)?)?;
        let strange = outside.f_logical_and(&ignored.f_logical_not()?)?;
        Ok(Targets { target, strange, ignored })
    }

    /// The number of each class, in a shape that fits `logits`: `[1, classes, 1, …]`.
    pub(super) fn indices(&self) -> Result<Tensor, TchError> {
        let mut shape = vec![1; self.logits.dim()];
        shape[1] = self.classes;
        Tensor::f_arange(self.classes, (Kind::Int64, self.logits.device()))?.f_reshape(shape)
    }

    /// The predicted class `[n, …]`: the lowest one among the highest logits. Where a logit is NaN nothing equals the
    /// highest one, and the result is `classes`.
    pub(super) fn predicted(&self) -> Result<Tensor, TchError> {
        let highest = self.logits.f_eq_tensor(&self.logits.f_amax([1i64], true)?)?;
        let index = self.indices()?.f_expand_as(self.logits)?;
        index.f_masked_fill(&highest.f_logical_not()?, self.classes)?.f_amin([1i64], false)
    }
}

impl Labelled {
    /// As for classes; a label is strange when it is neither 0 nor 1.
    pub(super) fn targets(&self, ignore_index: Option<i64>) -> Result<Targets, TchError> {
        let ignored = ignored(&self.target, ignore_index)?;
        let known = self.target.f_eq(0)?.f_logical_or(&self.target.f_eq(1)?)?.f_logical_or(&ignored)?;
        Ok(Targets { target: self.target.shallow_clone(), strange: known.f_logical_not()?, ignored })
    }
}

fn ignored(target: &Tensor, ignore_index: Option<i64>) -> Result<Tensor, TchError> {
    match ignore_index {
        Some(index) => target.f_eq(index),
        None => target.f_zeros_like()?.f_to_kind(Kind::Bool),
    }
}

/// Targets that are no class, as an error of `compute`.
pub(super) fn no_class(metric: &str, strange: i64) -> MetricError {
    let why = format!("{strange} targets are not a class of `logits`; set `ignore_index` to leave them out");
    MetricError::Data { metric: metric.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    fn output(logits: &[i64], target: &[i64], kind: Kind) -> Output {
        let zeros = |shape: &[i64], kind| Tensor::zeros(shape, (kind, Device::Cpu));
        Output::new(Tensor::from(0.5))
            .tensor("logits", &zeros(logits, Kind::Float))
            .tensor("target", &zeros(target, kind))
    }

    #[test]
    fn a_misfit_shape_or_kind_is_said() {
        let refused = |logits: &[i64], target: &[i64], kind| {
            classified("accuracy", &output(logits, target, kind)).err().unwrap().to_string()
        };
        assert!(refused(&[4], &[4], Kind::Int64).ends_with("its shape is [4], expected [n, classes]"));
        assert!(refused(&[4, 3], &[5], Kind::Int64).ends_with("its shape is [5], expected [4] as `logits` has"));
        assert!(refused(&[4, 3], &[4], Kind::Float).contains("its kind is Float, expected Int64"));
        let last = refused(&[2, 7, 3], &[2, 7], Kind::Int64);
        assert!(
            last.ends_with(
                "expected [2, 3] as `logits` has; the classes of `logits` are its dimension 1: use `.transpose(1, -1)`"
            ),
            "{last}"
        );
    }

    #[test]
    fn labels_have_the_shape_of_their_logits() {
        let labels = |shape: &[i64]| match scored("auroc", &output(shape, shape, Kind::Float)) {
            Ok(Scored::Labels(batch)) => Ok(batch.logits.size()),
            Ok(Scored::Classes(_)) => panic!("{shape:?} are labels"),
            Err(error) => Err(error.to_string()),
        };
        assert_eq!(labels(&[4]), Ok(vec![4, 1]));
        assert_eq!(labels(&[4, 3]), Ok(vec![4, 3]));
        assert_eq!(labels(&[2, 3, 5, 7]), Ok(vec![70, 3]));
        assert!(labels(&[2, 3, 5]).unwrap_err().contains("expected [n], [n, labels]"));
        assert!(matches!(scored("auroc", &output(&[2, 3], &[2], Kind::Int64)), Ok(Scored::Classes(_))));
    }
}

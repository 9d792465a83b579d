//! Why a metric can't be computed.

use crate::base::output::Output;
use crate::base::suggest::did_you_mean;
use tch::{Kind, TchError, Tensor};

/// Every error names the metric.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The step's output lacks a tensor.
    #[error(
        "metric `{metric}` needs the tensor `{wanted}`, and the step's output has {}; {}",
        list(found),
        mend(wanted, found)
    )]
    MissingTensor {
        /// The metric.
        metric: String,
        /// The missing tensor.
        wanted: String,
        /// The tensors that the output has.
        found: Vec<String>,
    },
    /// A tensor of the output does not have the shape or kind that the metric needs.
    #[error("metric `{metric}` can't read the tensor `{tensor}`: {why}")]
    Unfit {
        /// The metric.
        metric: String,
        /// The tensor.
        tensor: String,
        /// What was found and what is expected.
        why: String,
    },
    /// There was no batch.
    #[error(
        "metric `{metric}` has no value: it saw no batch, or only batches of weight 0; look at the loader's data and at the weights of its batches"
    )]
    NoBatch {
        /// The metric.
        metric: String,
    },
    /// The data contain something that can't be measured.
    #[error("metric `{metric}`: {why}")]
    Data {
        /// The metric.
        metric: String,
        /// What was found.
        why: String,
    },
}

fn list(found: &[String]) -> String {
    match found {
        [] => "no tensors".to_owned(),
        _ => found.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

fn mend(wanted: &str, found: &[String]) -> String {
    match did_you_mean(wanted, found.iter().map(String::as_str)) {
        Some(near) => format!("rename `{near}` to `{wanted}`"),
        None => format!("add it with `Output::tensor(\"{wanted}\", &{wanted})`"),
    }
}

/// The tensor of an output by its name.
pub(super) fn tensor<'a>(metric: &str, output: &'a Output, wanted: &str) -> Result<&'a Tensor, MetricError> {
    output.get(wanted).ok_or_else(|| MetricError::MissingTensor {
        metric: metric.to_owned(),
        wanted: wanted.to_owned(),
        found: output.tensor_names().map(str::to_owned).collect(),
    })
}

/// `logits` `[n, c]` and `target` `[n]`, checked for their shapes; with n and c.
pub(super) fn logits_and_target<'a>(metric: &str, output: &'a Output) -> Result<Classified<'a>, MetricError> {
    let (logits, target) = (tensor(metric, output, "logits")?, tensor(metric, output, "target")?);
    let unfit = |tensor: &str, why| MetricError::Unfit { metric: metric.to_owned(), tensor: tensor.to_owned(), why };
    let (n, classes) = match logits.size()[..] {
        [n, classes] => (n, classes),
        _ => return Err(unfit("logits", format!("its shape is {:?}, expected [n, classes]", logits.size()))),
    };
    if target.size() != [n] {
        return Err(unfit("target", format!("its shape is {:?}, expected [{n}] as `logits` has", target.size())));
    }
    if target.kind() != Kind::Int64 {
        return Err(unfit(
            "target",
            format!("its kind is {:?}, expected Int64: one class for each sample", target.kind()),
        ));
    }
    Ok(Classified { logits, target, classes })
}

/// A batch that was classified.
pub(super) struct Classified<'a> {
    /// `[n, classes]`
    pub(super) logits: &'a Tensor,
    /// `[n]`
    pub(super) target: &'a Tensor,
    pub(super) classes: i64,
}

/// The targets of a batch, on the logits' device.
pub(super) struct Targets {
    /// `[n]`, as they are.
    pub(super) target: Tensor,
    /// `[n]`: which are no class, and not to be left out either.
    pub(super) strange: Tensor,
    /// `[n]`: which are to be left out.
    pub(super) ignored: Tensor,
}

impl Classified<'_> {
    /// The targets, of which those that equal `ignore_index` are to be left out.
    pub(super) fn targets(&self, ignore_index: Option<i64>) -> Result<Targets, TchError> {
        let target = self.target.f_to_device(self.logits.device())?;
        let ignored = match ignore_index {
            Some(index) => target.f_eq(index)?,
            None => target.f_zeros_like()?.f_to_kind(Kind::Bool)?,
        };
        let outside = target.f_lt(0)?.f_logical_or(&target.f_ge(self.classes)?)?;
        let strange = outside.f_logical_and(&ignored.f_logical_not()?)?;
        Ok(Targets { target, strange, ignored })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn a_missing_tensor_is_named_with_those_that_are_there_and_the_mend() {
        let number = || Tensor::from(0.5);
        let refused = |output: &Output| tensor("accuracy", output, "logits").unwrap_err().to_string();
        assert_eq!(
            refused(&Output::new(number())),
            "metric `accuracy` needs the tensor `logits`, and the step's output has no tensors; add it with `Output::tensor(\"logits\", &logits)`"
        );
        assert_eq!(
            refused(&Output::new(number()).tensor("target", &number()).tensor("logit", &number())),
            "metric `accuracy` needs the tensor `logits`, and the step's output has `target`, `logit`; rename `logit` to `logits`"
        );
    }

    #[test]
    fn a_misfit_shape_or_kind_is_said() {
        let zeros = |shape: &[i64], kind| Tensor::zeros(shape, (kind, Device::Cpu));
        let refused = |logits: &[i64], target: &[i64], kind| {
            let output = Output::new(Tensor::from(0.5))
                .tensor("logits", &zeros(logits, Kind::Float))
                .tensor("target", &zeros(target, kind));
            logits_and_target("accuracy", &output).err().unwrap().to_string()
        };
        assert!(refused(&[4], &[4], Kind::Int64).ends_with("its shape is [4], expected [n, classes]"));
        assert!(refused(&[4, 3], &[5], Kind::Int64).ends_with("its shape is [5], expected [4] as `logits` has"));
        assert!(refused(&[4, 3], &[4], Kind::Float).contains("its kind is Float, expected Int64"));
    }
}

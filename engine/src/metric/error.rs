//! Why a metric can't be computed.

use crate::base::output::Output;
use crate::base::suggest::did_you_mean;
use tch::Tensor;

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
    /// The step's output lacks texts.
    #[error(
        "metric `{metric}` needs the texts `{wanted}`, and the step's output has {}; add them with `Output::texts(\"{wanted}\", {wanted})`",
        list_texts(found)
    )]
    MissingTexts {
        /// The metric.
        metric: String,
        /// The missing texts.
        wanted: String,
        /// The texts that the output has.
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

fn list_texts(found: &[String]) -> String {
    if found.is_empty() { "no texts".to_owned() } else { list(found) }
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

/// Two tensors of one shape, and on one device, which is that of the first.
pub(super) fn pair(metric: &str, output: &Output, names: [&str; 2]) -> Result<(Tensor, Tensor), MetricError> {
    let (one, other) = (tensor(metric, output, names[0])?, tensor(metric, output, names[1])?);
    let unfit = |why| MetricError::Unfit { metric: metric.to_owned(), tensor: names[1].to_owned(), why };
    if one.size() != other.size() {
        return Err(unfit(format!("its shape is {:?}, expected {:?} as `{}` has", other.size(), one.size(), names[0])));
    }
    let other = other.f_to_device(one.device()).map_err(|error| unfit(error.to_string()))?;
    Ok((one.shallow_clone(), other))
}

/// The texts of an output by their name.
pub(super) fn texts<'a>(metric: &str, output: &'a Output, wanted: &str) -> Result<&'a [String], MetricError> {
    output.get_texts(wanted).ok_or_else(|| MetricError::MissingTexts {
        metric: metric.to_owned(),
        wanted: wanted.to_owned(),
        found: output.text_names().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
}

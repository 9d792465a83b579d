//! Metrics over outputs that were written before: no model is asked.

use crate::base::{Error, ErrorContext as _, Output, Result};
use crate::dist::Process;
use crate::metric::MetricError;
use crate::trainer::run::program::{build_on, prepare};
use crate::trainer::{Build, Experiment};
use std::collections::BTreeMap;

/// What metrics say of written outputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offline {
    /// The values, in the order of the metrics.
    pub values: Vec<(String, f64)>,
    /// Metrics that could not be computed, by the name of their first value, with the reason: what they read is not
    /// among the outputs.
    pub left_out: Vec<(String, String)>,
}

/// The metrics of an experiment and of its trainer over outputs, each with the number of its samples. No loader is
/// opened and no weights are loaded.
///
/// # Errors
/// When an output can't be had, or no metric finds what it reads; when a metric fails for another reason.
pub fn run_offline<T: Build>(
    experiment: Experiment<T>,
    outputs: impl Iterator<Item = Result<(Output, usize)>>,
) -> Result<Offline> {
    let device = prepare(&experiment, &Process::Alone)?;
    let mut program = build_on(device, experiment, &[])?;
    let mut left_out: BTreeMap<usize, (String, String)> = BTreeMap::new();
    let mut begin = 0;
    for output in outputs {
        let (output, samples) = output?;
        let mut place = 0;
        program.each_metric(&mut |metric| {
            place += 1;
            if left_out.contains_key(&place) {
                return Ok(());
            }
            output.take_missed();
            let updated = metric.update(&output, samples);
            let name = || metric.measures().into_iter().next().map_or_else(String::new, |measure| measure.name);
            match updated {
                Err(error) if lacks_something(&error, &output) => {
                    left_out.insert(place, (name(), error.to_string()));
                    Ok(())
                }
                result => result.with_context(|| {
                    format!("`{}` can't be computed over {}: {}", name(), numbers(begin, samples), contents(&output))
                }),
            }
        })?;
        begin += samples;
    }
    let (mut values, mut place) = (Vec::new(), 0);
    program.each_metric(&mut |metric| {
        place += 1;
        if !left_out.contains_key(&place) {
            values.extend(metric.compute()?);
        }
        Ok(())
    })?;
    let left_out: Vec<(String, String)> = left_out.into_values().collect();
    match (values.is_empty(), &left_out[..]) {
        (true, []) => Err(Error::msg("there is no metric to compute; name some in `metrics`")),
        (true, [(_, why), ..]) => Err(Error::msg(format!("no metric finds what it reads: {why}"))),
        _ => Ok(Offline { values, left_out }),
    }
}

/// Which samples, counted from 0 as `predict` does: `sample 3`, `samples 0 to 255`.
fn numbers(begin: usize, samples: usize) -> String {
    match samples {
        0 | 1 => format!("sample {begin}"),
        _ => format!("samples {begin} to {}", begin + samples - 1),
    }
}

/// What the samples have: `logits` is Float [1, 9].
fn contents(output: &Output) -> String {
    let tensors = output.tensor_names().filter_map(|name| {
        let tensor = output.get(name)?;
        Some(format!("`{name}` is {:?} {:?}", tensor.kind(), tensor.size()))
    });
    let texts = output.text_names().map(|name| format!("`{name}` is texts"));
    tensors.chain(texts).collect::<Vec<_>>().join(", ")
}

/// Whether a metric has failed because it misses a tensor, a text or the loss. The errors of a program's own metrics may be
/// anything; the output knows what was asked for.
fn lacks_something(error: &Error, output: &Output) -> bool {
    match error.downcast_ref::<MetricError>() {
        Some(error) => matches!(error, MetricError::MissingTensor { .. } | MetricError::MissingTexts { .. }),
        None => output.take_missed(),
    }
}

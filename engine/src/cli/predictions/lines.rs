//! `predictions.jsonl`: one object for each sample, its values in the order in which the step names them.

use crate::base::disk::DiskContext as _;
use crate::base::{Prediction, Result};
use crate::cli::target::Target;
use std::io::Write as _;
use std::path::Path;
use tch::{Kind, Tensor};

/// The file while it is being written.
pub(super) struct LinePredictions {
    target: Target,
    written: u64,
}

impl LinePredictions {
    /// Opens the file.
    ///
    /// # Errors
    /// When it can't be made.
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(LinePredictions { target: Target::create(path)?, written: 0 })
    }

    /// Adds one line for each sample of a batch.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn write(&mut self, prediction: &Prediction, samples: usize) -> Result<()> {
        for sample in 0..samples {
            let line = line(self.written, prediction, sample)?;
            writeln!(self.target.open, "{line}").while_trying("write", &self.target.path)?;
            self.written += 1;
        }
        Ok(())
    }

    /// Gives the file its name, and back the number of its lines.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn finish(self) -> Result<u64> {
        self.target.finish()?;
        Ok(self.written)
    }
}

/// One object as a line of JSON. Written by hand because a map of `serde_json` sorts its keys.
fn line(index: u64, prediction: &Prediction, sample: usize) -> Result<String> {
    let mut line = format!("{{\"index\":{index}");
    let mut add = |name: &str, value: &serde_json::Value| -> Result<()> {
        line.push_str(&format!(",{}:{value}", serde_json::to_string(name)?));
        Ok(())
    };
    for (name, texts) in prediction.named_texts() {
        if let Some(text) = texts.get(sample) {
            add(name, &text.as_str().into())?;
        }
    }
    for (name, tensor) in prediction.named_tensors() {
        if sample < first_dimension(tensor) {
            let item = if tensor.dim() == 0 { tensor.shallow_clone() } else { tensor.f_get(sample as i64)? };
            add(name, &json(&item)?)?;
        }
    }
    line.push('}');
    Ok(line)
}

/// A tensor as nested lists. Integers stay integers; what JSON has no number for is `null`.
fn json(tensor: &Tensor) -> Result<serde_json::Value> {
    if tensor.dim() > 0 {
        let rows = (0..first_dimension(tensor)).map(|row| json(&tensor.f_get(row as i64)?));
        return rows.collect::<Result<Vec<_>>>().map(serde_json::Value::Array);
    }
    Ok(match tensor.kind() {
        Kind::Bool => (i64::try_from(tensor)? != 0).into(),
        Kind::Int64 | Kind::Int | Kind::Int16 | Kind::Int8 | Kind::Uint8 => i64::try_from(tensor)?.into(),
        _ => f64::try_from(tensor.f_to_kind(Kind::Double)?)?.into(),
    })
}

/// The samples of a tensor of a prediction; a 0-d one is of one sample.
pub(super) fn first_dimension(tensor: &Tensor) -> usize {
    tensor.size().first().map_or(1, |first| *first as usize)
}

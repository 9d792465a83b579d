//! `predictions.jsonl`: one object for each sample, its values in the order in which the step names them.

use crate::base::disk::{DiskContext as _, make_folder, parent, sync_folder};
use crate::base::temporary::{self, Temporary};
use crate::base::{Error, Prediction, Result};
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

/// The file while it is being written: under a temporary name until it is complete, and gone when it never is.
pub(super) struct Predictions {
    open: BufWriter<Temporary>,
    path: PathBuf,
    written: u64,
}

impl Predictions {
    /// Opens the file.
    pub(super) fn create(path: &Path) -> Result<Self> {
        make_folder(parent(path))?;
        if path.is_dir() {
            return Err(Error::msg(format!("`{}` is a folder; give the path of the file to write", path.display())));
        }
        // a link stands for what it leads to, and what is no file is not replaced by one
        let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            return Err(Error::msg(format!(
                "`{}` is a device or pipe; give the path of the file to write",
                path.display()
            )));
        }
        // what a killed command has left of this file
        temporary::clean(parent(path), path.file_name().and_then(|name| name.to_str()));
        let file = Temporary::of(path).while_trying("write", path)?;
        Ok(Predictions { open: BufWriter::new(file), path: path.into(), written: 0 })
    }

    /// Adds one line for each sample of a batch.
    pub(super) fn write(&mut self, prediction: &Prediction) -> Result<()> {
        let of_tensors = prediction.named_tensors().iter().map(|(_, tensor)| first_dimension(tensor));
        let of_texts = prediction.named_texts().iter().map(|(_, texts)| texts.len());
        let samples = of_tensors.chain(of_texts).max().unwrap_or(0);
        for sample in 0..samples {
            let line = line(self.written, prediction, sample)?;
            writeln!(self.open, "{line}").while_trying("write", &self.path)?;
            self.written += 1;
        }
        Ok(())
    }

    /// Gives the file its name, and back the number of its lines.
    pub(super) fn finish(self) -> Result<u64> {
        let whole = self.open.into_inner().map_err(IntoInnerError::into_error);
        whole.and_then(Temporary::put_in_place).while_trying("write", &self.path)?;
        sync_folder(parent(&self.path))?;
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

fn first_dimension(tensor: &Tensor) -> usize {
    tensor.size().first().map_or(1, |first| *first as usize)
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

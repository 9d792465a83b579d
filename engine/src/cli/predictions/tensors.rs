//! Predictions as one `.safetensors` file: each named tensor of all samples, `[samples, …]`, with its kind; texts as lists of
//! JSON in the notes of the file.

use crate::base::disk::DiskContext as _;
use crate::base::{Error, ErrorContext as _, Output, Prediction, Result};
use crate::checkpoint::{TensorFile, write_tensors};
use crate::cli::target::Target;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use tch::{Device, Kind, Tensor};

/// What the notes of texts begin with.
const TEXTS: &str = "texts.";

/// Samples in a batch that is read, at most.
const BATCH: i64 = 256;

/// The file while predictions are made: it is written at their end, and they are in memory until then.
pub(super) struct TensorPredictions {
    target: Target,
    tensors: Vec<(&'static str, Vec<Tensor>)>,
    texts: Vec<(&'static str, Vec<String>)>,
    written: u64,
}

impl TensorPredictions {
    /// Makes a temporary file in its place.
    ///
    /// # Errors
    /// When it can't be made.
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(TensorPredictions { target: Target::create(path)?, tensors: Vec::new(), texts: Vec::new(), written: 0 })
    }

    /// Keeps a batch.
    ///
    /// # Errors
    /// When a tensor has another shape or kind than that of the batches before, or is not in every batch.
    pub(super) fn write(&mut self, prediction: &Prediction, samples: usize) -> Result<()> {
        let is_first = self.written == 0;
        let known = self.tensors.len() + self.texts.len();
        let parts = prediction.named_tensors().len() + prediction.named_texts().len();
        if !is_first && known != parts {
            return Err(Error::msg(format!(
                "a batch has {parts} named parts and those before it have {known}: a file of tensors needs the same in all; write `.jsonl`"
            )));
        }
        let missing =
            |name: &str| Error::msg(format!("`{name}` of the prediction is not in the batches before; write `.jsonl`"));
        for (name, tensor) in prediction.named_tensors() {
            let tensor = tensor.f_to_device(Device::Cpu)?;
            let tensor = if tensor.dim() == 0 { tensor.f_reshape([1])? } else { tensor };
            if is_first {
                self.tensors.push((name, vec![tensor]));
                continue;
            }
            let (_, all) = self.tensors.iter_mut().find(|(known, _)| known == name).ok_or_else(|| missing(name))?;
            if all[0].size()[1..] != tensor.size()[1..] || all[0].kind() != tensor.kind() {
                return Err(Error::msg(format!(
                    "`{name}` of the prediction is {:?} {:?} in a batch and {:?} {:?} before it: a file of tensors needs one shape and kind; write `.jsonl`, or pad them",
                    tensor.kind(),
                    &tensor.size()[1..],
                    all[0].kind(),
                    &all[0].size()[1..]
                )));
            }
            all.push(tensor);
        }
        for (name, texts) in prediction.named_texts() {
            match self.texts.iter_mut().find(|(known, _)| known == name) {
                Some((_, all)) => all.extend(texts.iter().cloned()),
                None if is_first => self.texts.push((name, texts.clone())),
                None => return Err(missing(name)),
            }
        }
        self.written += samples as u64;
        Ok(())
    }

    /// Writes the file, and gives back the number of its samples.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn finish(mut self) -> Result<u64> {
        let joined = |(name, parts): &(&'static str, Vec<Tensor>)| Ok((*name, Tensor::f_cat(parts, 0)?));
        let tensors = self.tensors.iter().map(joined).collect::<Result<Vec<(&str, Tensor)>>>()?;
        let tensors: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
        let texts =
            self.texts.iter().map(|(name, texts)| Ok((format!("{TEXTS}{name}"), serde_json::to_string(texts)?)));
        let mut notes = texts.collect::<Result<Vec<(String, String)>>>()?;
        notes.push(("samples".to_owned(), self.written.to_string()));
        notes.sort();
        write_tensors(&mut self.target.open, &tensors, &notes).while_trying("write", &self.target.path)?;
        self.target.open.flush().while_trying("write", &self.target.path)?;
        self.target.finish()?;
        Ok(self.written)
    }
}

/// The outputs in such a file, each with the number of its samples.
///
/// # Errors
/// When it can't be read, or its tensors and texts have not the same number of samples.
pub(super) fn read(path: &Path) -> Result<impl Iterator<Item = Result<(Output, usize)>> + use<>> {
    let file = TensorFile::open(path)?;
    // names live as long as the process: a file has few
    let leaked = |name: &str| -> &'static str { String::leak(name.to_owned()) };
    let tensors = file.tensors().iter().map(|place| Ok((leaked(&place.name), computable(file.read(place)?)?)));
    let tensors = tensors.collect::<Result<Vec<(&'static str, Tensor)>>>()?;
    let mut texts: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (key, note) in file.notes() {
        if let Some(name) = key.strip_prefix(TEXTS) {
            let list = serde_json::from_str(note).with_context(|| {
                format!("the texts `{name}` in `{}` are not a list of texts in JSON", path.display())
            })?;
            texts.insert(leaked(name), list);
        }
    }
    let of_tensors = tensors.iter().map(|(name, tensor)| (*name, tensor.size().first().copied().unwrap_or(1)));
    let counts: Vec<(&str, i64)> =
        of_tensors.chain(texts.iter().map(|(name, texts)| (*name, texts.len() as i64))).collect();
    let Some((first, samples)) = counts.first().copied() else {
        return Err(Error::msg(format!("`{}` has no predictions", path.display())));
    };
    if let Some((other, count)) = counts.iter().find(|(_, count)| *count != samples) {
        return Err(Error::msg(format!(
            "`{}` has {samples} samples of `{first}` and {count} of `{other}`; the first dimension of each tensor is the samples",
            path.display()
        )));
    }
    let batches = (0..samples).step_by(BATCH as usize);
    Ok(batches.map(move |begin| {
        let count = BATCH.min(samples - begin);
        let mut output = Output::without_loss();
        for (name, tensor) in &tensors {
            let tensor = if tensor.dim() == 0 { tensor.f_reshape([1])? } else { tensor.f_narrow(0, begin, count)? };
            output = output.tensor(name, &tensor);
        }
        for (name, texts) in &texts {
            output = output.texts(name, texts[begin as usize..(begin + count) as usize].to_vec());
        }
        Ok((output, count as usize))
    }))
}

/// Eight-bit floats as single precision, which holds them exactly: libtorch only stores them.
fn computable(tensor: Tensor) -> Result<Tensor> {
    match tensor.kind() {
        Kind::Float8e4m3fn | Kind::Float8e5m2 => Ok(tensor.f_to_kind(Kind::Float)?),
        _ => Ok(tensor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(first: i64, count: i64) -> Prediction {
        let numbers = Tensor::arange_start(first, first + count, (Kind::Int64, Device::Cpu));
        let names = (first..first + count).map(|number| format!("\"{number}\"\n")).collect();
        let half = (numbers.unsqueeze(-1) * Tensor::from_slice(&[0.5f32, f32::NAN])).to_kind(Kind::Half);
        Prediction::new().tensor("number", &numbers).tensor("half", &half).texts("name", names)
    }

    #[test]
    fn what_is_written_is_read_back_in_batches_to_the_bit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("predictions.safetensors");
        let mut out = TensorPredictions::create(&path).unwrap();
        out.write(&batch(0, 300), 300).unwrap();
        out.write(&batch(300, 7), 7).unwrap();
        assert!(!path.exists());
        assert_eq!(out.finish().unwrap(), 307);
        let read: Vec<(Output, usize)> = read(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!(read.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [256, 51]);
        let last = &read[1].0;
        assert_eq!(Vec::<i64>::try_from(last.get("number").unwrap()).unwrap(), (256..307).collect::<Vec<_>>());
        assert_eq!(
            (last.get("half").unwrap().kind(), last.get_texts("name").unwrap()[50].as_str()),
            (Kind::Half, "\"306\"\n")
        );
        assert_eq!(last.get("half").unwrap().double_value(&[50, 0]), 153.0);
        // other programs find the tensors by their names
        let whole = Tensor::read_safetensors(&path).unwrap();
        assert!(whole.iter().any(|(name, tensor)| name == "number" && tensor.size() == [307]));
    }

    #[test]
    fn eight_bit_floats_are_read_as_numbers_that_can_be_computed_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("predictions.safetensors");
        let values = [0.5f32, -1.75, 448.0];
        let tensor = Tensor::from_slice(&values).to_kind(Kind::Float8e4m3fn);
        let mut bytes = Vec::new();
        write_tensors(&mut bytes, &[("score", &tensor)], &[]).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let (output, _) = read(&path).unwrap().next().unwrap().unwrap();
        assert_eq!(Vec::<f32>::try_from(output.get("score").unwrap()).unwrap(), values);
    }

    #[test]
    fn batches_that_do_not_fit_each_other_are_refused_and_leave_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("predictions.safetensors");
        let refused = |second: Prediction| {
            let mut out = TensorPredictions::create(&path).unwrap();
            out.write(&Prediction::new().tensor("boxes", &Tensor::zeros([2, 3, 4], (Kind::Float, Device::Cpu))), 2)
                .unwrap();
            out.write(&second, 1).unwrap_err().to_string()
        };
        let zeros = |size: &[i64], kind| Tensor::zeros(size, (kind, Device::Cpu));
        let error = refused(Prediction::new().tensor("boxes", &zeros(&[1, 5, 4], Kind::Float)));
        assert!(
            error.starts_with("`boxes` of the prediction is Float [5, 4] in a batch and Float [3, 4] before it"),
            "{error}"
        );
        assert!(
            refused(Prediction::new().tensor("boxes", &zeros(&[1, 3, 4], Kind::Double))).contains("is Double [3, 4]")
        );
        assert!(
            refused(Prediction::new().tensor("masks", &zeros(&[1], Kind::Float)))
                .contains("`masks` of the prediction is not in")
        );
        assert!(refused(Prediction::new()).contains("a batch has 0 named parts and those before it have 1"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_whose_parts_have_other_numbers_of_samples_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.safetensors");
        let write = |tensors: &[(&str, Tensor)], notes: &[(&str, &str)]| {
            let tensors: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
            let notes: Vec<(String, String)> =
                notes.iter().map(|(key, text)| ((*key).into(), (*text).into())).collect();
            let mut bytes = Vec::new();
            write_tensors(&mut bytes, &tensors, &notes).unwrap();
            std::fs::write(&path, bytes).unwrap();
            read(&path).map(|_| ()).map_err(|error| format!("{error:#}"))
        };
        let (three, two) = (Tensor::from_slice(&[1.0f32, 2.0, 3.0]), Tensor::from_slice(&[1.0f32, 2.0]));
        let error = write(&[("a", three.shallow_clone()), ("b", two)], &[]).unwrap_err();
        assert!(error.contains("has 3 samples of `a` and 2 of `b`"), "{error}");
        assert!(write(&[], &[]).unwrap_err().contains("has no predictions"));
        let error = write(&[("a", three)], &[("texts.t", "[1]")]).unwrap_err();
        assert!(error.contains("the texts `t` in `") && error.contains("are not a list of texts in JSON"), "{error}");
        std::fs::write(&path, "nonsense").unwrap();
        assert!(read(&path).is_err());
    }
}

//! Outputs of single samples, taken out of that of a batch and put together again.

use super::Output;
use crate::base::error::{Error, Result};
use crate::base::scalar::Scalar;
use tch::{Kind, Tensor};

impl Output {
    /// The tensors and texts of one of `samples` samples, as the output of a batch of one: `[1, …]`. Loss and values belong
    /// to the whole batch and are left out.
    ///
    /// # Errors
    /// When a tensor or the texts have not one entry for each sample.
    pub fn case(&self, index: usize, samples: usize) -> Result<Output> {
        let mut case = Output::without_loss();
        for (name, tensor) in &self.tensors {
            if tensor.size().first() != Some(&(samples as i64)) || index >= samples {
                return Err(Error::msg(format!(
                    "the tensor `{name}` of the output has the shape {:?}, and case {index} of a batch of {samples} is asked for; its first dimension has to be the samples",
                    tensor.size()
                )));
            }
            case.tensors.push((name, tensor.f_narrow(0, index as i64, 1)?));
        }
        for (name, texts) in &self.texts {
            let text = texts.get(index).filter(|_| texts.len() == samples).ok_or_else(|| {
                Error::msg(format!(
                    "the output has {} texts `{name}`, and the batch has {samples} samples",
                    texts.len()
                ))
            })?;
            case.texts.push((name, vec![text.clone()]));
        }
        Ok(case)
    }

    /// The output of a batch of which these are the single cases: losses and values are averaged, with the same weight for
    /// each case, tensors `[1, …]` and texts follow each other. Nothing is read from the device.
    ///
    /// # Errors
    /// When there is no case, or the cases have not the same parts in the same shapes.
    pub fn joined(cases: Vec<Output>) -> Result<Output> {
        let Some(first) = cases.first() else {
            return Err(Error::msg("there is no case whose output could be joined"));
        };
        let differ = || Error::msg("the outputs of two cases have not the same loss, values, tensors and texts");
        let mut joined = Output::without_loss();
        if first.loss.is_some() {
            let losses = cases.iter().map(|case| case.loss.as_ref().map(Scalar::from).ok_or_else(differ));
            joined.loss = Some(tensor_of(&mean(&losses.collect::<Result<Vec<_>>>()?)?)?);
        }
        for (place, (name, _)) in first.values.iter().enumerate() {
            let of =
                |case: &Output| case.values.get(place).filter(|(same, _)| same == name).map(|(_, value)| value.clone());
            let values = cases.iter().map(|case| of(case).ok_or_else(differ)).collect::<Result<Vec<_>>>()?;
            joined.values.push((name, mean(&values)?));
        }
        for (place, (name, _)) in first.tensors.iter().enumerate() {
            let of = |case: &Output| {
                case.tensors.get(place).filter(|(same, _)| same == name).map(|(_, tensor)| tensor.shallow_clone())
            };
            let tensors = cases.iter().map(|case| of(case).ok_or_else(differ)).collect::<Result<Vec<_>>>()?;
            joined.tensors.push((name, Tensor::f_cat(&tensors, 0)?));
        }
        for (place, (name, _)) in first.texts.iter().enumerate() {
            let of =
                |case: &Output| case.texts.get(place).filter(|(same, _)| same == name).map(|(_, texts)| texts.clone());
            let texts = cases.iter().map(|case| of(case).ok_or_else(differ)).collect::<Result<Vec<_>>>()?;
            joined.texts.push((name, texts.concat()));
        }
        let parts =
            |output: &Output| (output.loss.is_some(), output.values.len(), output.tensors.len(), output.texts.len());
        match cases.iter().all(|case| parts(case) == parts(first)) {
            true => Ok(joined),
            false => Err(differ()),
        }
    }
}

/// The mean of numbers. Those on a device stay there.
fn mean(values: &[Scalar]) -> Result<Scalar> {
    let numbers: Option<Vec<f64>> = values
        .iter()
        .map(|value| match value {
            Scalar::Number(number) => Some(*number),
            Scalar::Lazy(_) => None,
        })
        .collect();
    match numbers {
        Some(numbers) => Ok(Scalar::Number(numbers.iter().sum::<f64>() / numbers.len() as f64)),
        None => {
            let device = values.iter().find_map(|value| match value {
                Scalar::Lazy(tensor) => Some(tensor.device()),
                Scalar::Number(_) => None,
            });
            let tensors = values.iter().map(|value| {
                let tensor = tensor_of(value)?.f_reshape([])?;
                Ok(device.map_or(Ok(tensor.shallow_clone()), |device| tensor.f_to_device(device))?)
            });
            let all = Tensor::f_stack(&tensors.collect::<Result<Vec<_>>>()?, 0)?;
            let all = if all.is_floating_point() { all } else { all.f_to_kind(Kind::Float)? };
            Ok(Scalar::Lazy(all.f_mean(all.kind())?))
        }
    }
}

fn tensor_of(value: &Scalar) -> Result<Tensor> {
    Ok(match value {
        Scalar::Number(number) => Tensor::f_from_slice(&[*number as f32])?.f_reshape([])?,
        Scalar::Lazy(tensor) => tensor.shallow_clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::try_from(tensor.to_kind(Kind::Double).reshape([-1])).unwrap()
    }

    #[test]
    fn cases_joined_again_are_the_batch_and_means_of_their_values() {
        let rows = Tensor::arange(6, (Kind::Float, Device::Cpu)).reshape([3, 2]);
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let whole = Output::new(Tensor::from(9.0)).tensor("rows", &rows).texts("name", names.clone());
        let cases = (0..3).map(|index| {
            let case = whole.case(index, 3).unwrap();
            assert!(!case.has_loss() && case.get("rows").unwrap().size() == [1, 2]);
            let sum = case.get("rows").unwrap().sum(Kind::Float);
            Output::new(sum.shallow_clone())
                .value("sum", &sum)
                .value("index", index as f64)
                .tensor("rows", case.get("rows").unwrap())
                .texts("name", case.get_texts("name").unwrap().to_vec())
        });
        let joined = Output::joined(cases.collect()).unwrap();
        assert_eq!(numbers(joined.loss().unwrap()), [5.0]);
        let values: Vec<f64> = joined.values().iter().map(|(_, value)| value.read().unwrap()).collect();
        assert_eq!(values, [5.0, 1.0]);
        assert_eq!(numbers(joined.get("rows").unwrap()), numbers(&rows));
        assert_eq!(joined.get_texts("name").unwrap(), names);
    }

    #[test]
    fn what_does_not_belong_to_samples_and_cases_of_other_parts_are_refused() {
        let output = Output::without_loss().tensor("table", &Tensor::zeros([5, 2], (Kind::Float, Device::Cpu)));
        let error = output.case(0, 3).unwrap_err().to_string();
        assert!(
            error.starts_with("the tensor `table` of the output has the shape [5, 2], and case 0 of a batch of 3"),
            "{error}"
        );
        assert!(output.case(5, 5).is_err());
        let error = Output::without_loss().texts("t", vec![String::new()]).case(0, 3).unwrap_err().to_string();
        assert_eq!(error, "the output has 1 texts `t`, and the batch has 3 samples");
        assert!(Output::joined(Vec::new()).is_err());
        let with = |name: &'static str| Output::without_loss().value(name, 1.0);
        for other in [
            with("b"),
            Output::without_loss(),
            with("a").value("b", 1.0),
            Output::new(Tensor::from(0.0)).value("a", 1.0),
        ] {
            let error = Output::joined(vec![with("a"), other]).unwrap_err().to_string();
            assert!(error.contains("have not the same loss, values, tensors and texts"), "{error}");
        }
    }
}

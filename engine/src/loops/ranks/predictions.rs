//! Predictions of all ranks, in the order of the samples.

use crate::base::{Error, Prediction, Result, StateMap};
use crate::checkpoint::{decode_state, encode_state};
use crate::dist::Process;
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use tch::Tensor;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// What all ranks predict of a batch, on rank 0: in the order of ranks, which is the order of the samples. The other ranks
    /// get nothing. A rank that has no sample of the batch gives `None`; rank 0 always has samples.
    pub(in crate::loops) fn predictions_of_ranks(&self, own: Option<Prediction>) -> Result<Vec<Prediction>> {
        let Process::Group(group) = &self.run.process else { return Ok(own.into_iter().collect()) };
        let sent = match &own {
            Some(prediction) if group.rank() > 0 => encode_state(&state_of(prediction))?,
            _ => Vec::new(),
        };
        let all = group.gather_to_main("the collection of predictions", &sent)?;
        let Some(own) = own.filter(|_| group.rank() == 0) else { return Ok(Vec::new()) };
        let others = all.iter().enumerate().filter(|(_, sent)| !sent.is_empty());
        let others = others.map(|(rank, sent)| prediction_of(decode_state(sent)?, &own, rank));
        let mut others = others.collect::<Result<Vec<_>>>()?;
        others.insert(0, own);
        Ok(others)
    }
}

fn state_of(prediction: &Prediction) -> StateMap {
    let mut state = StateMap::new();
    state.put("names", &names_of(prediction));
    for (place, (_, tensor)) in prediction.named_tensors().iter().enumerate() {
        state.put(format!("tensor {place}"), tensor);
    }
    for (place, (_, texts)) in prediction.named_texts().iter().enumerate() {
        state.put(format!("texts {place}"), texts);
    }
    state
}

/// The prediction of another rank, which has the parts of `own`.
fn prediction_of(mut state: StateMap, own: &Prediction, rank: usize) -> Result<Prediction> {
    let names: Vec<String> = state.take("names")?;
    if names != names_of(own) {
        return Err(Error::msg(format!(
            "the prediction of rank {rank} has the parts {}, and that of rank 0 for the same batch {}; `predict_step` has to name the same parts for every sample",
            listed(&names),
            listed(&names_of(own))
        )));
    }
    let mut prediction = Prediction::new();
    for (place, (name, _)) in own.named_tensors().iter().enumerate() {
        prediction = prediction.tensor(name, &state.take::<Tensor>(&format!("tensor {place}"))?);
    }
    for (place, (name, _)) in own.named_texts().iter().enumerate() {
        prediction = prediction.texts(name, state.take(&format!("texts {place}"))?);
    }
    Ok(prediction)
}

/// The names of tensors, then those of texts, each with what it is.
fn names_of(prediction: &Prediction) -> Vec<String> {
    let tensors = prediction.named_tensors().iter().map(|(name, _)| format!("tensor `{name}`"));
    tensors.chain(prediction.named_texts().iter().map(|(name, _)| format!("texts `{name}`"))).collect()
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_comes_to_another_rank_as_it_was() {
        let own = || Prediction::new().tensor("class", &Tensor::from_slice(&[3i64])).texts("file", vec!["a".into()]);
        let sent = Prediction::new()
            .tensor("class", &Tensor::from_slice(&[1i64, 2]))
            .texts("file", vec!["ä.png".into(), String::new()]);
        let state = decode_state(&encode_state(&state_of(&sent)).unwrap()).unwrap();
        let got = prediction_of(state, &own(), 1).unwrap();
        assert_eq!(Vec::<i64>::try_from(&got.named_tensors()[0].1).unwrap(), [1, 2]);
        assert_eq!(got.named_texts(), sent.named_texts());
        let other = Prediction::new().tensor("logits", &Tensor::from_slice(&[1.0]));
        let error = prediction_of(state_of(&other), &own(), 2).unwrap_err().to_string();
        assert!(
            error.starts_with("the prediction of rank 2 has the parts tensor `logits`, and that of rank 0"),
            "{error}"
        );
    }
}

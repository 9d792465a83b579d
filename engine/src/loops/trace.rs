//! What `predict_step` computes, as a TorchScript program: recorded while it works on one batch.

use crate::base::{Error, ErrorContext as _, Prediction, Result};
use crate::data::{Batch, Cursor};
use crate::hook::EngineHooks;
use crate::loops::fed::{FedStep, VisitLoader};
use crate::loops::program::Program;
use crate::loops::share::Weighed;
use crate::loops::trainer::{Role, Trainer};
use tch::{CModule, IValue, Tensor};

/// A recorded program, and what it was recorded with.
#[derive(Debug)]
pub struct Traced {
    /// It takes the tensors of a batch, in their order, and gives those of the prediction, in theirs.
    pub module: CModule,
    /// The names of the prediction's tensors.
    pub outputs: Vec<&'static str>,
    /// The names of its parts that are no tensors, and are left out.
    pub left_out: Vec<&'static str>,
    /// Kind and shape of each input of the batch.
    pub inputs: Vec<String>,
    /// Why it serves for batches of that number of samples alone, where it does.
    pub fixed: Option<String>,
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Records `predict_step` on the first batch of the predict loader, with the weights that the models have now as
    /// constants. What the program computes is held against the step's own values: on that batch, and on one with a
    /// sample less.
    ///
    /// # Errors
    /// When there is no predict loader or no sample, the step fails, gives no tensor, computes something that was not
    /// recorded (values that were read to the host and came back), or gives other values when it is called again.
    pub fn trace_predict(&mut self) -> Result<Traced> {
        if !Self::has_loader(Role::Predict) {
            return Err(Error::msg("this trainer has no `#[loader(predict)]`, so there is nothing to record"));
        }
        for model in self.run.models.iter_mut() {
            // constants of a program take no gradient
            model.set_gradients_off();
        }
        self.in_evaluation_mode(Role::Predict, |program| {
            let loader = T::loaders(Role::Predict)[0];
            program.begin_loader(Role::Predict, loader)?;
            let traced = T::predicted(Trace(program));
            traced.unwrap_or_else(|| Err(Error::msg(format!("the trainer does not give its loader `{loader}`"))))
        })
    }
}

struct Trace<'p, D: EngineHooks, T: Trainer>(&'p mut Program<D, T>);

impl<D: EngineHooks, T: Trainer> VisitLoader<T, Prediction> for Trace<'_, D, T> {
    type Value = Result<Traced>;

    fn visit<F: FedStep<T, Answer = Prediction>>(self, fed: F) -> Result<Traced> {
        let program = self.0;
        let loader = fed.loader(&mut program.trainer);
        loader.start(Cursor::default())?;
        let batch =
            loader.next_batch()?.ok_or_else(|| Error::msg("the predict loader has no sample to record with"))?;
        let Weighed { mut batch, size, .. } = Weighed::of(batch)?.onto(program.run.device)?;
        program.run.step.batch_size = size;
        let inputs = tensors_of(&mut batch)?;
        let (mut answer, mut failed) = (None, None);
        let module = CModule::create_by_tracing("Predict", "forward", &inputs, &mut |_: &[Tensor]| match program
            .step("predict_step", |trainer, cx| fed.step(trainer, &batch, cx))
        {
            Ok(prediction) => {
                let outputs = values(&prediction);
                answer = Some(prediction);
                outputs
            }
            Err(error) => {
                failed = Some(error);
                Vec::new()
            }
        });
        if module.is_err() {
            // libtorch goes on recording when a recording could not be ended; the next one to begin ends it, and fails
            let _ = CModule::create_by_tracing("Nothing", "forward", &[], &mut |_| Vec::new());
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let what = "`predict_step` can't be recorded: each tensor of its prediction has to be computed from the batch by libtorch";
        let mut module = module.context(what)?;
        let prediction = answer.ok_or_else(|| Error::msg(what))?;
        if prediction.named_tensors().is_empty() {
            return Err(Error::msg("`predict_step` gives no tensor, so there is nothing to record"));
        }
        module.f_set_eval()?;
        check(&module, &inputs, &values(&prediction)).map_err(|why| {
            let text = format!("the recorded program does not compute what `predict_step` does: {why}");
            Error::msg(format!("{text}; does it draw random numbers, or read values to the host?"))
        })?;
        let fixed = match size {
            0 | 1 => None,
            _ => {
                let mut fewer = batch.samples(0..size - 1)?;
                program.run.step.batch_size = size - 1;
                let prediction = program.step("predict_step", |trainer, cx| fed.step(trainer, &fewer, cx))?;
                check(&module, &tensors_of(&mut fewer)?, &values(&prediction)).err()
            }
        };
        let shown = |tensor: &Tensor| format!("{:?} {:?}", tensor.kind(), tensor.size());
        Ok(Traced {
            module,
            outputs: prediction.named_tensors().iter().map(|(name, _)| *name).collect(),
            left_out: prediction.named_texts().iter().map(|(name, _)| *name).collect(),
            inputs: inputs.iter().map(shown).collect(),
            fixed,
        })
    }
}

/// The tensors of a batch, in their order.
fn tensors_of<B: Batch>(batch: &mut B) -> Result<Vec<Tensor>> {
    let mut found = Vec::new();
    batch.each_tensor(&mut |tensor| {
        found.push(tensor.shallow_clone());
        Ok(())
    })?;
    Ok(found)
}

fn values(prediction: &Prediction) -> Vec<Tensor> {
    prediction.named_tensors().iter().map(|(_, tensor)| tensor.shallow_clone()).collect()
}

/// Whether the program gives these outputs.
///
/// # Errors
/// In what it differs.
fn check(module: &CModule, inputs: &[Tensor], expected: &[Tensor]) -> Result<(), String> {
    let inputs: Vec<IValue> = inputs.iter().map(|tensor| IValue::Tensor(tensor.shallow_clone())).collect();
    let found = match module.forward_is(&inputs).map_err(|error| first_line(&error.to_string()))? {
        IValue::Tensor(tensor) => vec![tensor],
        IValue::Tuple(values) => {
            let tensor = |value| match value {
                IValue::Tensor(tensor) => Ok(tensor),
                _ => Err("it gives something that is no tensor".to_owned()),
            };
            values.into_iter().map(tensor).collect::<Result<_, _>>()?
        }
        _ => return Err("it gives something that is no tensor".to_owned()),
    };
    if found.len() != expected.len() {
        return Err(format!("it gives {} tensors and not {}", found.len(), expected.len()));
    }
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        if found.size() != expected.size() || found.kind() != expected.kind() {
            return Err(format!("output {place} has shape {:?} and not {:?}", found.size(), expected.size()));
        }
        // the program may be fused: its rounding is its own
        let close = found.f_allclose(expected, 1e-4, 1e-5, true).map_err(|error| error.to_string())?;
        if !close {
            return Err(format!("output {place} has other values"));
        }
    }
    Ok(())
}

/// libtorch's own words, without the frames below them.
fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

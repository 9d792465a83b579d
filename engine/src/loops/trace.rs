//! What `predict_step` computes, as a TorchScript program: recorded while it works on one batch.

use crate::base::{Error, ErrorContext as _, Prediction, Result};
use crate::data::Cursor;
use crate::hook::EngineHooks;
use crate::loops::fed::{BatchRead, FedStep};
use crate::loops::program::Program;
use crate::loops::trainer::{Role, Trainer};
use tch::{CModule, Tensor};

/// A recorded program, and what it was recorded with.
#[derive(Debug)]
pub struct Traced {
    /// It takes the tensors of a batch, in their order, and gives one tensor of the prediction.
    pub module: CModule,
    /// The name of that tensor.
    pub output: &'static str,
    /// The names of the prediction's other parts.
    pub left_out: Vec<&'static str>,
    /// Kind and shape of each tensor of the batch.
    pub inputs: Vec<String>,
    /// Why the program is only for batches of that number of samples, if it is.
    pub fixed: Option<String>,
}

/// What to say when libtorch can't end a recording.
const NOT_RECORDED: &str = "`predict_step` can't be recorded: its tensor has to be computed from the batch by libtorch";

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Records how `predict_step` computes a tensor of its prediction, on the first batch of the predict loader, with the
    /// current weights of the models as constants. The program is compared with the step: on that batch, and on one with
    /// a sample less. With `output: None` the prediction must have exactly one tensor.
    ///
    /// # Errors
    /// When there is no predict loader or no sample, the step fails or gives no such tensor, or the program gives other
    /// values than the step.
    pub fn trace_predict(&mut self, output: Option<&str>) -> Result<Traced> {
        if !self.loaders.has(Role::Predict) {
            return Err(Error::msg("this trainer has no `#[loader(predict)]`, so there is nothing to record"));
        }
        for model in self.run.models.iter_mut() {
            // constants of a program take no gradient
            model.set_gradients_off();
        }
        self.in_evaluation_mode(Role::Predict, |program| {
            let loader = T::loaders(Role::Predict)[0];
            program.begin_loader(Role::Predict, loader)?;
            program.trace(output)
        })
    }

    fn trace(&mut self, output: Option<&str>) -> Result<Traced> {
        let mut fed = T::predicted().ok_or_else(|| Error::msg("the trainer does not return its predict loader"))?;
        fed.loader(&mut self.trainer)?.start(Cursor::default())?;
        let read = fed.read(&mut self.trainer, &self.run)?;
        let BatchRead { size, .. } =
            read.ok_or_else(|| Error::msg("the predict loader has no sample to record with"))?;
        let inputs = fed.tensors()?;
        let mut predict = |fed: &dyn FedStep<T, Prediction>, size: usize| {
            self.run.step.batch_size = size;
            let prediction = self.step("predict_step", |trainer, cx| fed.step(trainer, cx))?;
            Chosen::of(&prediction, output)
        };
        let mut answer = Err(Error::msg(NOT_RECORDED));
        let module = CModule::create_by_tracing("Predict", "forward", &inputs, &mut |_: &[Tensor]| {
            answer = predict(fed.as_ref(), size);
            answer.iter().map(|chosen| chosen.tensor.shallow_clone()).collect()
        });
        if module.is_err() {
            // libtorch goes on recording when a recording could not be ended; the next one to begin ends it, and fails
            let _ = CModule::create_by_tracing("Nothing", "forward", &[], &mut |_| Vec::new());
        }
        let Chosen { name, tensor, others } = answer?;
        let mut module = module.context(NOT_RECORDED)?;
        module.f_set_eval()?;
        check(&module, &inputs, &tensor).map_err(|why| {
            let text = format!("the recorded program does not compute what `predict_step` does: {why}");
            Error::msg(format!("{text}; does the step draw random numbers?"))
        })?;
        let mut fixed = None;
        if size > 1 {
            fed.keep(size - 1)?;
            let fewer = fed.tensors()?;
            fixed = match predict(fed.as_ref(), size - 1) {
                Ok(expected) => check(&module, &fewer, &expected.tensor).err(),
                // the step itself is for batches of that size
                Err(error) => Some(first_line(&format!("{error:#}"))),
            };
        }
        let shown = |tensor: &Tensor| format!("{:?} {:?}", tensor.kind(), tensor.size());
        Ok(Traced { module, output: name, left_out: others, inputs: inputs.iter().map(shown).collect(), fixed })
    }
}

/// The tensor of a prediction that a program gives. libtorch's programs give one value, and tch can't make a tuple.
struct Chosen {
    name: &'static str,
    tensor: Tensor,
    /// The prediction's other parts.
    others: Vec<&'static str>,
}

impl Chosen {
    fn of(prediction: &Prediction, output: Option<&str>) -> Result<Chosen> {
        let tensors = prediction.named_tensors();
        let names = || tensors.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let refused = |text: String| Err(Error::msg(text));
        let (name, tensor) = match (output, tensors) {
            (_, []) => return refused("`predict_step` gives no tensor, so there is nothing to record".to_owned()),
            (None, [only]) => only,
            (None, _) => {
                let what = "a program gives one tensor, and the prediction has";
                return refused(format!("{what} {}: choose one of them with `--output`", names()));
            }
            (Some(output), _) => match tensors.iter().find(|(name, _)| *name == output) {
                Some(found) => found,
                None => return refused(format!("the prediction has no tensor `{output}`: it has {}", names())),
            },
        };
        let texts = prediction.named_texts().iter().map(|(name, _)| *name);
        let parts = tensors.iter().map(|(name, _)| *name).chain(texts);
        Ok(Chosen { name, tensor: tensor.shallow_clone(), others: parts.filter(|part| part != name).collect() })
    }
}

/// Whether the program gives this tensor.
///
/// # Errors
/// The difference.
fn check(module: &CModule, inputs: &[Tensor], expected: &Tensor) -> Result<(), String> {
    let found = module.forward_ts(inputs).map_err(|error| first_line(&error.to_string()))?;
    if found.size() != expected.size() || found.kind() != expected.kind() {
        return Err(format!("the output has shape {:?} and not {:?}", found.size(), expected.size()));
    }
    // the program may be fused: its rounding is its own
    match found.f_allclose(expected, 1e-4, 1e-5, true) {
        Ok(true) => Ok(()),
        Ok(false) => Err("the output has other values".to_owned()),
        Err(error) => Err(first_line(&error.to_string())),
    }
}

/// libtorch's own words, without the frames below them.
fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

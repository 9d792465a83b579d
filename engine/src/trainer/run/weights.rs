//! The weights that a training starts with, when they are from elsewhere.

use crate::base::{Error, Result};
use crate::trainer::experiment::ModelWeights;
use crate::trainer::run::Program;
use crate::trainer::{Build, BuildErrors, Mistake};
use crate::weights;

/// What is to be told of the weights that were loaded.
#[derive(Default)]
pub(super) struct Loaded {
    /// For everybody.
    pub(super) lines: Vec<String>,
    /// Every name, for the log.
    pub(super) details: Vec<String>,
}

/// Loads what the experiment names for each model. The program's checkpoints tell from then on where it is from.
///
/// # Errors
/// What is wrong with the weights of each model, at its place in the experiment.
pub(super) fn load<T: Build>(program: &mut Program<T>, given: &[ModelWeights]) -> Result<Loaded> {
    let (mut loaded, mut mistakes) = (Loaded::default(), Vec::new());
    for ModelWeights { model, path, from } in given {
        let Some(from) = from else { continue };
        match weights::load(program.run.models.get_mut(model)?, from) {
            Ok(report) => {
                loaded.lines.extend(report.lines());
                loaded.details.extend(report.details());
                program.run.storage.notes.insert(format!("weights.{model}"), report.origin());
            }
            Err(error) => {
                let field = error.field();
                let dot = if field.is_empty() { "" } else { "." };
                mistakes
                    .push(Mistake { path: format!("{path}{dot}{field}"), text: format!("{:#}", Error::new(error)) });
            }
        }
    }
    match mistakes.is_empty() {
        true => Ok(loaded),
        false => Err(Error::new(BuildErrors { mistakes })),
    }
}

/// What is told where a run goes on from a checkpoint, and its experiment names weights to start with.
pub(super) fn left_alone(given: &[ModelWeights]) -> Loaded {
    let named: Vec<String> =
        given.iter().filter(|weights| weights.from.is_some()).map(|weights| format!("`{}`", weights.path)).collect();
    let line = format!("{} not read: the run goes on with the weights of its checkpoint", named.join(", "));
    Loaded { lines: if named.is_empty() { Vec::new() } else { vec![line] }, details: Vec::new() }
}

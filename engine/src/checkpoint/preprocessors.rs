//! Preprocessors that a state holds, on their way into a file of weights and out of it.
//!
//! A file of weights that is given away holds the preprocessors beside them: their tree as text in the note
//! [`PREPROCESSORS`], its tensors under their paths, which begin with `/`. Other programs read them like any other tensors.

use super::inspect::Checkpoint;
use super::names::{RUN, STATE_TREE};
use super::tensor_file::{PREPROCESSORS, TensorFile};
use super::tree::{self, Elsewhere};
use super::{CheckpointError, Variables};
use crate::base::state::{PREPROCESSOR, StateMap, StateValue};
use std::path::Path;
use tch::Tensor;

/// Whether a saved value is a preprocessor.
pub fn is_preprocessor(value: &StateValue) -> bool {
    matches!(value, StateValue::Map(map) if map.0.len() == 1 && map.0.contains_key(PREPROCESSOR))
}

/// The name of a preprocessor, by the part of the program that holds it and its field there: `trainer.scale`.
pub fn preprocessor_name(part: &str, field: &str) -> String {
    format!("{part}.{field}")
}

impl Checkpoint {
    /// The preprocessors that hooks, metrics and the trainer hold, by [`preprocessor_name`].
    ///
    /// # Errors
    /// When the state is damaged.
    pub fn preprocessors(&self) -> Result<StateMap, CheckpointError> {
        let mut found = StateMap::new();
        // the whole state is much to read, and most have none
        if !self.text(&format!("{RUN}/{STATE_TREE}"))?.contains(&format!("\"{PREPROCESSOR}\"")) {
            return Ok(found);
        }
        let mut state = super::load(self.path())?.state;
        let Some(StateValue::Map(parts)) = state.0.remove("parts") else { return Ok(found) };
        for (part, state) in parts.0 {
            let StateValue::Map(fields) = state else { continue };
            let held = fields.0.into_iter().filter(|(_, value)| is_preprocessor(value));
            found.0.extend(held.map(|(field, value)| (preprocessor_name(&part, &field), value)));
        }
        Ok(found)
    }
}

/// What is written of preprocessors: a note, which is a key and its text, and named tensors.
type Written<'a> = (Option<(String, String)>, Vec<(String, &'a Tensor)>);

/// Preprocessors in the form of a file of weights: a note and named tensors. Without preprocessors there is no note.
///
/// # Errors
/// When they are nested too deeply.
pub fn written_preprocessors(state: &StateMap) -> Result<Written<'_>, CheckpointError> {
    if state.0.is_empty() {
        return Ok((None, Vec::new()));
    }
    let (text, tensors) = tree::render(state, &Elsewhere::default()).map_err(CheckpointError::State)?;
    Ok((Some((PREPROCESSORS.to_owned(), text)), tensors))
}

/// The preprocessors in a file of weights; none in a file of another program.
///
/// # Errors
/// When the file can't be read, or its note does not fit its tensors.
pub fn load_preprocessors(path: &Path) -> Result<StateMap, CheckpointError> {
    let file = TensorFile::open(path)?;
    let Some((_, text)) = file.notes().iter().find(|(key, _)| key == PREPROCESSORS) else { return Ok(StateMap::new()) };
    let tensors = file.tensors().iter().filter(|place| !file.is_weight(place));
    let tensors = tensors.map(|place| Ok((place.name.clone(), file.read(place)?)));
    let tensors = tensors.collect::<Result<Variables, CheckpointError>>()?;
    tree::parse(text, tensors, |_| None).map_err(|why| {
        let why = format!("its note `{PREPROCESSORS}` can't be read: {why}");
        CheckpointError::Damaged { path: path.to_owned(), why }
    })
}

//! A state as bytes that another process reads back.

use super::CheckpointError;
use super::tensors::{self, WriteError};
use super::tree::{self, Elsewhere};
use crate::base::state::StateMap;
use tch::Tensor;

/// A state as bytes, for another process of this program.
///
/// ```
/// use engine::base::StateMap;
/// use engine::checkpoint::{decode_state, encode_state};
/// use tch::Tensor;
///
/// let mut state = StateMap::new();
/// state.put("hits", &Tensor::from_slice(&[3i64, 4]));
/// let mut other = decode_state(&encode_state(&state)?)?;
/// assert_eq!(Vec::<i64>::try_from(&other.take::<Tensor>("hits")?)?, [3, 4]);
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When a tensor can't be copied to the host, or the state is nested too deeply.
pub fn encode_state(state: &StateMap) -> Result<Vec<u8>, CheckpointError> {
    let (text, tensors) = tree::render(state, &Elsewhere::default()).map_err(CheckpointError::State)?;
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    let tensors: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), *tensor)).collect();
    tensors::write(&mut bytes, &tensors).map_err(|error| match error {
        WriteError::Tensor { name, why } => CheckpointError::State(format!("the tensor `{name}` can't be sent: {why}")),
        WriteError::Io(error) => CheckpointError::State(error.to_string()),
    })?;
    Ok(bytes)
}

/// The state in such bytes; tensors are on the CPU.
///
/// # Errors
/// When the bytes are none.
pub fn decode_state(bytes: &[u8]) -> Result<StateMap, CheckpointError> {
    let cut = || CheckpointError::State("the state of another rank is cut short".to_owned());
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
    let (text, tensors) = rest.split_at_checked(length).ok_or_else(cut)?;
    let tensors = tensors::parse(tensors).map_err(CheckpointError::State)?;
    let text = std::str::from_utf8(text).map_err(|_| cut())?;
    tree::parse(text, tensors, |_| None).map_err(CheckpointError::State)
}

//! The state tree as RON text, its tensors beside it, and back.
//!
//! Every value is tagged (`Int(3)`, `Float(0.5)`), so that reading never guesses a type. A tensor is
//! replaced by its path, `/optimizer/exp_avg/0`, which is its name in `state.safetensors`; a `/` or `~` in a
//! key is escaped as in JSON pointers (RFC 6901), so that no two tensors share a name.

use crate::base::state::{StateMap, StateValue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tch::Tensor;

/// Tensors of a tree, by the names that its text refers to them by.
pub(super) type Referred<'a> = Vec<(String, &'a Tensor)>;

/// The text, and the tensors it refers to.
///
/// # Errors
/// When the tree is nested more deeply than [`DEEPEST`].
pub(super) fn render(state: &StateMap) -> Result<(String, Referred<'_>), String> {
    let mut tensors = Vec::new();
    let written = write_map(state, "", 0, &mut tensors)?;
    let layout = ron::ser::PrettyConfig::new().compact_arrays(true).new_line("\n");
    let text = options().to_string_pretty(&written, layout).map_err(|error| error.to_string())?;
    Ok((text, tensors))
}

/// The tree of a text that [`render`] gave.
///
/// # Errors
/// When the text is no such tree, or refers to a tensor that is not there.
pub(super) fn parse(text: &str, tensors: Vec<(String, Tensor)>) -> Result<StateMap, String> {
    let written: BTreeMap<String, Written> = options().from_str(text).map_err(|error| error.to_string())?;
    read_map(written, &mut tensors.into_iter().collect())
}

/// One value as it stands in the file.
#[derive(Serialize, Deserialize)]
enum Written {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    /// The bits of a NaN: its text would lose sign and payload.
    NaN(u64),
    Text(String),
    List(Vec<Written>),
    Map(BTreeMap<String, Written>),
    /// The name of a tensor.
    Tensor(String),
}

/// Levels of lists and maps: more than any state of the engine's own, and fewer than the stack of a thread
/// bears while they are read back.
const DEEPEST: usize = 100;

/// RON counts each level several times: the tag, what it holds, and the entry.
fn options() -> ron::Options {
    ron::Options::default().with_recursion_limit(4 * (DEEPEST + 1))
}

fn write_map<'a>(
    map: &'a StateMap,
    path: &str,
    depth: usize,
    tensors: &mut Referred<'a>,
) -> Result<BTreeMap<String, Written>, String> {
    let entries = map.0.iter().map(|(key, value)| {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        Ok((key.clone(), write_value(value, path, depth, tensors)?))
    });
    entries.collect()
}

fn write_value<'a>(
    value: &'a StateValue,
    path: String,
    depth: usize,
    tensors: &mut Referred<'a>,
) -> Result<Written, String> {
    if depth > DEEPEST {
        let shown: String = path.chars().take(60).collect();
        return Err(format!("`{shown}…` is nested more than {DEEPEST} levels deep; nest it less deeply"));
    }
    Ok(match value {
        StateValue::None => Written::None,
        StateValue::Bool(held) => Written::Bool(*held),
        StateValue::Int(held) => Written::Int(*held),
        StateValue::Float(held) if held.is_nan() => Written::NaN(held.to_bits()),
        StateValue::Float(held) => Written::Float(*held),
        StateValue::Text(held) => Written::Text(held.clone()),
        StateValue::List(held) => {
            let items = held.iter().enumerate();
            let items = items.map(|(index, item)| write_value(item, format!("{path}/{index}"), depth + 1, tensors));
            Written::List(items.collect::<Result<_, _>>()?)
        }
        StateValue::Map(held) => Written::Map(write_map(held, &path, depth + 1, tensors)?),
        StateValue::Tensor(held) => {
            tensors.push((path.clone(), held));
            Written::Tensor(path)
        }
    })
}

fn read_map(written: BTreeMap<String, Written>, tensors: &mut BTreeMap<String, Tensor>) -> Result<StateMap, String> {
    let entries = written.into_iter().map(|(key, value)| Ok((key, read_value(value, tensors)?)));
    entries.collect::<Result<_, _>>().map(StateMap)
}

fn read_value(written: Written, tensors: &mut BTreeMap<String, Tensor>) -> Result<StateValue, String> {
    Ok(match written {
        Written::None => StateValue::None,
        Written::Bool(held) => StateValue::Bool(held),
        Written::Int(held) => StateValue::Int(held),
        Written::Float(held) => StateValue::Float(held),
        Written::NaN(bits) => StateValue::Float(f64::from_bits(bits)),
        Written::Text(held) => StateValue::Text(held),
        Written::List(held) => {
            StateValue::List(held.into_iter().map(|item| read_value(item, tensors)).collect::<Result<_, _>>()?)
        }
        Written::Map(held) => StateValue::Map(read_map(held, tensors)?),
        Written::Tensor(name) => {
            let held = tensors.remove(&name);
            StateValue::Tensor(held.ok_or_else(|| format!("it refers to the tensor `{name}`, which is not there"))?)
        }
    })
}

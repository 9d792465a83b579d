//! The state tree as RON text, its tensors beside it, and back.
//!
//! Every value is tagged (`Int(3)`, `Float(0.5)`), so that reading never guesses a type. A tensor is
//! replaced by its path, `/optimizer/exp_avg/0`, which is its name in `state.safetensors`; a `/` or `~` in a
//! key is escaped as in JSON pointers (RFC 6901), so that no two tensors share a name. A tensor that a file of weights
//! holds already (an average that evaluations use) is not written twice: the tree says where it is.

use super::identity::Identity;
use crate::base::state::{StateMap, StateValue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tch::Tensor;

/// Tensors of a tree, by the names that its text refers to them by.
pub(super) type Referred<'a> = Vec<(String, &'a Tensor)>;

/// Tensors that are written elsewhere in the checkpoint, found by their memory.
#[derive(Default)]
pub(super) struct Elsewhere(BTreeMap<usize, Vec<(Identity, Place)>>);

/// Where a tensor is written: the file and the name in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) name: String,
}

impl Elsewhere {
    pub(super) fn add(&mut self, tensor: &Tensor, file: &str, name: &str) {
        if let Some(identity) = Identity::of(tensor) {
            let place = Place { file: file.to_owned(), name: name.to_owned() };
            self.0.entry(identity.memory).or_default().push((identity, place));
        }
    }

    fn find(&self, tensor: &Tensor) -> Option<&Place> {
        let identity = Identity::of(tensor)?;
        self.0.get(&identity.memory)?.iter().find(|(known, _)| *known == identity).map(|(_, place)| place)
    }
}

/// The text, and the tensors it refers to.
///
/// # Errors
/// When the tree is nested more deeply than [`DEEPEST`].
pub(super) fn render<'a>(state: &'a StateMap, elsewhere: &Elsewhere) -> Result<(String, Referred<'a>), String> {
    let mut writer = Writer { tensors: Vec::new(), elsewhere };
    let written = writer.map(state, "", 0)?;
    let tensors = writer.tensors;
    let layout = ron::ser::PrettyConfig::new().compact_arrays(true).new_line("\n");
    let text = options().to_string_pretty(&written, layout).map_err(|error| error.to_string())?;
    Ok((text, tensors))
}

/// The tree of a text that [`render`] gave.
///
/// # Errors
/// When the text is no such tree, or refers to a tensor that is not there.
pub(super) fn parse(
    text: &str,
    tensors: Vec<(String, Tensor)>,
    elsewhere: impl Fn(&Place) -> Option<Tensor>,
) -> Result<StateMap, String> {
    let written: BTreeMap<String, Written> = options().from_str(text).map_err(|error| error.to_string())?;
    Reader { tensors: tensors.into_iter().collect(), elsewhere: &elsewhere }.map(written)
}

/// Some entries of the tree, none of which holds a tensor.
///
/// # Errors
/// When the text is no such tree, or one of them holds a tensor.
pub(super) fn parse_parts(text: &str, keys: &[&str]) -> Result<StateMap, String> {
    let mut written: BTreeMap<String, Written> = options().from_str(text).map_err(|error| error.to_string())?;
    written.retain(|key, _| keys.contains(&key.as_str()));
    Reader { tensors: BTreeMap::new(), elsewhere: &|_| None }.map(written)
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
    /// A tensor that another file of the checkpoint holds.
    Weight(Place),
}

/// Levels of lists and maps: more than any state of the engine's own, and fewer than the stack of a thread
/// bears while they are read back.
const DEEPEST: usize = 100;

/// RON counts each level several times: the tag, what it holds, and the entry.
fn options() -> ron::Options {
    ron::Options::default().with_recursion_limit(4 * (DEEPEST + 1))
}

struct Writer<'a, 'b> {
    tensors: Referred<'a>,
    elsewhere: &'b Elsewhere,
}

impl<'a> Writer<'a, '_> {
    fn map(&mut self, map: &'a StateMap, path: &str, depth: usize) -> Result<BTreeMap<String, Written>, String> {
        let entries = map.0.iter().map(|(key, value)| {
            let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
            Ok((key.clone(), self.value(value, path, depth)?))
        });
        entries.collect()
    }

    fn value(&mut self, value: &'a StateValue, path: String, depth: usize) -> Result<Written, String> {
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
                let items = items.map(|(index, item)| self.value(item, format!("{path}/{index}"), depth + 1));
                Written::List(items.collect::<Result<_, _>>()?)
            }
            StateValue::Map(held) => Written::Map(self.map(held, &path, depth + 1)?),
            StateValue::Tensor(held) => match self.elsewhere.find(held) {
                Some(place) => Written::Weight(place.clone()),
                None => {
                    self.tensors.push((path.clone(), held));
                    Written::Tensor(path)
                }
            },
        })
    }
}

struct Reader<'a> {
    tensors: BTreeMap<String, Tensor>,
    elsewhere: &'a dyn Fn(&Place) -> Option<Tensor>,
}

impl Reader<'_> {
    fn map(&mut self, written: BTreeMap<String, Written>) -> Result<StateMap, String> {
        let entries = written.into_iter().map(|(key, value)| Ok((key, self.value(value)?)));
        entries.collect::<Result<_, _>>().map(StateMap)
    }

    fn value(&mut self, written: Written) -> Result<StateValue, String> {
        Ok(match written {
            Written::None => StateValue::None,
            Written::Bool(held) => StateValue::Bool(held),
            Written::Int(held) => StateValue::Int(held),
            Written::Float(held) => StateValue::Float(held),
            Written::NaN(bits) => StateValue::Float(f64::from_bits(bits)),
            Written::Text(held) => StateValue::Text(held),
            Written::List(held) => {
                StateValue::List(held.into_iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Written::Map(held) => StateValue::Map(self.map(held)?),
            Written::Tensor(name) => {
                let held = self.tensors.remove(&name);
                StateValue::Tensor(held.ok_or_else(|| format!("it refers to the tensor `{name}`, which is not there"))?)
            }
            Written::Weight(place) => {
                let held = (self.elsewhere)(&place);
                let Place { file, name } = place;
                let held = held.ok_or_else(|| format!("it refers to `{name}` in `{file}`, which is not there"))?;
                // of its own: an owner may change it in place
                StateValue::Tensor(held.copy())
            }
        })
    }
}

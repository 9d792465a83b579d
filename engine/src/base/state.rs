//! What a checkpoint can hold, as types: a tree of plain values and tensors.
//!
//! The type of a field marked `#[state]` implements [`Saved`]; a hook, metric or optimizer as a whole implements
//! [`State`]. The format on disk is defined in `checkpoint`, not here.

use std::collections::BTreeMap;
use tch::Tensor;

/// One saved value.
#[derive(Debug)]
pub enum StateValue {
    /// Nothing (`None`).
    None,
    /// A `bool`.
    Bool(bool),
    /// Any integer up to 64 bits, signed or not.
    Int(i128),
    /// A float, exact to the bit; NaN and infinities included.
    Float(f64),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<StateValue>),
    /// Values by name.
    Map(StateMap),
    /// A tensor, saved with its kind, shape and bits; restored on the CPU.
    Tensor(Tensor),
}

/// The key of the map as which a preprocessor is saved that was fitted on data, and the only one in it. Exports hold what is
/// saved under it.
pub const PREPROCESSOR: &str = "preprocessor";

/// Named values, in the order of their names.
///
/// ```
/// use engine::prelude::*;
///
/// let mut state = StateMap::new();
/// state.put("best", &0.25);
/// state.put("history", &vec![0.5, 0.25]);
/// assert_eq!(state.take::<Vec<f64>>("history")?, [0.5, 0.25]);
/// let error = state.take::<String>("best").unwrap_err();
/// assert_eq!(error.to_string(), "the saved state of `best` is a float, expected a text");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Default)]
pub struct StateMap(pub BTreeMap<String, StateValue>);

/// Why a saved state could not be restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The checkpoint lacks an entry that the program has.
    #[error("the saved state has no `{name}`; it was written by another version of this program")]
    Missing {
        /// The entry's name.
        name: String,
    },
    /// The entry is of another type.
    #[error("the saved state of `{name}` is {found}, expected {expected}")]
    Type {
        /// The entry's name; empty until the owner adds it.
        name: String,
        /// The type that the program expects.
        expected: &'static str,
        /// The type in the checkpoint.
        found: &'static str,
    },
    /// The value doesn't fit what the program has (a length, a shape, a range).
    #[error("the saved state of `{name}` does not fit: {why}")]
    Unfit {
        /// The entry's name.
        name: String,
        /// What does not fit.
        why: String,
    },
}

/// Something whose state is saved: a hook, a metric, an optimizer. `#[hook]` and `#[component]` implement it from
/// `#[state]` fields.
///
/// ```
/// use engine::base::State;
/// use engine::hook::Hook as _;
/// use engine::prelude::*;
///
/// #[hook]
/// struct Count {
///     #[state] // saved
///     vals: u64,
///     #[transient] // not saved
///     said: bool,
/// }
///
/// #[phases]
/// impl Count {
///     fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
///         self.vals += 1;
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let config = engine::config::parse_text("example", "()")?.read()?;
/// let mut count = Count::build(&config);
/// (count.vals, count.said) = (3, true);
/// let mut resumed = Count::build(&config);
/// resumed.load_state(count.save_state())?;
/// assert_eq!((resumed.vals, resumed.said), (3, false));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no state",
    label = "neither a hook nor a metric nor a sink",
    note = "put `#[hook]`, `#[component(metric)]` or `#[component(sink)]` on the struct"
)]
pub trait State {
    /// Everything that influences the rest of a run.
    fn save_state(&self) -> StateMap;

    /// The settings on which the state depends, each with its value. When a run is resumed with another value of one
    /// of them, the saved state is not used: the state starts from its initial value, and a message says so. In an
    /// implementation by a macro, these are the settings marked `#[config(resets_state)]`.
    fn belongs_to(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Calls `each` with every setting that a schedule can change during a training: in an implementation by a macro, those
    /// marked `#[config(scheduled)]`.
    fn adjustable(&mut self, each: &mut dyn FnMut(Adjustable<'_>)) {
        let _ = each;
    }

    /// Restores what [`State::save_state`] returned.
    ///
    /// # Errors
    /// When an entry is missing or doesn't fit; entries before it are already restored.
    fn load_state(&mut self, state: StateMap) -> Result<(), StateError>;

    /// What each rank of a group has of its own, in addition to [`State::save_state`], which comes from rank 0: in an
    /// implementation by a macro, the fields marked `#[state(per_rank)]`.
    fn save_own_state(&self) -> StateMap {
        StateMap::new()
    }

    /// Restores what [`State::save_own_state`] returned on this rank, after [`State::load_state`]. A rank that a checkpoint
    /// does not know has the state of rank 0.
    ///
    /// # Errors
    /// When an entry is missing or doesn't fit.
    fn load_own_state(&mut self, state: StateMap) -> Result<(), StateError> {
        let _ = state;
        Ok(())
    }
}

/// A setting that a schedule can change during a training.
#[derive(Debug)]
pub struct Adjustable<'a> {
    /// Its key in experiment files.
    pub name: &'static str,
    /// The value that the owner uses now.
    pub value: &'a mut f64,
    /// The range that a value must be in, as it is written; empty: any number.
    pub range: &'static str,
    /// Whether a value is in it.
    pub fits: fn(&f64) -> bool,
}

/// A type that a `#[state]` field can have.
///
/// ```
/// use engine::base::{Saved, StateError, StateMap, StateValue};
///
/// /// A running mean, as a `#[state]` field may have it.
/// #[derive(Debug, Default, PartialEq)]
/// struct Mean {
///     sum: f64,
///     count: u64,
/// }
///
/// impl Saved for Mean {
///     fn save(&self) -> StateValue {
///         let mut map = StateMap::new();
///         map.put("sum", &self.sum);
///         map.put("count", &self.count);
///         StateValue::Map(map)
///     }
///     fn restore(value: StateValue) -> Result<Self, StateError> {
///         let mut map = StateMap::restore(value)?;
///         Ok(Mean { sum: map.take("sum")?, count: map.take("count")? })
///     }
/// }
///
/// let mean = Mean { sum: 1.5, count: 3 };
/// assert_eq!(Mean::restore(mean.save())?, mean);
/// # Ok::<(), StateError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be saved in a checkpoint",
    label = "this `#[state]` field can't be saved",
    note = "numbers, `bool`, `String`, `Tensor`, and `Option`, `Vec`, arrays, pairs and `BTreeMap<String, _>` of them can; implement `engine::Saved` for a type of your own, or mark the field `#[transient]`"
)]
pub trait Saved: Sized {
    /// The value as a tree.
    fn save(&self) -> StateValue;

    /// Restores the value from its tree.
    ///
    /// # Errors
    /// When the tree is of another type.
    fn restore(value: StateValue) -> Result<Self, StateError>;
}

impl StateMap {
    /// A map without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry.
    pub fn put(&mut self, name: impl Into<String>, value: &impl Saved) {
        self.0.insert(name.into(), value.save());
    }

    /// Adds a map that `fill` fills.
    pub fn put_map(&mut self, name: impl Into<String>, fill: impl FnOnce(&mut StateMap)) {
        let mut map = StateMap::new();
        fill(&mut map);
        self.0.insert(name.into(), StateValue::Map(map));
    }

    /// Removes an entry from the map and restores its value.
    ///
    /// # Errors
    /// When it is missing or of another type.
    pub fn take<T: Saved>(&mut self, name: &str) -> Result<T, StateError> {
        let value = self.0.remove(name).ok_or_else(|| StateError::Missing { name: name.into() })?;
        T::restore(value).map_err(|error| error.at(name))
    }

    /// Removes a nested map and returns it.
    ///
    /// # Errors
    /// When it is missing or not a map.
    pub fn take_map(&mut self, name: &str) -> Result<StateMap, StateError> {
        self.take(name)
    }
}

impl StateValue {
    /// The name of the type of this value, for messages.
    pub fn what(&self) -> &'static str {
        match self {
            StateValue::None => "nothing",
            StateValue::Bool(_) => "a truth value",
            StateValue::Int(_) => "an integer",
            StateValue::Float(_) => "a float",
            StateValue::Text(_) => "a text",
            StateValue::List(_) => "a list",
            StateValue::Map(_) => "a map",
            StateValue::Tensor(_) => "a tensor",
        }
    }

    fn mismatch(&self, expected: &'static str) -> StateError {
        StateError::Type { name: String::new(), expected, found: self.what() }
    }
}

impl StateError {
    /// Adds the name of the owner in front of the entry's name.
    #[must_use]
    pub fn at(mut self, owner: &str) -> Self {
        let (StateError::Missing { name } | StateError::Type { name, .. } | StateError::Unfit { name, .. }) = &mut self;
        *name = if name.is_empty() { owner.to_owned() } else { format!("{owner}.{name}") };
        self
    }
}

macro_rules! saved_as {
    ($expected:literal, $variant:ident, $held:ident => $back:expr; $value:ident => $save:expr; $type:ty) => {
        #[diagnostic::do_not_recommend]
        impl Saved for $type {
            fn save(&self) -> StateValue {
                let $value = self;
                StateValue::$variant($save)
            }
            fn restore(value: StateValue) -> Result<Self, StateError> {
                match value {
                    StateValue::$variant($held) => $back,
                    other => Err(other.mismatch($expected)),
                }
            }
        }
    };
}

saved_as!("a truth value", Bool, held => Ok(held); value => *value; bool);
saved_as!("a float", Float, held => Ok(held); value => *value; f64);
saved_as!("a float", Float, held => Ok(held as f32); value => f64::from(*value); f32);
saved_as!("a text", Text, held => Ok(held); value => value.clone(); String);
saved_as!("a tensor", Tensor, held => Ok(held); value => value.shallow_clone(); Tensor);
saved_as!("a map", Map, held => Ok(held); value => StateMap(value.0.iter().map(|(k, v)| (k.clone(), v.copied())).collect()); StateMap);

macro_rules! saved_integers {
    ($($type:ty)*) => { $(
        saved_as!("an integer", Int, held => <$type>::try_from(held).map_err(|_| StateError::Unfit {
            name: String::new(),
            why: format!("{held} is out of the range of {}", stringify!($type)),
        }); value => *value as i128; $type);
    )* };
}
saved_integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

macro_rules! saved_units {
    ($($type:ident)*) => { $(
        #[diagnostic::do_not_recommend]
        impl Saved for crate::base::units::$type {
            fn save(&self) -> StateValue { self.0.save() }
            fn restore(value: StateValue) -> Result<Self, StateError> { u64::restore(value).map(Self) }
        }
    )* };
}
saved_units!(Batch Iter Epoch);

impl<T: Saved> Saved for Option<T> {
    fn save(&self) -> StateValue {
        // wrapped, so that `Some(None)` and `None` differ
        self.as_ref().map_or(StateValue::None, |value| StateValue::List(vec![value.save()]))
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        match value {
            StateValue::None => Ok(None),
            StateValue::List(mut items) if items.len() == 1 => items.pop().map(T::restore).transpose(),
            other => Err(other.mismatch("an optional value")),
        }
    }
}

impl<T: Saved> Saved for Vec<T> {
    fn save(&self) -> StateValue {
        StateValue::List(self.iter().map(Saved::save).collect())
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let StateValue::List(items) = value else { return Err(value.mismatch("a list")) };
        items
            .into_iter()
            .enumerate()
            .map(|(index, item)| T::restore(item).map_err(|error| error.at(&index.to_string())))
            .collect()
    }
}

impl<T: Saved, const N: usize> Saved for [T; N] {
    fn save(&self) -> StateValue {
        StateValue::List(self.iter().map(Saved::save).collect())
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let items = Vec::<T>::restore(value)?;
        let found = items.len();
        <[T; N]>::try_from(items)
            .map_err(|_| StateError::Unfit { name: String::new(), why: format!("{found} values, expected {N}") })
    }
}

impl<A: Saved, B: Saved> Saved for (A, B) {
    fn save(&self) -> StateValue {
        StateValue::List(vec![self.0.save(), self.1.save()])
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        match value {
            StateValue::List(items) if items.len() == 2 => {
                let mut items = items.into_iter();
                let mut next = || items.next().unwrap_or(StateValue::None);
                Ok((A::restore(next())?, B::restore(next())?))
            }
            other => Err(other.mismatch("a pair")),
        }
    }
}

impl<T: Saved> Saved for BTreeMap<String, T> {
    fn save(&self) -> StateValue {
        StateValue::Map(StateMap(self.iter().map(|(name, value)| (name.clone(), value.save())).collect()))
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let StateValue::Map(map) = value else { return Err(value.mismatch("a map")) };
        map.0.into_iter().map(|(name, value)| Ok((name.clone(), T::restore(value).map_err(|e| e.at(&name))?))).collect()
    }
}

impl StateValue {
    /// The same tree; tensors share their storage.
    #[must_use]
    pub fn copied(&self) -> StateValue {
        match self {
            StateValue::None => StateValue::None,
            StateValue::Bool(held) => StateValue::Bool(*held),
            StateValue::Int(held) => StateValue::Int(*held),
            StateValue::Float(held) => StateValue::Float(*held),
            StateValue::Text(held) => StateValue::Text(held.clone()),
            StateValue::List(held) => StateValue::List(held.iter().map(StateValue::copied).collect()),
            StateValue::Map(held) => {
                StateValue::Map(StateMap(held.0.iter().map(|(k, v)| (k.clone(), v.copied())).collect()))
            }
            StateValue::Tensor(held) => StateValue::Tensor(held.shallow_clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_saved_type_comes_back_equal() {
        let value = (Some(vec![1u64, u64::MAX]), [(f64::INFINITY, "é".to_owned()), (-0.0, String::new())]);
        let back = <(Option<Vec<u64>>, [(f64, String); 2])>::restore(value.save()).unwrap();
        assert_eq!(back, value);
        assert_eq!(Option::<Option<bool>>::restore(Some(None::<bool>).save()).unwrap(), Some(None));
    }

    #[test]
    fn a_wrong_type_is_named_with_its_path() {
        let mut map = StateMap::new();
        map.put("seen", &vec!["text".to_owned()]);
        let error = map.take::<Vec<f64>>("seen").unwrap_err();
        assert_eq!(error.to_string(), "the saved state of `seen.0` is a text, expected a float");
    }
}

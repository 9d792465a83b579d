//! Keys of settings that are known when a program is compiled.

use crate::base::checked::Plain;
use std::marker::PhantomData;

/// Settings whose keys in a file are known when a program is compiled. The attributes write it.
pub trait Keyed {
    /// The keys, in order.
    const KEYS: &'static [&'static str];
}

impl<T: Keyed> Keyed for Option<T> {
    const KEYS: &'static [&'static str] = T::KEYS;
}

impl<T: Keyed> Keyed for Plain<T> {
    const KEYS: &'static [&'static str] = T::KEYS;
}

/// Tells the keys of a type. A constant of the type's own comes before that of [`NoKeys`], where its bound holds.
pub struct KeysOf<T>(PhantomData<T>);

impl<T: Keyed> KeysOf<T> {
    /// Those of the type.
    pub const KEYS: Option<&'static [&'static str]> = Some(T::KEYS);
}

/// What [`KeysOf`] tells of a type whose keys are not known.
pub trait NoKeys {
    /// They are not known.
    const KEYS: Option<&'static [&'static str]> = None;
}

impl<T> NoKeys for KeysOf<T> {}

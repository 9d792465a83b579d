//! Keys of settings that are known when a program is compiled.

use crate::base::checked::Plain;
use std::marker::PhantomData;

/// Settings whose keys in a file are known when a program is compiled. The attributes write it.
pub trait Keyed {
    /// The keys, in order.
    const KEYS: &'static [&'static str];
    /// Whether these are the keys: not where a mistake in the type is reported, and something stands in for it.
    const ARE_KNOWN: bool = true;
}

impl<T: Keyed> Keyed for Option<T> {
    const KEYS: &'static [&'static str] = T::KEYS;
    const ARE_KNOWN: bool = T::ARE_KNOWN;
}

impl<T: Keyed> Keyed for Plain<T> {
    const KEYS: &'static [&'static str] = T::KEYS;
    const ARE_KNOWN: bool = T::ARE_KNOWN;
}

/// Tells the keys of a type. A constant of the type's own comes before that of [`NoKeys`], where its bound holds.
pub struct KeysOf<T>(PhantomData<T>);

impl<T: Keyed> KeysOf<T> {
    /// Those of the type.
    pub const KEYS: Option<&'static [&'static str]> = if T::ARE_KNOWN { Some(T::KEYS) } else { None };
}

/// Settings that hold those of a dataset.
pub trait OfDataset {
    /// The settings of the dataset.
    type Dataset;
}

impl<T: OfDataset> OfDataset for Option<T> {
    type Dataset = T::Dataset;
}

impl<T: OfDataset<Dataset: Keyed>> KeysOf<T> {
    /// Those of the dataset.
    pub const OF_DATASET: Option<&'static [&'static str]> = KeysOf::<T::Dataset>::KEYS;
}

/// What [`KeysOf`] tells of a type whose keys are not known.
pub trait NoKeys {
    /// They are not known.
    const KEYS: Option<&'static [&'static str]> = None;
    /// There is no dataset, or they are not known.
    const OF_DATASET: Option<&'static [&'static str]> = None;
}

impl<T> NoKeys for KeysOf<T> {}

//! What the macros ask of the types of fields, each as one trait, so that a type that can't serve is one
//! error at the field and not one for each derived trait.
//!
//! Expansions call these functions; they are not meant to be called by hand.

use crate::base::state::{Saved, StateError, StateMap};
use crate::base::suggest::neighbour;
use crate::base::units::{Batch, Epoch, Iter};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::fmt::{self, Debug, Display};
use std::io::ErrorKind;
use std::ops::RangeBounds;
use std::path::{Path, PathBuf};

/// A type that an experiment file can hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a setting",
    label = "an experiment file can't hold this type",
    note = "numbers, texts, paths, and `Option`, `Vec`, tuples and maps of them can; put `#[component]` on a type of your own; in the place of one of another crate, write a struct or an enum of your own"
)]
pub trait ConfigValue: Sized {
    /// `Clone`.
    #[must_use]
    fn copied(&self) -> Self;
    /// `Debug`.
    fn shown(&self) -> &dyn Debug;
    /// `Deserialize`.
    ///
    /// # Errors
    /// When the value is of another type.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
    /// `Serialize`.
    ///
    /// # Errors
    /// When the serializer fails.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Debug + Serialize + DeserializeOwned> ConfigValue for T {
    fn copied(&self) -> Self {
        self.clone()
    }
    fn shown(&self) -> &dyn Debug {
        self
    }
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer)
    }
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

/// A type that a field starts from when nothing is read: `#[state]`, `#[transient]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `Default`",
    label = "a `#[state]` or `#[transient]` field starts from the `Default` of its type",
    note = "implement `Default` for the type, or make the field an `Option` that starts as `None`"
)]
pub trait Fresh {
    /// The value to start from.
    fn fresh() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> Fresh for T {
    fn fresh() -> Self {
        T::default()
    }
}

/// A type that a setting has a default of: `#[config(default)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `Default`",
    label = "a setting with `default` alone has the `Default` of its type",
    note = "write the value, `#[config(default = …)]`, or derive `Default` for the type"
)]
pub trait HasDefault {
    /// The default.
    fn own_default() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> HasDefault for T {
    fn own_default() -> Self {
        T::default()
    }
}

/// A [`ConfigValue`] as serde wants it.
pub struct Plain<T>(pub T);

impl<T: ConfigValue> Debug for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.shown().fmt(f)
    }
}

impl<T: ConfigValue> Serialize for Plain<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

impl<'de, T: ConfigValue> Deserialize<'de> for Plain<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Plain)
    }
}

/// A type whose numbers, of type `N`, `range = …` can bound: a number, a count with a clock, or several of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `range`",
    label = "only numbers can have a `range`",
    note = "numbers can, and `Option`, `Vec`, arrays and pairs of them; leave `range` out and check the value where it is used"
)]
pub trait Ranged<N> {
    /// Hands every number to `check`.
    fn each(&self, check: &mut dyn FnMut(&N));
}

macro_rules! ranged {
    ($($number:ty)*) => { $(
        #[diagnostic::do_not_recommend]
        impl Ranged<$number> for $number {
            fn each(&self, check: &mut dyn FnMut(&$number)) {
                check(self);
            }
        }
    )* };
}
ranged!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64);

macro_rules! ranged_units {
    ($($unit:ty)*) => { $(
        #[diagnostic::do_not_recommend]
        impl Ranged<u64> for $unit {
            fn each(&self, check: &mut dyn FnMut(&u64)) {
                check(&self.0);
            }
        }
    )* };
}
ranged_units!(Batch Iter Epoch);

#[diagnostic::do_not_recommend]
impl<N, T: Ranged<N>> Ranged<N> for Option<T> {
    fn each(&self, check: &mut dyn FnMut(&N)) {
        self.iter().for_each(|value| value.each(check));
    }
}

#[diagnostic::do_not_recommend]
impl<N, T: Ranged<N>> Ranged<N> for Vec<T> {
    fn each(&self, check: &mut dyn FnMut(&N)) {
        self.iter().for_each(|value| value.each(check));
    }
}

#[diagnostic::do_not_recommend]
impl<N, T: Ranged<N>, const LEN: usize> Ranged<N> for [T; LEN] {
    fn each(&self, check: &mut dyn FnMut(&N)) {
        self.iter().for_each(|value| value.each(check));
    }
}

#[diagnostic::do_not_recommend]
impl<N, T: Ranged<N>> Ranged<N> for (T, T) {
    fn each(&self, check: &mut dyn FnMut(&N)) {
        self.0.each(check);
        self.1.each(check);
    }
}

/// What can stand after `range =`.
#[diagnostic::on_unimplemented(
    message = "the ends of this `range` are not of type `{N}`",
    label = "expected a range of `{N}`, as the field has",
    note = "an end of a range of floats has a point: `0.0..=1.0`"
)]
pub trait Limits<N> {
    /// Whether a number lies within; NaN lies nowhere.
    fn hold(&self, number: &N) -> bool;
}

macro_rules! limits {
    ($($range:ident)*) => { $(
        impl<N: PartialOrd> Limits<N> for std::ops::$range<N> {
            fn hold(&self, number: &N) -> bool {
                RangeBounds::contains(self, number)
            }
        }
    )* };
}
limits!(Range RangeInclusive RangeFrom RangeTo RangeToInclusive);

/// Whether every number of `value` lies within `range`; `source` is the range as its author wrote it.
///
/// # Errors
/// A text that names the field, the range and the first number outside it.
pub fn check_range<T: Ranged<N>, N: Display>(
    value: &T,
    field: &str,
    range: impl Limits<N>,
    source: &str,
) -> Result<(), String> {
    let mut outside = None;
    value.each(&mut |number| {
        if outside.is_none() && !range.hold(number) {
            outside = Some(number.to_string());
        }
    });
    match outside {
        None => Ok(()),
        Some(number) => Err(format!("`{field}` must be {}, got {number}", in_words(source))),
    }
}

/// A range as people say it: `1..` is "at least 1", and `f64::MIN_POSITIVE..` is "above 0".
pub fn in_words(source: &str) -> String {
    match source.strip_suffix("..=f64::MAX") {
        Some("f64::MIN") => return "finite".to_owned(),
        Some(least) => return format!("finite and at least {least}"),
        None => {}
    }
    if let Some(end) = source.strip_prefix("f64::MIN_POSITIVE..") {
        return match end.strip_prefix('=') {
            Some(most) => format!("above 0 and at most {most}"),
            None if end.is_empty() => "above 0".to_owned(),
            None => format!("above 0 and below {end}"),
        };
    }
    match (source.split_once("..="), source.split_once("..")) {
        (Some(("", most)), _) => format!("at most {most}"),
        (None, Some((least, ""))) => format!("at least {least}"),
        (None, Some(("", above))) => format!("below {above}"),
        _ if source == "exists" => "must exist".to_owned(),
        _ => format!("in {source}"),
    }
}

/// A type made of paths: `exists` looks for them, and as a default they are made absolute.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be asked to exist",
    label = "only paths can exist",
    note = "`exists` is for `PathBuf`, and for `Option` and `Vec` of it; make the field one, or leave `exists` out"
)]
pub trait Paths {
    /// Hands every path to `look`.
    fn each_path(&self, look: &mut dyn FnMut(&Path));
    /// The same places, from the root of the file system on.
    #[must_use]
    fn absolute(self) -> Self;
}

impl Paths for PathBuf {
    fn each_path(&self, look: &mut dyn FnMut(&Path)) {
        look(self);
    }
    fn absolute(self) -> Self {
        // an empty path leads nowhere, and stays so
        std::path::absolute(&self).unwrap_or(self)
    }
}

impl<T: Paths> Paths for Option<T> {
    fn each_path(&self, look: &mut dyn FnMut(&Path)) {
        self.iter().for_each(|value| value.each_path(look));
    }
    fn absolute(self) -> Self {
        self.map(T::absolute)
    }
}

impl<T: Paths> Paths for Vec<T> {
    fn each_path(&self, look: &mut dyn FnMut(&Path)) {
        self.iter().for_each(|value| value.each_path(look));
    }
    fn absolute(self) -> Self {
        self.into_iter().map(T::absolute).collect()
    }
}

/// Whether every path of `value` is there.
///
/// # Errors
/// A text that names the first path that is not, how far it leads, and what may have been meant.
pub fn check_exists<T: Paths>(value: &T) -> Result<(), String> {
    let mut result = Ok(());
    value.each_path(&mut |path| {
        if result.is_ok() {
            result = look_for(path);
        }
    });
    result
}

thread_local! {
    /// Whether paths that have to exist are not looked for.
    static UNSEEN: Cell<bool> = const { Cell::new(false) };
}

/// Reads settings whose files this machine may lack, because nobody will open them.
pub(crate) fn without_looking_for_files<R>(read: impl FnOnce() -> R) -> R {
    /// Looks again at its end, also when a panic unwinds.
    struct Again(bool);
    impl Drop for Again {
        fn drop(&mut self) {
            UNSEEN.set(self.0);
        }
    }
    let _again = Again(UNSEEN.replace(true));
    read()
}

fn look_for(path: &Path) -> Result<(), String> {
    if UNSEEN.get() {
        return Ok(());
    }
    let Err(error) = path.metadata() else { return Ok(()) };
    let name = path.display();
    if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
        return Err(format!("can't look for `{name}`: {error}"));
    }
    // the first part of the path that is not there
    let there = |part: &&Path| part.metadata().is_ok();
    let absent = path.ancestors().take_while(|part| !there(part) && !part.as_os_str().is_empty()).last();
    let Some(absent) = absent else { return Err("the path is empty".to_owned()) };
    let meant = neighbour(absent).map_or(String::new(), |near| format!(", did you mean `{near}`?"));
    let folder = absent.parent().filter(|folder| folder.is_file());
    Err(match folder {
        Some(file) => format!("can't find `{name}`: `{}` is not a folder", file.display()),
        None if absent == path => format!("can't find `{name}`{meant}"),
        None => format!("can't find `{name}`: there is no folder `{}`{meant}", absent.display()),
    })
}

/// Reads a setting and checks it.
///
/// # Errors
/// When the value is of another type, or `check` finds it wrong.
pub fn read_checked<'de, T: ConfigValue, D: Deserializer<'de>>(
    deserializer: D,
    check: fn(&T) -> Result<(), String>,
) -> Result<T, D::Error> {
    let value = T::read(deserializer)?;
    check(&value).map_err(D::Error::custom)?;
    Ok(value)
}

/// Puts a `#[state]` field into a map.
pub fn save_field<T: Saved>(state: &mut StateMap, name: &str, field: &T) {
    state.0.insert(name.to_owned(), field.save());
}

/// Takes a `#[state]` field out of a map.
///
/// # Errors
/// When the entry is missing or of another type.
pub fn load_field<T: Saved>(state: &mut StateMap, name: &str, field: &mut T) -> Result<(), StateError> {
    let value = state.0.remove(name).ok_or_else(|| StateError::Missing { name: name.into() })?;
    *field = T::restore(value).map_err(|error| error.at(name))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_its_range_is_named_with_the_range() {
        let error = check_range(&0i64, "width", 1..=1024, "1..=1024").unwrap_err();
        assert_eq!(error, "`width` must be in 1..=1024, got 0");
        let error = check_range(&0i64, "every", 1.., "1..").unwrap_err();
        assert_eq!(error, "`every` must be at least 1, got 0");
        assert!(check_range(&1024i64, "width", 1..=1024, "1..=1024").is_ok());
        assert!(check_range(&1.0, "decay", 0.0..1.0, "0.0..1.0").is_err());
    }

    #[test]
    fn nan_lies_in_no_range() {
        assert!(check_range(&f64::NAN, "lr", 0.0.., "0.0..").is_err());
        assert!(check_range(&f64::NAN, "lr", ..=1.0, "..=1.0").is_err());
    }

    #[test]
    fn a_path_that_is_not_there_is_told_with_how_far_it_leads() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().display();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        std::fs::write(dir.path().join("data/digits.csv"), "").unwrap();
        let path = |path: &str| dir.path().join(path);
        let refused = |of: &str| check_exists(&path(of)).unwrap_err();
        assert_eq!(check_exists(&vec![path("data"), path("data/digits.csv")]), Ok(()));
        assert_eq!(check_exists(&None::<PathBuf>), Ok(()));
        assert_eq!(
            refused("data/digts.csv"),
            format!("can't find `{root}/data/digts.csv`, did you mean `digits.csv`?")
        );
        assert_eq!(refused("data/moons"), format!("can't find `{root}/data/moons`"));
        assert_eq!(
            refused("dta/digits.csv"),
            format!("can't find `{root}/dta/digits.csv`: there is no folder `{root}/dta`, did you mean `data`?")
        );
        assert_eq!(
            refused("no/such/file"),
            format!("can't find `{root}/no/such/file`: there is no folder `{root}/no`")
        );
        assert_eq!(
            refused("data/digits.csv/part"),
            format!("can't find `{root}/data/digits.csv/part`: `{root}/data/digits.csv` is not a folder")
        );
        assert_eq!(check_exists(&PathBuf::new()), Err("the path is empty".to_owned()));
        let second = check_exists(&vec![path("data"), path("b"), path("c")]).unwrap_err();
        assert_eq!(second, format!("can't find `{root}/b`"));
    }

    #[test]
    fn every_number_of_a_field_is_checked() {
        assert!(check_range(&(0.9, 1.5), "betas", 0.0..1.0, "0.0..1.0").is_err());
        assert!(check_range(&Some(vec![0.9, 0.5]), "betas", 0.0..1.0, "0.0..1.0").is_ok());
        assert!(check_range(&None::<f64>, "betas", 0.0..1.0, "0.0..1.0").is_ok());
    }
}

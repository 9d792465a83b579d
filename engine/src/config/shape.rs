//! What a type accepts, learnt by letting it read: the types that `list` prints, and the values that `new` makes up.
//!
//! A [`Shape`] is found without a value. The type is asked to read again and again, each time from a deserializer that
//! leads it to one place, notes what is asked for there, and ends the reading. So neither a validator nor a field
//! that can't be made up hides what comes after it.

use super::probe::Asked;
pub use super::probe::{Probe, Reading, Stop};
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::fmt;

/// What a type accepts in an experiment file.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// An integer of this Rust type.
    Int(&'static str),
    /// A number.
    Float,
    /// `'x'`.
    Char,
    /// `".."`, and what it is a text of: `text`, or what the type says that it wants.
    Text(String),
    /// The path of a file or folder, in quotes.
    FilePath,
    /// `b".."`.
    Bytes,
    /// `()`.
    Unit,
    /// A value, or `None`.
    Optional(Box<Shape>),
    /// `[..]`.
    List(Box<Shape>),
    /// `(.., ..)`.
    Tuple(Vec<Shape>),
    /// `{..: ..}`.
    Pairs(Box<Shape>, Box<Shape>),
    /// `Name(key: ..)`, under the name of its type.
    Struct(&'static str, Vec<(&'static str, Shape)>),
    /// One of several names, each alone or with a value.
    Enum(Vec<(&'static str, Shape)>),
    /// A component by its name; the noun of its kind (`hook`), and the names that are linked in.
    Component(String, Vec<&'static str>),
    /// Whatever its type makes of it, in the type's own word.
    Anything(String),
}

/// Deeper, a type most likely holds itself.
const MAX_DEPTH: usize = 8;

impl Shape {
    /// The shape of a type.
    pub fn of<T: DeserializeOwned>() -> Shape {
        Self::of_reading(&|probe| T::deserialize(probe).map(|_| ()))
    }

    /// The shape of what `read` reads from the deserializer that it is given.
    pub fn of_reading(read: &Reading<'_>) -> Shape {
        Self::at(&mut Vec::new(), read)
    }

    /// The shape at the end of a path of steps.
    fn at(path: &mut Vec<usize>, read: &Reading<'_>) -> Shape {
        let found = RefCell::new(Asked::Any);
        // it ends with an error in any case: what it asked for on the way is what is wanted
        let _ = read(Probe { path, found: &found });
        let mut inner = |step: usize| {
            path.push(step);
            let shape = if path.len() > MAX_DEPTH { any() } else { Self::at(path, read) };
            path.pop();
            shape
        };
        match found.into_inner() {
            Asked::Plain(shape) => shape,
            Asked::Any => any(),
            Asked::Option => Shape::Optional(Box::new(inner(0))),
            // the name of a newtype says nothing in a file
            Asked::Newtype => inner(0),
            Asked::List => Shape::List(Box::new(inner(0))),
            Asked::Tuple(length) => Shape::Tuple((0..length).map(inner).collect()),
            Asked::Map => Shape::Pairs(Box::new(inner(0)), Box::new(inner(1))),
            Asked::Component(noun) => Shape::Component(noun, names_of(path, read)),
            Asked::Struct(name, fields) => {
                let shapes = fields.iter().enumerate().map(|(step, field)| (*field, inner(step)));
                Shape::Struct(name, shapes.collect())
            }
            Asked::Enum(variants) => {
                let shapes = variants.iter().enumerate().map(|(step, variant)| (*variant, inner(step)));
                Shape::Enum(shapes.collect())
            }
            Asked::Fields(fields) => {
                let shapes = fields.iter().enumerate().map(|(step, field)| (*field, inner(step)));
                Shape::Struct("", shapes.collect())
            }
        }
    }
}

/// As people say it: `u64`, `text or None`, `[(f64, f64)]`, `Norm(f64) or Value(f64)`, `a hook`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Bool => f.write_str("bool"),
            Shape::Int(name) => f.write_str(name),
            Shape::Float => f.write_str("f64"),
            Shape::Char => f.write_str("char"),
            Shape::Text(word) => f.write_str(word),
            Shape::FilePath => f.write_str("path"),
            Shape::Bytes => f.write_str("bytes"),
            Shape::Unit => f.write_str("()"),
            Shape::Optional(inner) => write!(f, "{inner} or None"),
            Shape::List(item) => write!(f, "[{item}]"),
            Shape::Tuple(items) => {
                f.write_str("(")?;
                list(f, items.iter())?;
                f.write_str(")")
            }
            Shape::Pairs(key, value) => write!(f, "{{{key}: {value}}}"),
            Shape::Struct(_, fields) => {
                f.write_str("(")?;
                list(f, fields.iter().map(|(key, _)| key))?;
                f.write_str(")")
            }
            Shape::Enum(variants) => {
                for (index, (name, payload)) in variants.iter().enumerate() {
                    let or = if index > 0 { " or " } else { "" };
                    match payload {
                        Shape::Unit => write!(f, "{or}{name}")?,
                        Shape::Tuple(_) | Shape::Struct(..) => write!(f, "{or}{name}{payload}")?,
                        _ => write!(f, "{or}{name}({payload})")?,
                    }
                }
                Ok(())
            }
            Shape::Component(noun, _) => f.write_str(noun),
            Shape::Anything(word) => f.write_str(word),
        }
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: impl Iterator<Item = T>) -> fmt::Result {
    for (index, item) in items.enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{item}")?;
    }
    Ok(())
}

pub(super) fn any() -> Shape {
    Shape::Anything("value".to_owned())
}

/// The names that a component's trait knows: it tells them when it is given one that it does not.
fn names_of(path: &[usize], read: &Reading<'_>) -> Vec<&'static str> {
    let mut path = path.to_vec();
    path.push(0);
    match read(Probe { path: &path, found: &RefCell::new(Asked::Any) }) {
        Err(Stop(names)) => names.to_vec(),
        Ok(()) => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde::de::{Deserializer, Error as _};
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    #[derive(Deserialize)]
    #[serde(rename = "Every")]
    #[expect(dead_code, reason = "only its shape is of interest")]
    struct Every {
        count: u64,
        share: f32,
        name: String,
        path: Option<PathBuf>,
        pairs: Vec<(i64, bool)>,
        by_name: BTreeMap<String, Option<f64>>,
        way: Way,
        #[serde(deserialize_with = "never")]
        picky: u8,
        last: Newtype,
        inner: Box<Option<Inner>>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape is of interest")]
    enum Way {
        Plain,
        Norm(f64),
        Both(f64, bool),
        Named { least: i8, most: i8 },
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape is of interest")]
    struct Newtype(u32);

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape is of interest")]
    struct Inner {
        again: Vec<Inner>,
    }

    fn never<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        u8::deserialize(deserializer)?;
        Err(D::Error::custom("no value is good enough"))
    }

    #[test]
    fn every_field_of_a_type_has_its_shape() {
        let Shape::Struct("Every", fields) = Shape::of::<Every>() else { unreachable!() };
        let told: Vec<String> = fields.iter().map(|(key, shape)| format!("{key}: {shape}")).collect();
        assert_eq!(
            told,
            [
                "count: u64",
                "share: f64",
                "name: text",
                "path: path or None",
                "pairs: [(i64, bool)]",
                "by_name: {text: f64 or None}",
                "way: Plain or Norm(f64) or Both(f64, bool) or Named(least, most)",
                "picky: u8",
                "last: u32",
                "inner: (again) or None",
            ]
        );
    }

    #[test]
    fn a_type_that_holds_itself_ends_somewhere() {
        assert!(matches!(Shape::of::<Inner>(), Shape::Struct("Inner", _)));
    }
}

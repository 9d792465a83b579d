//! Finds the shape of a type by letting it read along one path after the other.

use super::kinds::{Shape, any};
use super::probe::{Probe, Reading, Requested, Stop};
use serde::de::DeserializeOwned;
use std::cell::RefCell;

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
        let found = RefCell::new(Requested::Any);
        // it ends with an error in any case: what it asked for on the way is what is wanted
        let _ = read(Probe { path, found: &found });
        let mut inner = |step: usize| {
            path.push(step);
            let shape = if path.len() > MAX_DEPTH { any() } else { Self::at(path, read) };
            path.pop();
            shape
        };
        match found.into_inner() {
            Requested::Plain(shape) => shape,
            Requested::Any => any(),
            Requested::Option => Shape::Optional(Box::new(inner(0))),
            // the name of a newtype says nothing in a file
            Requested::Newtype => inner(0),
            Requested::List => Shape::List(Box::new(inner(0))),
            Requested::Tuple(length) => Shape::Tuple((0..length).map(inner).collect()),
            Requested::Map => Shape::Pairs(Box::new(inner(0)), Box::new(inner(1))),
            Requested::Component(noun) => Shape::Component(noun, names_of(path, read)),
            Requested::Struct(name, fields) => {
                let shapes = fields.iter().enumerate().map(|(step, field)| (*field, inner(step)));
                Shape::Struct(name, shapes.collect())
            }
            Requested::Enum(variants) => {
                let shapes = variants.iter().enumerate().map(|(step, variant)| (*variant, inner(step)));
                Shape::Enum(shapes.collect())
            }
            Requested::Fields(fields) => {
                let shapes = fields.iter().enumerate().map(|(step, field)| (*field, inner(step)));
                Shape::Struct("", shapes.collect())
            }
        }
    }
}

/// The names that a component's trait knows: it tells them when it is given one that it does not.
fn names_of(path: &[usize], read: &Reading<'_>) -> Vec<&'static str> {
    let mut path = path.to_vec();
    path.push(0);
    match read(Probe { path: &path, found: &RefCell::new(Requested::Any) }) {
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

//! What a type accepts, learnt by letting it read: the types that `list` prints, and the values that `new` makes up.
//!
//! A [`Shape`] is found without a value. The type is asked to read again and again, each time from a deserializer that
//! leads it to one place, notes what is asked for there, and ends the reading. So neither a validator nor a field
//! that can't be made up hides what comes after it.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
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

fn any() -> Shape {
    Shape::Anything("value".to_owned())
}

/// Lets the type read.
pub type Reading<'r> = dyn Fn(Probe<'_>) -> Result<(), Stop> + 'r;

/// What was asked for at the end of the path.
enum Asked {
    Plain(Shape),
    Option,
    Newtype,
    List,
    Tuple(usize),
    Map,
    Struct(&'static str, &'static [&'static str]),
    Fields(&'static [&'static str]),
    Enum(&'static [&'static str]),
    Component(String),
    Any,
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

/// The end of a reading, with the names that would have been known.
#[derive(Debug)]
pub struct Stop(&'static [&'static str]);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a shape is asked for, not a value")
    }
}

impl std::error::Error for Stop {}

impl serde::de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Stop(&[])
    }
    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Stop(known)
    }
}

/// Leads a reading along a path, and notes what is asked for at its end.
#[derive(Clone, Copy)]
pub struct Probe<'p> {
    path: &'p [usize],
    found: &'p RefCell<Asked>,
}

impl<'p> Probe<'p> {
    /// The next step and what is left of the path; at its end, notes what is asked for and stops.
    fn step(self, asked: impl FnOnce() -> Asked) -> Result<(usize, Probe<'p>), Stop> {
        match self.path.split_first() {
            Some((step, path)) => Ok((*step, Probe { path, ..self })),
            None => {
                *self.found.borrow_mut() = asked();
                Err(Stop(&[]))
            }
        }
    }

    fn plain<T>(self, shape: Shape) -> Result<T, Stop> {
        self.step(|| Asked::Plain(shape))?;
        Err(Stop(&[]))
    }
}

macro_rules! plain {
    ($($method:ident $shape:expr;)*) => { $(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
            self.plain($shape)
        }
    )* };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Stop;

    plain! {
        deserialize_bool Shape::Bool;
        deserialize_i8 Shape::Int("i8");
        deserialize_i16 Shape::Int("i16");
        deserialize_i32 Shape::Int("i32");
        deserialize_i64 Shape::Int("i64");
        deserialize_i128 Shape::Int("i128");
        deserialize_u8 Shape::Int("u8");
        deserialize_u16 Shape::Int("u16");
        deserialize_u32 Shape::Int("u32");
        deserialize_u64 Shape::Int("u64");
        deserialize_u128 Shape::Int("u128");
        deserialize_f32 Shape::Float;
        deserialize_f64 Shape::Float;
        deserialize_char Shape::Char;
        deserialize_bytes Shape::Bytes;
        deserialize_byte_buf Shape::Bytes;
        deserialize_unit Shape::Unit;
        deserialize_ignored_any any();
    }

    /// A type that takes several kinds of values says what it wants: `a level: HIGH, ..`.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.plain(Shape::Anything(wanted(&visitor)))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_any(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.plain(match wanted(&visitor).as_str() {
            "path string" => Shape::FilePath,
            "string" | "borrowed string" => Shape::Text("text".to_owned()),
            word => Shape::Text(word.to_owned()),
        })
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let (_, inner) = self.step(|| Asked::Option)?;
        visitor.visit_some(inner)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, _: V) -> Result<V::Value, Stop> {
        self.plain(Shape::Struct(name, Vec::new()))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        let (_, inner) = self.step(|| Asked::Newtype)?;
        visitor.visit_newtype_struct(inner)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let (_, inner) = self.step(|| Asked::List)?;
        visitor.visit_seq(Items { before: 0, inner })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Stop> {
        let (before, inner) = self.step(|| Asked::Tuple(length))?;
        visitor.visit_seq(Items { before, inner })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let expected = (&visitor as &dyn Expected).to_string();
        let (step, inner) = self.step(|| match expected.strip_prefix("dyn ") {
            Some(name) => Asked::Component(super::de::noun(name)),
            None => Asked::Map,
        })?;
        match expected.starts_with("dyn ") {
            // no component has this name
            true => visitor.visit_map(OneField { key: "", inner }),
            false => visitor.visit_map(OnePair { step, inner }),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (step, inner) = self.step(|| Asked::Struct(name, fields))?;
        visitor.visit_map(OneField { key: fields.get(step).copied().unwrap_or_default(), inner })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (step, inner) = self.step(|| Asked::Enum(variants))?;
        visitor.visit_enum(OneVariant { name: variants.get(step).copied().unwrap_or_default(), inner })
    }
}

/// What a type says that it wants, as a word: `level` of `a level: HIGH, ..`.
fn wanted(expected: &dyn Expected) -> String {
    let sentence = expected.to_string();
    let word = sentence.split(':').next().unwrap_or_default();
    word.trim_start_matches("a ").trim_start_matches("an ").to_owned()
}

/// Items of which all before the one on the path are made up: only small ones can be.
struct Items<'p> {
    before: usize,
    inner: Probe<'p>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        match self.before.checked_sub(1) {
            None => seed.deserialize(self.inner).map(Some),
            Some(before) => {
                self.before = before;
                seed.deserialize(super::de::StandIn::default()).map(Some).map_err(Stop::custom)
            }
        }
    }
}

/// A struct of one field.
struct OneField<'p> {
    key: &'static str,
    inner: Probe<'p>,
}

impl<'de> MapAccess<'de> for OneField<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        seed.deserialize(BorrowedStrDeserializer::<Stop>::new(self.key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(self.inner)
    }
}

/// A map of one pair: the path leads to its key or to its value.
struct OnePair<'p> {
    step: usize,
    inner: Probe<'p>,
}

impl<'de> MapAccess<'de> for OnePair<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        match self.step {
            0 => seed.deserialize(self.inner).map(Some),
            _ => seed.deserialize(super::de::StandIn::default()).map(Some).map_err(Stop::custom),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(self.inner)
    }
}

/// A variant of an enum, whose payload is what is led to.
struct OneVariant<'p> {
    name: &'static str,
    inner: Probe<'p>,
}

impl<'de, 'p> EnumAccess<'de> for OneVariant<'p> {
    type Error = Stop;
    type Variant = Probe<'p>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Probe<'p>), Stop> {
        let name = seed.deserialize(BorrowedStrDeserializer::<Stop>::new(self.name))?;
        Ok((name, self.inner))
    }
}

impl<'de> VariantAccess<'de> for Probe<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        self.plain(Shape::Unit)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Stop> {
        let (step, inner) = self.step(|| Asked::Fields(fields))?;
        visitor.visit_map(OneField { key: fields.get(step).copied().unwrap_or_default(), inner })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
mod tests {
    use super::*;
    use serde::Deserialize;
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

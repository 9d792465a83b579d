//! A deserializer that follows one field path and records the type requested there: see [`Shape`].

use super::kinds::{Shape, any};
use crate::config::de::{StandIn, noun};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::cell::RefCell;
use std::fmt;

/// Lets the type read.
pub type Reading<'r> = dyn Fn(Probe<'_>) -> Result<(), Stop> + 'r;

/// The type requested at the end of the path.
pub(super) enum Requested {
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

/// The end of a reading, with the names that would have been known.
#[derive(Debug)]
pub struct Stop(pub(super) &'static [&'static str]);

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

/// Follows one field path and records the type requested at its end.
#[derive(Clone, Copy)]
pub struct Probe<'p> {
    pub(super) path: &'p [usize],
    pub(super) found: &'p RefCell<Requested>,
}

impl<'p> Probe<'p> {
    /// The next step and the rest of the path; at its end, records the requested type and stops.
    fn step(self, requested: impl FnOnce() -> Requested) -> Result<(usize, Probe<'p>), Stop> {
        match self.path.split_first() {
            Some((step, path)) => Ok((*step, Probe { path, ..self })),
            None => {
                *self.found.borrow_mut() = requested();
                Err(Stop(&[]))
            }
        }
    }

    fn plain<T>(self, shape: Shape) -> Result<T, Stop> {
        self.step(|| Requested::Plain(shape))?;
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
        let (_, inner) = self.step(|| Requested::Option)?;
        visitor.visit_some(inner)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, _: V) -> Result<V::Value, Stop> {
        self.plain(Shape::Struct(name, Vec::new()))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        let (_, inner) = self.step(|| Requested::Newtype)?;
        visitor.visit_newtype_struct(inner)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let (_, inner) = self.step(|| Requested::List)?;
        visitor.visit_seq(Items { before: 0, inner })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Stop> {
        let (before, inner) = self.step(|| Requested::Tuple(length))?;
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
            Some(name) => Requested::Component(noun(name)),
            None => Requested::Map,
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
        let (step, inner) = self.step(|| Requested::Struct(name, fields))?;
        visitor.visit_map(OneField { key: fields.get(step).copied().unwrap_or_default(), inner })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (step, inner) = self.step(|| Requested::Enum(variants))?;
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
                seed.deserialize(StandIn::default()).map(Some).map_err(Stop::custom)
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

/// A map of one pair: the path goes on in its key or in its value.
struct OnePair<'p> {
    step: usize,
    inner: Probe<'p>,
}

impl<'de> MapAccess<'de> for OnePair<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        match self.step {
            0 => seed.deserialize(self.inner).map(Some),
            _ => seed.deserialize(StandIn::default()).map(Some).map_err(Stop::custom),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(self.inner)
    }
}

/// A variant of an enum; the path goes on in its payload.
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
        let (step, inner) = self.step(|| Requested::Fields(fields))?;
        visitor.visit_map(OneField { key: fields.get(step).copied().unwrap_or_default(), inner })
    }
}

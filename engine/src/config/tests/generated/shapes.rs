//! A type that has every kind of value in it, and any value of it.

use super::random::Random;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Shape {
    Unit,
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    F32(f32),
    F64(f64),
    Bool(bool),
    Char(char),
    Text(String),
    Bytes(Bytes),
    Optional(Option<u32>),
    Twice(Option<Option<Newtype>>),
    OptionalInner(Option<Inner>),
    New(Newtype),
    Of(Inner),
    Bare(Bare),
    Pair(i16, Pair),
    Tuple((u8, char)),
    Units((), ()),
    Fields {
        #[serde(default)]
        r#type: Vec<Shape>,
        größe: Option<char>,
        #[serde(rename = "a-b.c")]
        raw: Box<Shape>,
    },
    List(Vec<Shape>),
    Map(BTreeMap<(u8, char), Shape>),
    Texts(BTreeMap<String, i64>),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Newtype(pub(super) u32);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Inner {
    pub(super) a: i32,
    #[serde(default)]
    pub(super) b: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Bare;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Pair(pub(super) bool, pub(super) String);

#[derive(Debug, Clone)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl Visitor<'_> for Visit {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visit)
    }
}

impl Shape {
    /// Any value that is at most `depth` deep.
    pub(super) fn any(random: &mut Random, depth: usize) -> Shape {
        let kinds = if depth == 0 { 25 } else { 29 };
        let inner =
            |random: &mut Random| Inner { a: random.integer(32) as i32, b: (!random.one_in(2)).then(|| random.text()) };
        match random.below(kinds) {
            0 => Shape::Unit,
            1 => Shape::I8(random.integer(8) as i8),
            2 => Shape::I16(random.integer(16) as i16),
            3 => Shape::I32(random.integer(32) as i32),
            4 => Shape::I64(random.integer(64) as i64),
            5 => Shape::I128(random.integer(128)),
            6 => Shape::U8(random.integer(8) as u8),
            7 => Shape::U16(random.integer(16) as u16),
            8 => Shape::U32(random.integer(32) as u32),
            9 => Shape::U64(random.integer(64) as u64),
            10 => Shape::F32(random.float() as f32),
            11 => Shape::F64(random.float()),
            12 => Shape::Bool(random.one_in(2)),
            13 => Shape::Char(random.character()),
            14 => Shape::Text(random.text()),
            15 => Shape::Bytes(Bytes((0..random.below(6)).map(|_| random.below(256) as u8).collect())),
            16 => Shape::Optional((!random.one_in(3)).then(|| random.below(9) as u32)),
            17 => {
                Shape::Twice((!random.one_in(3)).then(|| (!random.one_in(3)).then(|| Newtype(random.below(9) as u32))))
            }
            18 => Shape::OptionalInner((!random.one_in(3)).then(|| inner(random))),
            19 => Shape::New(Newtype(random.integer(32) as u32)),
            20 => Shape::Of(inner(random)),
            21 => Shape::Bare(Bare),
            22 => Shape::Pair(random.integer(16) as i16, Pair(random.one_in(2), random.text())),
            23 => Shape::Tuple((random.below(256) as u8, random.character())),
            24 => Shape::Units((), ()),
            25 => Shape::Fields {
                r#type: (0..random.below(3)).map(|_| Shape::any(random, depth - 1)).collect(),
                größe: (!random.one_in(2)).then(|| random.character()),
                raw: Box::new(Shape::any(random, depth - 1)),
            },
            26 => Shape::List((0..random.below(4)).map(|_| Shape::any(random, depth - 1)).collect()),
            27 => Shape::Map(
                (0..random.below(4))
                    .map(|_| ((random.below(256) as u8, random.character()), Shape::any(random, depth - 1)))
                    .collect(),
            ),
            _ => {
                let identifiers = random.one_in(2);
                let key = |random: &mut Random| match identifiers {
                    true => random.pick(&["a", "team", "größe", "r"]).to_owned(),
                    false => random.text(),
                };
                Shape::Texts((0..random.below(4)).map(|_| (key(random), random.integer(64) as i64)).collect())
            }
        }
    }
}

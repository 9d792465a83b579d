//! What each type that serde asks for accepts.

use super::super::diagnostic::Diagnostic;
use super::super::tree::{Field, Kind, Node};
use super::De;
use super::access::{Elements, Fields, Pairs, Tagged, Variant};
use super::error::{Error, Result};
use super::report::{noun, word_of_the_format};
use crate::base::suggest::{did_you_mean, expected_one_of};
use crate::base::words::OPERATORS;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use std::fmt;

/// Floats up to here are whole numbers exactly.
const LARGEST_WHOLE_FLOAT: f64 = 9_007_199_254_740_992.0;

macro_rules! integers {
    ($($method:ident $type:ident)*) => { $(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
            let range = Range { name: stringify!($type), min: i128::from($type::MIN), max: i128::from($type::MAX) };
            self.integer(range, visitor)
        }
    )* };
}

/// Methods that hand over to another one.
macro_rules! same_as {
    ($($method:ident $other:ident)*) => { $(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
            self.$other(visitor)
        }
    )* };
}

impl<'a> Deserializer<'a> for De<'a, '_> {
    type Error = Error;

    integers! {
        deserialize_i8 i8 deserialize_i16 i16 deserialize_i32 i32 deserialize_i64 i64 deserialize_i128 i128
        deserialize_u8 u8 deserialize_u16 u16 deserialize_u32 u32 deserialize_u64 u64
    }

    same_as! {
        deserialize_string deserialize_str
        deserialize_identifier deserialize_str
        deserialize_byte_buf deserialize_bytes
    }

    fn deserialize_u128<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        self.integer(Range { name: "u128", min: 0, max: i128::MAX }, visitor)
    }

    /// For types that take several kinds of values (a level by name or number) and for untagged enums.
    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        if let Some(inner) = self.some() {
            return self.inside(inner, |inner| visitor.visit_some(inner));
        }
        match (&self.node.kind, self.name()) {
            (Kind::Unit, Some("None")) => self.located(visitor.visit_none()),
            (Kind::Unit, Some(name)) => self.located(visitor.visit_borrowed_str(name)),
            (_, Some(_)) => self.located(visitor.visit_map(Tagged::new(self, None))),
            (Kind::Bool(value), None) => self.located(visitor.visit_bool(*value)),
            (Kind::Int(value), None) => self.visit_integer(*value, visitor),
            (Kind::Float(value), None) => self.located(visitor.visit_f64(*value)),
            (Kind::Str(text), None) => self.located(visitor.visit_borrowed_str(text)),
            (Kind::Char(value), None) => self.located(visitor.visit_char(*value)),
            (Kind::Bytes(bytes), None) => self.located(visitor.visit_borrowed_bytes(bytes)),
            (Kind::Unit, None) => self.located(visitor.visit_unit()),
            (Kind::Tuple(items), None) if self.body && items.len() == 1 => {
                self.inside(&items[0], |item| item.deserialize_any(visitor))
            }
            (Kind::Tuple(items), None) => self.elements(Elements::of_tuple(self, items), visitor),
            (Kind::Seq(items), None) => self.elements(Elements::of_list(self, items), visitor),
            (Kind::Struct(_), None) => self.fields(None, visitor),
            (Kind::Map(pairs), None) => self.located(visitor.visit_map(Pairs::new(self, pairs, None))),
        }
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        const EXPECTED: &str = "`true` or `false`";
        let scalar = self.scalar(EXPECTED)?;
        match scalar.kind {
            Kind::Bool(value) => self.located(visitor.visit_bool(value)),
            _ => {
                let meant = did_you_mean(self.name().unwrap_or_default(), ["true", "false"]);
                Err(self.record(self.no_scalar(&scalar, EXPECTED).suggest(meant)))
            }
        }
    }

    fn deserialize_f64<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        let scalar = self.scalar("a number")?;
        match scalar.kind {
            Kind::Float(value) => self.located(visitor.visit_f64(value)),
            Kind::Int(value) => self.located(visitor.visit_f64(value as f64)),
            _ => Err(self.record(self.no_scalar(&scalar, "a number"))),
        }
    }

    fn deserialize_f32<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match self.scalar("a number")?.kind {
            Kind::Float(value) if value.is_finite() && (value as f32).is_infinite() => {
                let message = format!("`{value:?}` does not fit `f32`, expected {:?} to {:?}", f32::MIN, f32::MAX);
                Err(self.record(Diagnostic::new(self.node.span, message)))
            }
            _ => self.deserialize_f64(visitor),
        }
    }

    fn deserialize_char<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match self.node.kind {
            Kind::Char(value) => self.located(visitor.visit_char(value)),
            _ => self.wrong("a character `'x'`"),
        }
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        let expected = Expecting(&visitor).to_string();
        match self.text()? {
            Some(text) => match self.resolved(text, &expected) {
                std::borrow::Cow::Borrowed(text) => self.located(visitor.visit_borrowed_str(text)),
                std::borrow::Cow::Owned(text) => self.located(visitor.visit_string(text)),
            },
            None => match &self.node.kind {
                Kind::Unit if self.node.name.is_some() => {
                    let message = format!("expected a string, found {}", self.node.what());
                    let quoted = format!("write `{:?}`", self.node.name().unwrap_or_default());
                    Err(self.record(Diagnostic::new(self.node.span, message).label(quoted)))
                }
                _ => {
                    let meant = did_you_mean(self.name().unwrap_or_default(), ["Env"]);
                    Err(self.record(self.not("a string").suggest(meant.filter(|meant| self.name() != Some(meant)))))
                }
            },
        }
    }

    fn deserialize_bytes<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match &self.node.kind {
            Kind::Bytes(bytes) => self.located(visitor.visit_borrowed_bytes(bytes)),
            Kind::Seq(items) => self.elements(Elements::of_list(self, items), visitor),
            _ => self.wrong("a byte string `b\"..\"`"),
        }
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match (&self.node.kind, self.name(), self.some()) {
            (Kind::Unit, Some("None"), _) => self.located(visitor.visit_none()),
            (_, _, Some(inner)) => self.inside(inner, |inner| visitor.visit_some(inner)),
            // `Some(a: 1)` for `Some((a: 1))`
            (Kind::Struct(_) | Kind::Tuple(_), Some("Some"), _) => {
                self.located(visitor.visit_some(self.without_name()))
            }
            _ => self.located(visitor.visit_some(self)),
        }
    }

    fn deserialize_unit<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match (&self.node.kind, self.name()) {
            (Kind::Unit, None) => self.located(visitor.visit_unit()),
            (Kind::Tuple(items), None) if items.is_empty() => self.located(visitor.visit_unit()),
            _ => self.wrong("`()`"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        self.check_name(name)?;
        match &self.node.kind {
            Kind::Struct(fields) => {
                for field in fields {
                    self.unknown_field(&field.key, field.key_span, &[]);
                }
                Err(Error::Recorded)
            }
            Kind::Tuple(items) if !items.is_empty() => {
                let message = format!("`{}` takes no values", self.node.name().unwrap_or(name));
                Err(self.record(Diagnostic::new(self.node.span, message)))
            }
            _ => self.without_name().deserialize_unit(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        let own = self.name().is_none_or(|found| is_name_of(found, name));
        match &self.node.kind {
            Kind::Tuple(items) if own && items.len() == 1 => {
                self.inside(&items[0], |item| visitor.visit_newtype_struct(item))
            }
            Kind::Struct(_) if own => self.located(visitor.visit_newtype_struct(self.without_name())),
            _ => self.located(visitor.visit_newtype_struct(self)),
        }
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match &self.node.kind {
            Kind::Seq(items) => self.elements(Elements::of_list(self, items), visitor),
            Kind::Tuple(items) if self.body && items.len() == 1 => {
                self.inside(&items[0], |item| item.deserialize_seq(visitor))
            }
            _ => Err(self.record(self.not_a_list())),
        }
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, length: usize, visitor: V) -> Result<V::Value> {
        match &self.node.kind {
            Kind::Tuple(items) | Kind::Seq(items) if self.name().is_none() => match items.len() == length {
                true => self.elements(Elements::of_tuple(self, items), visitor),
                false => {
                    let found = items.len();
                    let message = format!("expected {}, found {found}", values(length));
                    Err(self.record(Diagnostic::new(self.node.span, message)))
                }
            },
            _ => self.wrong(&format!("`(..)` of {}", values(length))),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.check_name(name)?;
        self.without_name().deserialize_tuple(length, visitor)
    }

    /// Maps, and components: typetag asks for a map of one name and says which trait it is for.
    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        let expected = Expecting(&visitor).to_string();
        let noun = expected.strip_prefix("dyn ").map(noun);
        match (&self.node.kind, noun) {
            (Kind::Map(pairs), None) => self.located(visitor.visit_map(Pairs::new(self, pairs, None))),
            (_, Some(noun)) if !self.is_named() => {
                let known = match visitor.visit_map(Nameless) {
                    Err(Error::Variant { known, .. }) => known,
                    _ => &[],
                };
                Err(self.record(self.nameless(&noun, known)))
            }
            (_, noun) if self.name().is_some() => self.located(visitor.visit_map(Tagged::new(self, noun))),
            (Kind::Map(pairs), noun) => self.located(visitor.visit_map(Pairs::new(self, pairs, noun))),
            (Kind::Struct(_) | Kind::Unit, None) => self.fields(None, visitor),
            _ => self.wrong("a map `{..}`"),
        }
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.check_name(name)?;
        self.fields(Some(known), visitor)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let variant = match (&self.node.name, &self.node.kind) {
            (Some(name), _) => Variant { of: self, name: &name.text, span: name.span },
            (None, Kind::Str(text)) => Variant { of: self, name: text, span: self.node.span },
            _ => return self.wrong(&one_of(known).unwrap_or_else(|| format!("a name of `{name}`"))),
        };
        self.located(visitor.visit_enum(variant))
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }
}

impl<'a> De<'a, '_> {
    /// Named fields: of a struct, a struct variant, or (`known` is none) of a type that takes any.
    pub(super) fn fields<V: Visitor<'a>>(self, known: Option<&'static [&'static str]>, visitor: V) -> Result<V::Value> {
        let fields: &[Field] = match &self.node.kind {
            Kind::Struct(fields) => fields,
            Kind::Unit => &[],
            Kind::Tuple(items) if items.is_empty() => &[],
            _ => return self.not_fields(known),
        };
        let mut meant = Vec::new();
        if let Some(known) = known.filter(|_| self.cx.sources.has_taken_back()) {
            for (key, at) in self.cx.sources.unknown_taken_back(&self.place.path(), self.node.name(), known) {
                self.unknown_field(key, at, known);
            }
        }
        for field in fields {
            if let Some(known) = known.filter(|known| !known.contains(&field.key.as_str())) {
                self.unknown_field(&field.key, field.key_span, known);
                meant.extend(did_you_mean(&field.key, known.iter().copied()));
            }
        }
        match visitor.visit_map(Fields::new(self, fields, known)) {
            Err(Error::Missing(name)) => {
                self.cx.retry.needs(self.node, name);
                // or the misspelt field was to be it
                let known = meant.contains(&name) || self.node.get(name).is_some();
                if known { Err(Error::Recorded) } else { self.located(Err(Error::Missing(name))) }
            }
            value => self.located(value),
        }
    }

    /// Whether the value names a component: `Ema(..)`, `Ema`, or `{"Ema": (..)}` as the `ron` crate has it.
    fn is_named(self) -> bool {
        match &self.node.kind {
            Kind::Map(pairs) => matches!(pairs.as_slice(), [(Node { kind: Kind::Str(_), .. }, _)]),
            _ => self.name().is_some(),
        }
    }

    fn elements<V: Visitor<'a>>(self, mut elements: Elements<'a, '_>, visitor: V) -> Result<V::Value> {
        let value = self.located(visitor.visit_seq(&mut elements))?;
        match elements.left() {
            0 => Ok(value),
            left => Err(self.record(Diagnostic::new(self.node.span, format!("{} too many", values(left))))),
        }
    }

    fn integer<V: Visitor<'a>>(self, range: Range, visitor: V) -> Result<V::Value> {
        let scalar = self.scalar("an integer")?;
        let value = match scalar.kind {
            Kind::Int(value) => value,
            Kind::Float(value) if value.fract() == 0.0 && value.abs() < LARGEST_WHOLE_FLOAT => value as i128,
            // more digits than any integer has
            Kind::Float(value) if value.fract() == 0.0 && !range.may_hold(value) => {
                return self.beyond(&range, &format!("{value:?}"));
            }
            _ => return Err(self.record(self.no_scalar(&scalar, "an integer"))),
        };
        if value < range.min || value > range.max {
            return self.beyond(&range, &value.to_string());
        }
        self.visit_integer(value, visitor)
    }

    fn beyond<T>(self, Range { name, min, max }: &Range, value: &str) -> Result<T> {
        let message = format!("`{value}` does not fit `{name}`, expected {min} to {max}");
        Err(self.record(Diagnostic::new(self.node.span, message)))
    }

    fn visit_integer<V: Visitor<'a>>(self, value: i128, visitor: V) -> Result<V::Value> {
        self.located(match (u64::try_from(value), i64::try_from(value)) {
            (Ok(value), _) => visitor.visit_u64(value),
            (_, Ok(value)) => visitor.visit_i64(value),
            _ => visitor.visit_i128(value),
        })
    }

    /// What `Some(..)` holds.
    fn some(self) -> Option<&'a Node> {
        if self.body { None } else { self.node.some_inner() }
    }

    /// A struct goes by its own name or by none.
    fn check_name(self, wanted: &str) -> Result<()> {
        match &self.node.name {
            Some(name) if !self.body && !is_name_of(&name.text, wanted) => {
                let short = wanted.strip_suffix("Config").unwrap_or(wanted);
                let message = format!("expected `{short}(..)` or `(..)` without a name, found `{}`", name.text);
                let mistake = Diagnostic::new(name.span, message);
                Err(self.record(match word_of_the_format(&name.text) {
                    Some(help) => mistake.help(help),
                    None => mistake.suggest(did_you_mean(&name.text, [short].into_iter().chain(OPERATORS))),
                }))
            }
            _ => Ok(()),
        }
    }
}

/// A map of a name that no component has, so that the trait tells which there are.
struct Nameless;

impl<'de> MapAccess<'de> for Nameless {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        seed.deserialize(BorrowedStrDeserializer::<Error>::new("")).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, _: V) -> Result<V::Value> {
        Err(Error::Recorded)
    }
}

/// The values that an integer type has.
struct Range {
    name: &'static str,
    min: i128,
    max: i128,
}

impl Range {
    fn may_hold(&self, value: f64) -> bool {
        self.min as f64 <= value && value <= self.max as f64
    }
}

/// What a visitor says it expects.
struct Expecting<'v, V>(&'v V);

impl<'a, V: Visitor<'a>> fmt::Display for Expecting<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

/// Whether a struct of this type may be called so: `CnnConfig` is also `Cnn`.
fn is_name_of(found: &str, type_name: &str) -> bool {
    found == type_name || type_name.strip_suffix("Config") == Some(found)
}

fn values(count: usize) -> String {
    if count == 1 { "1 value".to_owned() } else { format!("{count} values") }
}

/// `one of ..` without the verb, which the message brings.
fn one_of(known: &[&str]) -> Option<String> {
    expected_one_of(known).map(|expected| expected.trim_start_matches("expected ").to_owned())
}

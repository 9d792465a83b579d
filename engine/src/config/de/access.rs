//! serde's views of what a value holds: elements, fields, pairs, and the name of a component or variant.

use super::super::diagnostic::Diagnostic;
use super::super::tree::{Field, Kind, Node, Span};
use super::De;
use super::error::{Error, Result};
use super::place::Segment;
use super::stand_in::StandIn;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use std::vec::IntoIter;

/// The elements of a list or tuple.
pub(super) struct Elements<'a, 'p> {
    of: De<'a, 'p>,
    rest: IntoIter<(usize, &'a Node)>,
}

impl<'a, 'p> Elements<'a, 'p> {
    /// Of a list, where no element's type depends on its place.
    pub(super) fn of_list(of: De<'a, 'p>, items: &'a [Node]) -> Self {
        Elements { of, rest: of.cx.retry.order(items.iter().enumerate(), |(_, node)| node).into_iter() }
    }

    /// Of a tuple, in its order.
    pub(super) fn of_tuple(of: De<'a, 'p>, items: &'a [Node]) -> Self {
        Elements { of, rest: items.iter().enumerate().collect::<Vec<_>>().into_iter() }
    }

    /// How many were not asked for.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> SeqAccess<'a> for Elements<'a, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some((index, node)) = self.rest.next() else { return Ok(None) };
        self.of.read_child(node, Segment::Index(index), seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The fields of a struct that its type knows.
pub(super) struct Fields<'a, 'p> {
    of: De<'a, 'p>,
    rest: IntoIter<&'a Field>,
    /// Needed fields that are absent or left out.
    stand_ins: IntoIter<&'static str>,
    /// What the last key stands for; none for that of a stand-in.
    value: Option<&'a Field>,
}

impl<'a, 'p> Fields<'a, 'p> {
    /// `known` filters the fields; the others were reported.
    pub(super) fn new(of: De<'a, 'p>, fields: &'a [Field], known: Option<&[&str]>) -> Self {
        let wanted = fields.iter().filter(|field| known.is_none_or(|known| known.contains(&field.key.as_str())));
        let rest = of.cx.retry.order(wanted, |field| &field.value);
        let mut stand_ins = of.cx.retry.stand_ins(of.node);
        stand_ins.retain(|name| rest.iter().all(|field| field.key != *name));
        Fields { of, rest: rest.into_iter(), stand_ins: stand_ins.into_iter(), value: None }
    }
}

impl<'a> MapAccess<'a> for Fields<'a, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.value = self.rest.next();
        let Some(field) = self.value else {
            let Some(name) = self.stand_ins.next() else { return Ok(None) };
            return seed.deserialize(BorrowedStrDeserializer::<Error>::new(name)).map(Some);
        };
        seed.deserialize(NameDe { name: &field.key, span: field.key_span, of: self.of, noun: None }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value> {
        let Some(field) = self.value.take() else {
            return seed.deserialize(StandIn::default()).map_err(|_| Error::Recorded);
        };
        let segment = Segment::Field { key: &field.key, span: field.key_span };
        self.of.read_child(&field.value, segment, seed)
    }
}

/// The pairs of a map.
pub(super) struct Pairs<'a, 'p> {
    of: De<'a, 'p>,
    rest: IntoIter<&'a (Node, Node)>,
    value: Option<&'a (Node, Node)>,
    noun: Option<String>,
    component: bool,
}

impl<'a, 'p> Pairs<'a, 'p> {
    /// `noun` is that of a trait, when the map names a component: `{"Ema": (..)}`.
    pub(super) fn new(of: De<'a, 'p>, pairs: &'a [(Node, Node)], noun: Option<String>) -> Self {
        let rest = of.cx.retry.order(pairs.iter(), |(_, value)| value).into_iter();
        Pairs { of, rest, value: None, component: noun.is_some(), noun }
    }
}

impl<'a> MapAccess<'a> for Pairs<'a, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.value = self.rest.next();
        let Some((key, _)) = self.value else { return Ok(None) };
        match (&key.kind, self.noun.take()) {
            (Kind::Str(name), noun @ Some(_)) => {
                seed.deserialize(NameDe { name, span: key.span, of: self.of, noun }).map(Some)
            }
            _ => self.of.inside(key, |key| seed.deserialize(key)).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value> {
        let Some((key, value)) = self.value.take() else { return Err(Error::Custom("a value without its key".into())) };
        let read = || self.of.read_child(value, Segment::Key(key), seed);
        if self.component { self.of.component(read) } else { read() }
    }
}

/// `Ema(decay: 0.9)` seen as the map `{"Ema": (decay: 0.9)}`, which typetag asks for.
pub(super) struct Tagged<'a, 'p> {
    of: De<'a, 'p>,
    tag: Option<(&'a str, Span)>,
    noun: Option<String>,
}

impl<'a, 'p> Tagged<'a, 'p> {
    /// `noun` is that of the trait.
    pub(super) fn new(of: De<'a, 'p>, noun: Option<String>) -> Self {
        let tag = of.node.name.as_ref().map(|name| (name.text.as_str(), name.span));
        Tagged { of, tag, noun }
    }
}

impl<'a> MapAccess<'a> for Tagged<'a, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some((name, span)) = self.tag.take() else { return Ok(None) };
        seed.deserialize(NameDe { name, span, of: self.of, noun: self.noun.take() }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value> {
        self.of.component(|| self.of.without_name().read(seed))
    }
}

/// The variant of an enum: a name, or a text in quotes.
pub(super) struct Variant<'a, 'p> {
    pub(super) of: De<'a, 'p>,
    pub(super) name: &'a str,
    pub(super) span: Span,
}

impl<'a, 'p> EnumAccess<'a> for Variant<'a, 'p> {
    type Error = Error;
    type Variant = De<'a, 'p>;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, De<'a, 'p>)> {
        let variant = seed.deserialize(NameDe { name: self.name, span: self.span, of: self.of, noun: None })?;
        Ok((variant, self.of.without_name()))
    }
}

impl<'a> VariantAccess<'a> for De<'a, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        match &self.node.kind {
            Kind::Unit | Kind::Str(_) => Ok(()),
            Kind::Tuple(items) if items.is_empty() => Ok(()),
            _ => {
                let message = format!("`{}` takes no values", self.node.name().unwrap_or_default());
                Err(self.record(Diagnostic::new(self.node.span, message)))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value> {
        match &self.node.kind {
            Kind::Tuple(items) if items.len() == 1 => self.inside(&items[0], |item| seed.deserialize(item)),
            // the name itself, bare or in quotes, is no value
            Kind::Unit | Kind::Str(_) => {
                let quoted = match &self.node.kind {
                    Kind::Str(text) => Some(text.as_str()),
                    _ => None,
                };
                let name = self.node.name().or(quoted).unwrap_or_default();
                let message = format!("`{name}` needs a value: `{name}(..)`");
                Err(self.record(Diagnostic::new(self.node.head(), message)))
            }
            _ => self.read(seed),
        }
    }

    fn tuple_variant<V: Visitor<'a>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'a>>(self, known: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.fields(Some(known), visitor)
    }
}

/// The name of a field, variant or component. Its error is recorded at once: on the way back through typetag it would
/// become a text.
struct NameDe<'a, 'p> {
    name: &'a str,
    span: Span,
    of: De<'a, 'p>,
    /// Of the trait, when it is a component's.
    noun: Option<String>,
}

impl<'a> Deserializer<'a> for NameDe<'a, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_borrowed_str(self.name).map_err(|error| match (error, &self.noun) {
            (Error::Variant { name, known }, Some(noun)) => self.of.unknown_component(noun, &name, self.span, known),
            (error, _) => self.of.locate(error, self.span),
        })
    }

    serde::forward_to_deserialize_any! { <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

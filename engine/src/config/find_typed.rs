//! Finds values that have a type of their own within a value: what rules across fields look for.
//!
//! A tree forgets types: a metric's name is a text in it like any other. So the settings themselves are searched,
//! defaults included, and each value that is found comes with its path from the section.

use super::print::print;
use super::ser::{SerializeError, to_node};
use super::tree::Kind;
use super::value_path::{Step, ValuePath};
use serde::ser::{self, Serialize};

/// A text with a type of its own, `MetricName("val/loss")`, or a variant without values, `Clock::Epoch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedValue {
    /// Where it is.
    pub path: ValuePath,
    /// The name of its type.
    pub of: &'static str,
    /// The text, or the variant's name.
    pub text: String,
}

/// All values with a type of their own within `value`; `path` is where `value` itself is.
pub fn find_typed<T: Serialize + ?Sized>(path: &str, value: &T) -> Vec<TypedValue> {
    let mut walk = Walk { path: ValuePath::to(path), newtype: None, found: Vec::new() };
    // what can't be serialized is told when it is to be printed
    let _ = value.serialize(&mut walk);
    walk.found
}

/// A value that is being searched.
struct Walk {
    path: ValuePath,
    /// The newtype that holds the value at hand.
    newtype: Option<&'static str>,
    found: Vec<TypedValue>,
}

impl Walk {
    fn note(&mut self, of: &'static str, text: &str) {
        self.found.push(TypedValue { path: self.path.clone(), of, text: text.to_owned() });
    }

    fn enter<T: Serialize + ?Sized>(&mut self, step: Step, value: &T) -> Result<()> {
        self.path.0.push(step);
        let result = value.serialize(&mut *self);
        self.path.0.pop();
        result
    }

    fn parts(&mut self) -> Result<Parts<'_>> {
        self.newtype = None;
        Ok(Parts { walk: self, index: 0, key: None })
    }
}

type Result<T, E = SerializeError> = std::result::Result<T, E>;

/// A value with several parts.
struct Parts<'a> {
    walk: &'a mut Walk,
    index: usize,
    key: Option<String>,
}

impl Parts<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let step = Step::Child(self.index.to_string());
        self.index += 1;
        self.walk.enter(step, value)
    }
}

macro_rules! nothing {
    ($($method:ident $type:ty)*) => { $(
        fn $method(self, _: $type) -> Result<()> {
            Ok(())
        }
    )* };
}

impl<'a> ser::Serializer for &'a mut Walk {
    type Ok = ();
    type Error = SerializeError;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    nothing! {
        serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64 serialize_i128 i128
        serialize_u8 u8 serialize_u16 u16 serialize_u32 u32 serialize_u64 u64 serialize_u128 u128
        serialize_bool bool serialize_f32 f32 serialize_f64 f64 serialize_char char serialize_bytes &[u8]
        serialize_unit_struct &'static str
    }

    fn serialize_str(self, value: &str) -> Result<()> {
        if let Some(of) = self.newtype.take() {
            self.note(of, value);
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<()> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        Ok(())
    }

    fn serialize_unit_variant(self, of: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.note(of, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, of: &'static str, value: &T) -> Result<()> {
        self.newtype = Some(of);
        let result = value.serialize(&mut *self);
        self.newtype = None;
        result
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>> {
        self.parts()
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>> {
        self.parts()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>> {
        self.parts()
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Parts<'a>> {
        self.parts()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>> {
        self.parts()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>> {
        self.parts()
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Parts<'a>> {
        self.parts()
    }
}

macro_rules! items {
    ($($trait:ident $method:ident)*) => { $(
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = SerializeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.item(value)
            }

            fn end(self) -> Result<()> {
                Ok(())
            }
        }
    )* };
}
items! {
    SerializeSeq serialize_element SerializeTuple serialize_element SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

macro_rules! fields {
    ($($trait:ident)*) => { $(
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = SerializeError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
                self.walk.enter(Step::Child(key.to_owned()), value)
            }

            fn end(self) -> Result<()> {
                Ok(())
            }
        }
    )* };
}
fields! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        let key = to_node(key)?;
        self.key = Some(match key.kind {
            Kind::Str(text) => text,
            _ => print(&key).trim_end().to_owned(),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = self.key.take().unwrap_or_default();
        self.walk.enter(Step::Key(key), value)
    }

    fn end(self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Clock;
    use crate::config::{Found, parse_text};
    use serde::Serialize;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    struct Name(&'static str);

    #[derive(Serialize)]
    enum Shape {
        Plain(Inner),
    }

    #[derive(Serialize)]
    struct Inner {
        names: Vec<Name>,
        by: Option<Clock>,
        text: &'static str,
    }

    /// As typetag writes a component.
    fn component(names: &[&'static str]) -> BTreeMap<&'static str, Shape> {
        let names = names.iter().map(|name| Name(name)).collect();
        BTreeMap::from([("Ema", Shape::Plain(Inner { names, by: Some(Clock::Epoch), text: "no name" }))])
    }

    fn found(text: &str) -> Vec<String> {
        let document = parse_text("x.ron", text).unwrap();
        let found = find_typed("hooks.0", &component(&["a", "b"])).into_iter().map(|value| {
            let Found { span, path, given } = value.path.find(&document.root);
            let (start, end) = (span.start as usize, span.end as usize);
            format!("{} {} {path} {given} {}", value.of, value.text, &text[start..end])
        });
        found.collect()
    }

    #[test]
    fn typed_values_are_found_where_the_text_gives_them_and_defaults_where_they_are_lacking() {
        assert_eq!(
            found(r#"E(hooks: [Ema(Plain(names: ["a", ("b")]))])"#),
            [
                r#"Name a hooks.0.names.0 true "a""#,
                r#"Name b hooks.0.names.1 true ("b")"#,
                "Clock Epoch hooks.0.by false Ema(Plain(names: [\"a\", (\"b\")]))",
            ]
        );
        assert_eq!(
            found(r#"E(hooks: [{"Ema": (names: Some(["a", "b"]), by: Some(Epoch))}])"#),
            [
                r#"Name a hooks.0.Ema.names.0 true "a""#,
                r#"Name b hooks.0.Ema.names.1 true "b""#,
                "Clock Epoch hooks.0.Ema.by true Some(Epoch)",
            ]
        );
        assert_eq!(found("E()")[0], "Name a hooks.0.names.0 false E");
    }
}

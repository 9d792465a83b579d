//! From values to trees, the way a person would write them: `Ema(decay: 0.99)`, no `Some` where none is needed.

use super::other_name::OtherName;
use super::tree::{Field, Kind, Node, Span};
use serde::ser::{self, Serialize};
use std::fmt;

/// Why a value has no tree: the message of its own `Serialize`, or an integer above 127 bits.
#[derive(Debug)]
pub struct SerializeError(String);

/// The tree of a value; a struct has no name, a component has its own.
///
/// ```
/// use engine::config::{print_line, to_node};
/// use engine::optim::Clip;
///
/// assert_eq!(print_line(&to_node(&Some(Clip::Norm(1.0)))?), "Norm(1.0)");
/// assert_eq!(print_line(&to_node(&vec![0.1, 1e-6])?), "[0.1, 1e-6]");
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When the value's `Serialize` refuses.
pub fn to_node<T: Serialize + ?Sized>(value: &T) -> Result<Node, SerializeError> {
    Ok(value.serialize(TreeSerializer)?.node)
}

/// The tree of a value under the name of its type.
///
/// # Errors
/// When the value's `Serialize` refuses.
pub fn to_named_node<T: Serialize + ?Sized>(value: &T) -> Result<Node, SerializeError> {
    let Written { node, type_name } = value.serialize(TreeSerializer)?;
    Ok(match (&node.name, type_name) {
        (None, Some(name)) => Node::named(name, held(node.kind)),
        _ => node,
    })
}

impl fmt::Display for SerializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SerializeError {}

impl ser::Error for SerializeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        SerializeError(message.to_string())
    }
}

/// Makes a tree of a value.
#[derive(Clone, Copy, Debug)]
pub struct TreeSerializer;

/// A tree, and the name of the struct type it is of: needed only when it turns out to be a component.
#[derive(Debug)]
pub struct Written {
    node: Node,
    type_name: Option<&'static str>,
}

impl Written {
    /// The tree.
    pub(super) fn into_node(self) -> Node {
        self.node
    }

    fn of(kind: Kind) -> Written {
        Written { node: Node::new(kind), type_name: None }
    }

    fn named(name: &str, kind: Kind) -> Written {
        Written { node: Node::named(name, kind), type_name: None }
    }
}

type Result<T, E = SerializeError> = std::result::Result<T, E>;

/// What is collected of a value with several parts.
#[derive(Debug)]
pub struct Parts {
    /// The variant, for an enum.
    variant: Option<&'static str>,
    /// The struct's type, for a struct.
    type_name: Option<&'static str>,
    items: Vec<Node>,
    fields: Vec<Field>,
    pairs: Vec<(Node, Node)>,
    key: Option<Node>,
    /// The struct's type of the last pair's value.
    value_type: Option<&'static str>,
}

impl Parts {
    fn new(variant: Option<&'static str>, type_name: Option<&'static str>) -> Parts {
        let (items, fields, pairs) = Default::default();
        Parts { variant, type_name, items, fields, pairs, key: None, value_type: None }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.items.push(to_node(value)?);
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<()> {
        self.fields.push(Field { key: key.to_owned(), key_span: Span::NONE, value: to_node(value)? });
        Ok(())
    }

    fn tuple(self) -> Written {
        let kind = Kind::Tuple(self.items);
        match self.variant {
            Some(variant) => Written::named(variant, kind),
            None => Written { type_name: self.type_name, ..Written::of(kind) },
        }
    }

    fn structure(self) -> Written {
        let kind = Kind::Struct(self.fields);
        match self.variant {
            Some(variant) => Written::named(variant, kind),
            None => Written { type_name: self.type_name, ..Written::of(kind) },
        }
    }
}

macro_rules! integers {
    ($($method:ident $type:ty)*) => { $(
        fn $method(self, value: $type) -> Result<Written> {
            Ok(Written::of(Kind::Int(i128::from(value))))
        }
    )* };
}

impl ser::Serializer for TreeSerializer {
    type Ok = Written;
    type Error = SerializeError;
    type SerializeSeq = Elements;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    integers! {
        serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64 serialize_i128 i128
        serialize_u8 u8 serialize_u16 u16 serialize_u32 u32 serialize_u64 u64
    }

    fn serialize_u128(self, value: u128) -> Result<Written> {
        match i128::try_from(value) {
            Ok(value) => Ok(Written::of(Kind::Int(value))),
            Err(_) => Err(SerializeError(format!("{value} does not fit 127 bits"))),
        }
    }

    fn serialize_bool(self, value: bool) -> Result<Written> {
        Ok(Written::of(Kind::Bool(value)))
    }

    /// The shortest decimal that is this `f32`: 0.1, not 0.10000000149011612.
    fn serialize_f32(self, value: f32) -> Result<Written> {
        Ok(Written::of(Kind::Float(value.to_string().parse().unwrap_or(f64::from(value)))))
    }

    fn serialize_f64(self, value: f64) -> Result<Written> {
        Ok(Written::of(Kind::Float(value)))
    }

    fn serialize_char(self, value: char) -> Result<Written> {
        Ok(Written::of(Kind::Char(value)))
    }

    fn serialize_str(self, value: &str) -> Result<Written> {
        Ok(Written::of(Kind::Str(value.to_owned())))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Written> {
        Ok(Written::of(Kind::Bytes(value.to_vec())))
    }

    fn serialize_none(self) -> Result<Written> {
        Ok(Written::named("None", Kind::Unit))
    }

    /// Without `Some(..)`, unless the value would then be read as another one.
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Written> {
        let node = to_node(value)?;
        let ambiguous = matches!((node.name(), &node.kind), (Some("None" | "Some"), _) | (None, Kind::Unit));
        Ok(match ambiguous {
            true => Written::named("Some", Kind::Tuple(vec![node])),
            false => Written { node, type_name: None },
        })
    }

    fn serialize_unit(self) -> Result<Written> {
        Ok(Written::of(Kind::Unit))
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Written> {
        Ok(Written { type_name: Some(name), ..Written::named(name, Kind::Unit) })
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Written> {
        Ok(Written::named(variant, Kind::Unit))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Written> {
        let inner = to_node(value)?;
        let kind = match inner {
            // read back the same, and the way a person writes it
            Node { name: None, kind: kind @ Kind::Str(_), .. } => kind,
            inner => Kind::Tuple(vec![inner]),
        };
        Ok(Written { type_name: Some(name), ..Written::of(kind) })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Written> {
        Ok(Written::named(variant, Kind::Tuple(vec![to_node(value)?])))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements> {
        Ok(Elements(Vec::new()))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts> {
        Ok(Parts::new(None, None))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Parts> {
        Ok(Parts::new(None, Some(name)))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Parts> {
        Ok(Parts::new(Some(variant), None))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts> {
        Ok(Parts::new(None, None))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Parts> {
        Ok(Parts::new(None, Some(name)))
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Parts> {
        Ok(Parts::new(Some(variant), None))
    }
}

/// What may stand behind a name: a newtype of a text needs its parentheses there.
fn held(kind: Kind) -> Kind {
    match kind {
        kind @ Kind::Str(_) => Kind::Tuple(vec![Node::new(kind)]),
        kind => kind,
    }
}

/// The elements of a list.
#[derive(Debug)]
pub struct Elements(Vec<Node>);

impl ser::SerializeSeq for Elements {
    type Ok = Written;
    type Error = SerializeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.0.push(to_node(value)?);
        Ok(())
    }

    fn end(self) -> Result<Written> {
        Ok(Written::of(Kind::Seq(self.0)))
    }
}

macro_rules! tuples {
    ($($trait:ident $method:ident)*) => { $(
        impl ser::$trait for Parts {
            type Ok = Written;
            type Error = SerializeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.item(value)
            }

            fn end(self) -> Result<Written> {
                Ok(self.tuple())
            }
        }
    )* };
}
tuples! { SerializeTuple serialize_element SerializeTupleStruct serialize_field SerializeTupleVariant serialize_field }

macro_rules! structs {
    ($($trait:ident)*) => { $(
        impl ser::$trait for Parts {
            type Ok = Written;
            type Error = SerializeError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
                self.field(key, value)
            }

            fn end(self) -> Result<Written> {
                Ok(self.structure())
            }
        }
    )* };
}
structs! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Parts {
    type Ok = Written;
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = Some(to_node(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let Some(key) = self.key.take() else { return Err(SerializeError("a value without its key".into())) };
        let Written { node, type_name } = value.serialize(TreeSerializer)?;
        self.value_type = type_name;
        self.pairs.push((key, node));
        Ok(())
    }

    /// typetag writes a component as `{"Ema": Ema { .. }}`; any map of that form is read back from `Ema(..)` too. A generic
    /// component may be registered under another name than its type has.
    fn end(mut self) -> Result<Written> {
        let component = match (self.pairs.as_slice(), self.value_type) {
            ([(Node { kind: Kind::Str(tag), .. }, _)], Some(type_name)) => {
                let is_own = tag == type_name || type_name.strip_suffix("Config") == Some(tag);
                is_own || OtherName::is_one(tag)
            }
            _ => false,
        };
        if let Some((Node { kind: Kind::Str(tag), .. }, value)) = self.pairs.pop_if(|_| component) {
            return Ok(Written::named(&tag, held(value.kind)));
        }
        Ok(Written::of(Kind::Map(self.pairs)))
    }
}

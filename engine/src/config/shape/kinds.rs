//! The kinds of shapes, and how people say them.

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

/// A value of which nothing more is known.
pub(super) fn any() -> Shape {
    Shape::Anything("value".to_owned())
}

//! Experiment files: RON is parsed to a tree in which every value knows its place in the file. The tree is read into
//! types, and all mistakes are reported at once.
//!
//! [`load`] reads a [`Document`]: the files that the field `base` names, then the file itself, then the values of the
//! command line ([`load_with`]); each layer replaces values of the earlier ones. [`Document::read`] reads the root
//! into one type; a [`StructReader`] reads it section by section. [`to_node`] and [`print()`] do the opposite: from
//! values to a tree and to text.
//!
//! In files, `Append`, `Prepend`, `Patch`, `Replace`, `Default`, `Env`, `Include`, `Ref`, `Add`, `Sub`, `Mul` and `Div`
//! are words of the format, so no component has these names. Every `PathBuf` is relative to the file that wrote it and absolute when it was read. Nothing here panics on
//! any text, and nothing here depends on the content of an experiment.

mod compare;
mod configured;
mod de;
mod diagnostic;
mod document;
mod errors;
mod expression;
mod file;
mod find_typed;
mod generic;
mod identifier;
mod keyed;
mod layers;
mod links;
mod load;
mod merge;
mod other_name;
mod parse;
mod print;
mod reader;
mod reference;
pub mod registry;
mod rendered;
mod ser;
mod set;
pub mod shape;
mod sources;
#[cfg(test)]
mod tests;
mod tree;
mod value_path;
mod variable;

// for the parser, which `engine-macros` reads too
use crate::base::suggest;
pub use compare::{Difference, adopt_places, differences};
pub use configured::{Configured, SettingsOf};
pub(crate) use de::unknown;
pub use de::{defaults_of, from_node, from_node_at};
pub use diagnostic::Diagnostic;
pub use document::Document;
pub use errors::{ConfigErrors, Diagnostics};
pub use file::MAX_FILE;
pub(crate) use file::SAVED;
pub use find_typed::{TypedValue, find_typed};
pub use generic::{Generic, Registered};
pub use keyed::{Keyed, KeysOf, NoKeys, OfDataset};
pub(crate) use layers::Texts;
pub use load::{Over, load, load_over, load_with, parse_text};
pub(crate) use load::{load_file, load_layers, load_layers_into, with_includes};
pub use other_name::OtherName;
pub use print::{Noted, print, print_line, print_with_notes};
pub use reader::StructReader;
pub use ser::{SerializeError, to_named_node, to_node};
pub use set::Given;
pub use shape::Shape;
pub use sources::Sources;
pub use tree::{Field, Kind, Name, Node, Span};
pub use value_path::{Found, ValuePath};

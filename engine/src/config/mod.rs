//! Experiment files: RON in a tree whose every value knows its place, read into types with all mistakes at once.
//!
//! A [`Document`] is read with [`load`]: a file over the files that its field `base` names, then the values of the
//! command line over it ([`load_with`]). Its root is read into one type with [`Document::read`], or section by section
//! with a [`StructReader`]. [`to_node`] and [`print()`] go the other way.
//!
//! In files, `Append`, `Prepend`, `Patch`, `Replace` and `Env` are words of the format, so no component has these names.
//! Every `PathBuf` is relative to the file that wrote it and absolute when it was read.
//! Nothing here panics on any text, and nothing here knows what an experiment holds.

mod compare;
mod de;
mod diagnostic;
mod errors;
mod layers;
mod leaves;
mod merge;
mod parse;
mod print;
mod probe;
mod reader;
pub mod registry;
mod ser;
mod set;
pub mod shape;
mod sources;
#[cfg(test)]
mod tests;
mod tree;

pub use compare::{Difference, adopt_places, differences};
pub(crate) use de::unknown;
pub use de::{from_node, from_node_at};
pub use diagnostic::Diagnostic;
pub use errors::{ConfigErrors, Diagnostics};
pub use leaves::{Found, Leaf, Way, leaves};
pub use print::{Noted, print, print_line, print_with_notes};
pub use reader::StructReader;
pub use ser::{SerializeError, to_named_node, to_node};
pub use set::Given;
pub use shape::Shape;
pub use sources::Sources;
pub use tree::{Field, Kind, Name, Node, Span};

use merge::Merge;
use serde::de::DeserializeOwned;
use std::io::Read;
use std::path::Path;

/// Files above this many bytes are refused: 1 MiB.
pub const MAX_FILE: u64 = 1 << 20;

/// An experiment as it was read: its tree, and the texts that the tree's spans point into.
#[derive(Clone, Debug)]
pub struct Document {
    /// The texts.
    pub sources: Sources,
    /// The outermost value.
    pub root: Node,
}

/// Reads a file over the files that its field `base` names.
///
/// # Errors
/// All mistakes of all files: one can't be read, is larger than [`MAX_FILE`], is not UTF-8 or not RON, bases form a
/// circle, or something has no base to be applied to.
pub fn load(path: &Path) -> Result<Document, ConfigErrors> {
    load_with::<&str>(path, &[])
}

/// As [`load`]; then applies each `path=value` of the command line in order.
///
/// # Errors
/// As [`load`]; and where a path leads nowhere or a value is not RON.
pub fn load_with<S: AsRef<str>>(path: &Path, sets: &[S]) -> Result<Document, ConfigErrors> {
    load_over(path, &[], sets, &[])
}

/// As [`load_with`], between values that are put in before, where the file says otherwise, and after: those of a run's
/// folder, and those of other options of the command line.
///
/// # Errors
/// As [`load_with`].
pub fn load_over<S: AsRef<str>>(
    path: &Path,
    before: &[Given],
    sets: &[S],
    after: &[Given],
) -> Result<Document, ConfigErrors> {
    let diagnostics = Diagnostics::new();
    let mut sources = Sources::new();
    let layers = layers::Layers::new(&mut sources, &diagnostics).read(path, Span::NONE);
    let mut root = Merge::new(&diagnostics).settle(layers.unwrap_or(Node::new(Kind::Unit)));
    if diagnostics.is_empty() {
        let says = |root: &Node, given: &Given| root.find(given.path).map(print_line) == Some(print_line(&given.value));
        for given in before {
            if !says(&root, given) {
                set::give(&mut root, given, &mut sources, &diagnostics);
            }
        }
        for argument in sets {
            set::set(&mut root, argument.as_ref(), &mut sources, &diagnostics);
        }
        for given in after {
            set::give(&mut root, given, &mut sources, &diagnostics);
        }
        root = Merge::new(&diagnostics).settle(root);
    }
    diagnostics.into_result(&sources)?;
    Ok(Document { sources, root })
}

/// Reads a text as it is, without bases; `name` stands for the file in messages.
///
/// # Errors
/// When it is larger than [`MAX_FILE`] or not RON.
pub fn parse_text(name: &str, text: &str) -> Result<Document, ConfigErrors> {
    let mut sources = Sources::new();
    let diagnostics = Diagnostics::new();
    let root = parse_into(&mut sources, name, text.as_bytes(), Path::new("")).unwrap_or_else(|found| {
        found.into_iter().for_each(|found| diagnostics.push(found));
        Node::new(Kind::Unit)
    });
    diagnostics.into_result(&sources)?;
    Ok(Document { sources, root })
}

impl Document {
    /// An experiment that says nothing.
    pub fn empty() -> Self {
        Document { sources: Sources::new(), root: Node::new(Kind::Struct(Vec::new())) }
    }

    /// Reads the whole into one type.
    ///
    /// # Errors
    /// All mistakes that were found.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigErrors> {
        let diagnostics = Diagnostics::new();
        let value = from_node(&self.root, &self.sources, &diagnostics);
        match (value, diagnostics.into_result(&self.sources)) {
            (Some(value), Ok(())) => Ok(value),
            (_, Err(errors)) => Err(errors),
            (None, Ok(())) => {
                let unknown = Diagnostic::new(self.root.head(), "this could not be read");
                Err(ConfigErrors::new(self.sources.clone(), vec![unknown]))
            }
        }
    }

    /// Puts a value, written as a file writes it, in the place of whatever is at a path: `optimizer.lr`,
    /// `custom_hooks.Ema.decay`. In messages its text is that of a file called `name`.
    ///
    /// # Errors
    /// When the path leads nowhere or the value is not RON; their texts are in `sources` nevertheless.
    pub fn put(&mut self, name: &str, path: &str, value: &str) -> Result<(), Vec<Diagnostic>> {
        set::put(&mut self.root, name, (path, value), &mut self.sources)
    }

    /// The resolved experiment as text, with the place that each value was written at.
    pub fn show(&self) -> String {
        print_with_notes(&self.root, &|noted| match noted {
            Noted::Element(element) => Some(self.sources.position(element.span)),
            Noted::Field(Field { value, .. }) => {
                // the fields of a struct say it for themselves
                let said = value.holds_fields() || !value.span.is_some();
                (!said).then(|| self.sources.position(value.span))
            }
        })
    }

    /// Reads the outermost struct section by section; mistakes go to `diagnostics`.
    pub fn reader<'a>(&'a self, diagnostics: &'a Diagnostics) -> StructReader<'a> {
        StructReader::new(self, diagnostics)
    }
}

/// A file's bytes, one more than allowed at most, so that a larger file is told from one that just fits.
fn read_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    // opening a pipe would wait for its writer, a device may never end
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() { "a folder" } else { "a device or pipe" };
        return Err(std::io::Error::other(format!("it is {what}, not a file")));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Parses bytes and adds them to the sources.
fn parse_into(sources: &mut Sources, name: &str, bytes: &[u8], folder: &Path) -> Result<Node, Vec<Diagnostic>> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(vec![too_large(Span::NONE, name)]);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            // an editor does not show the byte order mark, so no position counts it
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            let file = sources.add_file(name, text, folder);
            parse::parse(file, text)
        }
        Err(error) => {
            let file = sources.add_file(name, String::from_utf8_lossy(bytes), folder);
            // up to here the replaced text is the same, so the position is right
            let start = u32::try_from(error.valid_up_to()).unwrap_or(u32::MAX);
            let span = Span { file, start, end: start.saturating_add(1) };
            let not_utf8 = Diagnostic::new(span, "the file is not UTF-8 from here on");
            Err(vec![not_utf8.help("save it again with the encoding UTF-8")])
        }
    }
}

fn too_large(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(span, format!("`{name}` is larger than {} KiB, no experiment is", MAX_FILE / 1024))
}

//! Files that build on files: `base: ["a.ron", "b.ron"]`, in order, then the file itself over them.
//!
//! A base may have bases of its own. What a base says of a path is relative to that base.

use super::diagnostic::Diagnostic;
use super::errors::Diagnostics;
use super::file::{MAX_FILE, parse_into, read_bytes, too_large};
use super::merge::Merge;
use super::sources::Sources;
use super::tree::{Kind, Node, Span};
use crate::base::suggest::neighbour;
use std::path::{Path, PathBuf};

/// How many files may stand on each other.
const MAX_DEPTH: usize = 32;

/// How many files are read at most: bases shared by bases are read again.
const MAX_FILES: usize = 256;

/// How many bytes all files may have together: 4 MiB.
const MAX_BYTES: usize = 4 << 20;

/// The reading of a file with all that it is based on.
pub(super) struct Layers<'s> {
    sources: &'s mut Sources,
    diagnostics: &'s Diagnostics,
    /// The files that led here, the experiment's own first.
    chain: Vec<Link>,
    files: usize,
    bytes: usize,
}

struct Link {
    name: String,
    /// The file itself, whatever it was called.
    canonical: Option<PathBuf>,
}

impl<'s> Layers<'s> {
    pub(super) fn new(sources: &'s mut Sources, diagnostics: &'s Diagnostics) -> Self {
        Layers { sources, diagnostics, chain: Vec::new(), files: 0, bytes: 0 }
    }

    /// Reads a file over its bases. `from` is where it was named; nowhere for the experiment itself.
    pub(super) fn read(&mut self, path: &Path, from: Span) -> Option<Node> {
        // one base too many was told of
        if self.files > MAX_FILES || self.bytes > MAX_BYTES {
            return None;
        }
        let link = Link { name: path.display().to_string(), canonical: path.canonicalize().ok() };
        let bytes = self.admit(&link, path, from);
        self.chain.push(link);
        let node = match bytes {
            Ok(bytes) => self.read_layers(path, &bytes),
            Err(problem) => {
                let chain: Vec<String> = self.chain.iter().map(|link| format!("`{}`", link.name)).collect();
                let help = format!("the files that led here: {}", chain.join(", "));
                self.diagnostics.push(if from.is_some() { problem.help(help) } else { *problem });
                None
            }
        };
        self.chain.pop();
        node
    }

    /// The file's bytes, unless it may not or can't be read.
    fn admit(&mut self, link: &Link, path: &Path, from: Span) -> Result<Vec<u8>, Box<Diagnostic>> {
        self.files += 1;
        let name = &link.name;
        if link.canonical.is_some() && self.chain.iter().any(|known| known.canonical == link.canonical) {
            return Err(Box::new(Diagnostic::new(from, format!("`{name}` is its own base"))));
        }
        if self.chain.len() >= MAX_DEPTH {
            return Err(Box::new(Diagnostic::new(from, format!("bases are nested more than {MAX_DEPTH} files deep"))));
        }
        if self.files > MAX_FILES {
            return Err(Box::new(Diagnostic::new(
                from,
                format!("the experiment is made of more than {MAX_FILES} files"),
            )));
        }
        let bytes = read_bytes(path).map_err(|error| {
            let base = if from.is_some() { "the base " } else { "" };
            let unreadable = Diagnostic::new(from, format!("can't read {base}`{name}`: {error}"));
            let absent = error.kind() == std::io::ErrorKind::NotFound;
            Box::new(match neighbour(path).filter(|_| absent) {
                // what is not named in a file has no carets to stand beside
                Some(meant) if !from.is_some() => unreadable.help(format!("did you mean `{meant}`?")),
                meant => unreadable.suggest(meant.as_deref()),
            })
        })?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(Box::new(too_large(from, name)));
        }
        self.bytes += bytes.len();
        if self.bytes > MAX_BYTES {
            let message = format!("the files of the experiment have more than {} MiB together", MAX_BYTES >> 20);
            return Err(Box::new(Diagnostic::new(from, message)));
        }
        Ok(bytes)
    }

    fn read_layers(&mut self, path: &Path, bytes: &[u8]) -> Option<Node> {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let mut node = match parse_into(self.sources, &path.display().to_string(), bytes, &folder) {
            Ok(node) => node,
            Err(found) => {
                found.into_iter().for_each(|found| self.diagnostics.push(found));
                return None;
            }
        };
        let mut below: Option<Node> = None;
        for (base, span) in self.bases(&mut node) {
            let Some(next) = self.read(&folder.join(base), span) else { continue };
            below = Some(match below {
                Some(below) => Merge::new(self.diagnostics).documents(below, next),
                None => next,
            });
        }
        Some(match below {
            Some(below) => Merge::new(self.diagnostics).documents(below, node),
            None => node,
        })
    }

    /// Takes the field `base` out of a file's struct: a path or a list of paths.
    fn bases(&self, node: &mut Node) -> Vec<(PathBuf, Span)> {
        let Kind::Struct(fields) = &mut node.kind else { return Vec::new() };
        let Some(index) = fields.iter().position(|field| field.key == "base") else { return Vec::new() };
        let value = fields.remove(index).value;
        let items = match value.kind {
            Kind::Seq(items) => items,
            _ => vec![value],
        };
        let mut bases = Vec::new();
        for item in items {
            match &item.kind {
                Kind::Str(path) => bases.push((PathBuf::from(path), item.span)),
                _ => {
                    let message = format!("expected the path of a base in quotes, found {}", item.what());
                    self.diagnostics.push(Diagnostic::new(item.span, message).at("base"));
                }
            }
        }
        bases
    }
}

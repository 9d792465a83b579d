//! Files that build on files: `base: ["a.ron", "b.ron"]`, in order, then the file itself over them.
//!
//! A base may have bases of its own. What a base says of a path is relative to that base. `Include("part.ron")` is a value
//! that another file holds; that file is read as a base is.

use super::diagnostic::Diagnostic;
use super::errors::Diagnostics;
use super::file::{MAX_FILE, SAVED, parse_into, read_bytes, too_large};
use super::merge::Merge;
use super::sources::Sources;
use super::tree::{Kind, Node, Span};
use super::variable::Variable;
use crate::base::suggest::neighbour;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Files by their names, as they were once read: they stand for the files themselves.
pub(crate) type Texts = BTreeMap<String, String>;

/// How many files may stand on each other.
const MAX_DEPTH: usize = 32;

/// How many files are read at most: bases shared by bases are read again.
const MAX_FILES: usize = 256;

/// How deep values may be nested, as in one file.
const MAX_NESTING: usize = 128;

/// How many bytes all files may have together: 4 MiB.
const MAX_BYTES: usize = 4 << 20;

/// The reading of a file with all that it is based on.
pub(super) struct Layers<'s> {
    sources: &'s mut Sources,
    diagnostics: &'s Diagnostics,
    /// What is read in the place of files.
    texts: Option<&'s Texts>,
    /// The files that led here, the experiment's own first.
    chain: Vec<Link>,
    files: usize,
    bytes: usize,
}

/// Where a file was named, and as what.
#[derive(Clone, Copy)]
enum Named {
    /// On the command line, or in code.
    Outside,
    Base(Span),
    Include(Span),
}

struct Link {
    name: String,
    /// The file itself, whatever it was called.
    canonical: Option<PathBuf>,
}

impl<'s> Layers<'s> {
    pub(super) fn new(sources: &'s mut Sources, diagnostics: &'s Diagnostics) -> Self {
        Layers { sources, diagnostics, texts: None, chain: Vec::new(), files: 0, bytes: 0 }
    }

    /// Reads these texts and no file, where there are any.
    pub(super) fn with_texts(self, texts: Option<&'s Texts>) -> Self {
        Layers { texts, ..self }
    }

    /// Reads an experiment's file, or that of a run's folder, over its bases.
    pub(super) fn read(&mut self, path: &Path) -> Option<Node> {
        self.read_named(path, Named::Outside)
    }

    /// Reads one file without its bases.
    pub(super) fn read_alone(&mut self, path: &Path) -> Option<Node> {
        let link = Link { name: path.display().to_string(), canonical: None };
        let parsed = self.admit(&link, path, Named::Outside).map_err(|problem| vec![*problem]).and_then(|bytes| {
            let folder = path.parent().unwrap_or(Path::new(""));
            parse_into(self.sources, &link.name, &bytes, folder)
        });
        parsed.map_err(|found| found.into_iter().for_each(|found| self.diagnostics.push(found))).ok()
    }

    fn read_named(&mut self, path: &Path, named: Named) -> Option<Node> {
        let saved = path.join(SAVED);
        let is_run = match self.texts {
            Some(texts) => texts.contains_key(&saved.display().to_string()),
            None => path.is_dir() && saved.is_file(),
        };
        let path = if is_run { &saved } else { path };
        let from = named.span();
        // one base too many was told of
        if self.files > MAX_FILES || self.bytes > MAX_BYTES {
            return None;
        }
        let link = Link { name: path.display().to_string(), canonical: path.canonicalize().ok() };
        let bytes = self.admit(&link, path, named);
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
    fn admit(&mut self, link: &Link, path: &Path, named: Named) -> Result<Vec<u8>, Box<Diagnostic>> {
        self.files += 1;
        let from = named.span();
        let name = &link.name;
        if link.canonical.is_some() && self.chain.iter().any(|known| known.canonical == link.canonical) {
            let what = match named {
                Named::Include(_) => "includes itself",
                _ => "is its own base",
            };
            return Err(Box::new(Diagnostic::new(from, format!("`{name}` {what}"))));
        }
        if self.chain.len() >= MAX_DEPTH {
            let what = match named {
                Named::Include(_) => "files include files",
                _ => "bases are nested",
            };
            return Err(Box::new(Diagnostic::new(from, format!("{what} more than {MAX_DEPTH} files deep"))));
        }
        if self.files > MAX_FILES {
            return Err(Box::new(Diagnostic::new(
                from,
                format!("the experiment is made of more than {MAX_FILES} files"),
            )));
        }
        let bytes = self.bytes_of(name, path).map_err(|error| {
            let base = if matches!(named, Named::Base(_)) { "the base " } else { "" };
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

    fn bytes_of(&self, name: &str, path: &Path) -> io::Result<Vec<u8>> {
        match self.texts {
            Some(texts) => match texts.get(name) {
                Some(text) => Ok(text.clone().into_bytes()),
                None => Err(io::Error::other("it was not among the files that were saved")),
            },
            None => read_bytes(path),
        }
    }

    /// Puts the values of files in the place of every `Include("part.ron")`; their paths are relative to `folder`.
    pub(super) fn include(&mut self, node: &mut Node, folder: &Path) {
        self.include_at(node, folder, 1, &Kind::Unit);
    }

    /// `missing` is put where a file can't be read.
    fn include_at(&mut self, node: &mut Node, folder: &Path, depth: usize, missing: &Kind) {
        if let Some(path) = included(node) {
            match path {
                Ok(path) => *node = self.included(&folder.join(path), node.span, depth, missing),
                Err(mistake) => self.diagnostics.push(*mistake),
            }
            return;
        }
        // what these take: the file that is missing is the only mistake
        let missing = match node.name() {
            Some("Append" | "Prepend") => Kind::Seq(Vec::new()),
            Some("Patch") => Kind::Map(Vec::new()),
            _ => Kind::Unit,
        };
        let mut inside = |node: &mut Node| self.include_at(node, folder, depth + 1, &missing);
        match &mut node.kind {
            Kind::Struct(fields) => fields.iter_mut().for_each(|field| inside(&mut field.value)),
            Kind::Seq(items) | Kind::Tuple(items) => items.iter_mut().for_each(inside),
            Kind::Map(pairs) => pairs.iter_mut().for_each(|(_, value)| inside(value)),
            _ => {}
        }
    }

    /// The value of a file, at so many levels within another; `missing` where it can't be read, which is told.
    fn included(&mut self, path: &Path, span: Span, depth: usize, missing: &Kind) -> Node {
        let nothing = Node { span, ..Node::new(missing.clone()) };
        let Some(node) = self.read_named(path, Named::Include(span)) else { return nothing };
        if depth + node.depth() > MAX_NESTING {
            let message = format!("with this file, values are nested more than {MAX_NESTING} levels deep");
            self.diagnostics.push(Diagnostic::new(span, message));
            return nothing;
        }
        node
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
        self.include(&mut node, &folder);
        let mut below: Option<Node> = None;
        for (base, span) in self.bases(&mut node) {
            let Some(next) = self.read_named(&folder.join(base), Named::Base(span)) else { continue };
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
            let variable = Variable::of(&item).map(|variable| variable.and_then(Variable::text));
            match (&item.kind, variable) {
                (_, Some(Ok(path))) => bases.push((PathBuf::from(path), item.span)),
                (_, Some(Err(mistake))) => self.diagnostics.push(mistake.at("base")),
                (Kind::Str(path), None) => bases.push((PathBuf::from(path), item.span)),
                _ => {
                    let message = format!("expected the path of a base in quotes, found {}", item.what());
                    self.diagnostics.push(Diagnostic::new(item.span, message).at("base"));
                }
            }
        }
        bases
    }
}

impl Named {
    fn span(self) -> Span {
        match self {
            Named::Outside => Span::NONE,
            Named::Base(span) | Named::Include(span) => span,
        }
    }
}

/// The path of `Include("part.ron")`; none of another value, or of one that is not written so: its type tells what is
/// wrong with it.
fn included(node: &Node) -> Option<Result<PathBuf, Box<Diagnostic>>> {
    let Kind::Tuple(items) = &node.kind else { return None };
    match (node.name()?, items.as_slice()) {
        ("Include", [Node { kind: Kind::Str(path), name: None, .. }]) => Some(Ok(PathBuf::from(path))),
        ("Include", [item]) => Some(Variable::of(item)?.and_then(Variable::text).map(PathBuf::from)),
        _ => None,
    }
}

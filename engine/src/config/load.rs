//! From files and the command line to a [`Document`].

use super::document::Document;
use super::errors::{ConfigErrors, Diagnostics};
use super::file::parse_into;
use super::layers::{Layers, Texts};
use super::merge::Merge;
use super::print::print_line;
use super::set::{self, Given};
use super::sources::Sources;
use super::tree::{Kind, Node};
use std::path::Path;

/// Reads a file over the files that its field `base` names.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = |name: &str| folder.path().join(name);
/// std::fs::write(path("base.ron"), "(name: \"base\", optimizer: Sgd(lr: 0.1))")?;
/// std::fs::write(path("exp.ron"), "(base: \"base.ron\", optimizer: (lr: 0.2))")?;
///
/// let document = engine::config::load(&path("exp.ron"))?;
/// let whole = engine::config::print(&document.root);
/// assert!(whole.contains("name: \"base\"") && whole.contains("optimizer: Sgd(lr: 0.2)"), "{whole}");
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// All mistakes of all files: one can't be read, is larger than [`MAX_FILE`](super::MAX_FILE), is not UTF-8 or not RON, bases form a
/// circle, or something has no base to be applied to. A reference that leads nowhere is told when the document is read.
pub fn load(path: &Path) -> Result<Document, ConfigErrors> {
    load_with::<&str>(path, &[])
}

/// As [`load`]; then applies each `path=value` of the command line in order.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("exp.ron");
/// std::fs::write(&path, "(optimizer: Sgd(lr: 0.1), hooks: [Ema(decay: 0.9), Timer])")?;
///
/// let document = engine::config::load_with(&path, &["optimizer.lr=0.2", "hooks.Ema.decay=0.99"])?;
/// let whole = engine::config::print_line(&document.root);
/// assert_eq!(whole, "(optimizer: Sgd(lr: 0.2), hooks: [Ema(decay: 0.99), Timer])");
///
/// let errors = engine::config::load_with(&path, &["optimizer.lr.value=0.2"]).unwrap_err();
/// assert!(errors.to_string().contains("there is no `value`"), "{errors}");
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// As [`load`]; and where a path leads nowhere or a value is not RON.
pub fn load_with<S: AsRef<str>>(path: &Path, sets: &[S]) -> Result<Document, ConfigErrors> {
    let sets = sets.iter().map(|set| set.as_ref().to_owned()).collect();
    load_over(&[path], &Over { sets, ..Over::default() })
}

/// What stands over the files of an experiment, in the order in which it is applied.
#[derive(Clone, Debug, Default)]
pub struct Over {
    /// What is put in where the files say otherwise: the place of a run's folder.
    pub before: Vec<Given>,
    /// `path=file`: the values of files.
    pub with: Vec<String>,
    /// `path=value`
    pub sets: Vec<String>,
    /// What other options of the command line give.
    pub after: Vec<Given>,
}

/// Reads files, each over the ones before it, and all that stands over them. A run's folder stands for its experiment.
///
/// ```
/// use engine::config::{Over, load_over, print_line};
///
/// let folder = tempfile::tempdir()?;
/// let path = |name: &str| folder.path().join(name);
/// std::fs::write(path("a.ron"), "(optimizer: Sgd(lr: 0.1), seed: 1)")?;
/// std::fs::write(path("b.ron"), "(optimizer: (lr: 0.2), seed: Default)")?;
///
/// let over = Over { sets: vec!["optimizer.momentum=0.9".into()], ..Over::default() };
/// let document = load_over(&[path("a.ron"), path("b.ron")], &over)?;
/// assert_eq!(print_line(&document.root), "(optimizer: Sgd(lr: 0.2, momentum: 0.9))");
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// As [`load_with`].
pub fn load_over<P: AsRef<Path>>(paths: &[P], over: &Over) -> Result<Document, ConfigErrors> {
    Ok(load_layers(paths, over)?.resolved())
}

/// As [`load_over`], with references as they are written: for more layers over it.
pub(crate) fn load_layers<P: AsRef<Path>>(paths: &[P], over: &Over) -> Result<Document, ConfigErrors> {
    load_layers_into(Sources::new(), paths, over, None)
}

/// The same, with sources that were read before: for values that another file puts over it. Where there are `texts`, they are read
/// in the place of files.
pub(crate) fn load_layers_into<P: AsRef<Path>>(
    mut sources: Sources,
    paths: &[P],
    over: &Over,
    texts: Option<&Texts>,
) -> Result<Document, ConfigErrors> {
    let diagnostics = Diagnostics::new();
    let mut layers: Option<Node> = None;
    for path in paths {
        let mut reading = Layers::new(&mut sources, &diagnostics).with_texts(texts);
        let Some(next) = reading.read(path.as_ref()) else { continue };
        layers = Some(match layers {
            Some(below) => Merge::new(&diagnostics).documents(below, next),
            None => next,
        });
    }
    let mut root = Merge::new(&diagnostics).settle(layers.unwrap_or(Node::new(Kind::Unit)));
    if diagnostics.is_empty() {
        let says =
            |root: &Node, given: &Given| root.find(&given.path).map(print_line) == Some(print_line(&given.value));
        for given in &over.before {
            if !says(&root, given) {
                set::give(&mut root, given, &mut sources, &diagnostics);
            }
        }
        for argument in &over.with {
            set::set_file(&mut root, argument, &mut sources, &diagnostics);
        }
        for argument in &over.sets {
            set::set(&mut root, argument, &mut sources, &diagnostics);
        }
        for given in &over.after {
            set::give(&mut root, given, &mut sources, &diagnostics);
        }
        root = Merge::new(&diagnostics).settle(root);
    }
    sources.note_taken_back(diagnostics.taken_back());
    diagnostics.into_result(&sources)?;
    Ok(Document { sources, root })
}

/// Reads a file as it is: its field `base` is one like any other. `texts` as in [`load_layers_into`].
pub(crate) fn load_file(path: &Path, texts: Option<&Texts>) -> Result<Document, ConfigErrors> {
    let (mut sources, diagnostics) = (Sources::new(), Diagnostics::new());
    let root = Layers::new(&mut sources, &diagnostics).with_texts(texts).read_alone(path);
    diagnostics.into_result(&sources)?;
    Ok(Document { sources, root: root.unwrap_or(Node::new(Kind::Unit)) })
}

/// The document with the values of files in the place of every `Include`; their paths are relative to `folder`. `texts` as in
/// [`load_layers_into`].
pub(crate) fn with_includes(
    mut document: Document,
    folder: &Path,
    texts: Option<&Texts>,
) -> Result<Document, ConfigErrors> {
    let diagnostics = Diagnostics::new();
    Layers::new(&mut document.sources, &diagnostics).with_texts(texts).include(&mut document.root, folder);
    diagnostics.into_result(&document.sources)?;
    Ok(document)
}

/// Reads a text as it is, without bases and with references as they are written; `name` stands for the file in messages.
///
/// ```
/// use engine::prelude::*;
///
/// #[component]
/// pub struct Blur {
///     #[config(default = 3, range = 1..=9)]
///     pub size: i64,
///     #[config(default = 1.0)]
///     pub sigma: f64,
/// }
///
/// # fn main() -> Result<()> {
/// let blur: Blur = engine::config::parse_text("example", "(size: 5)")?.read()?;
/// assert_eq!((blur.size, blur.sigma), (5, 1.0));
/// let errors = engine::config::parse_text("example", "(size: 11, sigm: 0.5)")?.read::<Blur>().unwrap_err();
/// assert_eq!(errors.diagnostics.len(), 2); // all mistakes at once
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When it is larger than [`MAX_FILE`](super::MAX_FILE) or not RON.
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

//! `show` and `diff`: what an experiment comes to, and in what two differ.

use crate::base::Result;
use crate::cli::out::{self, Color};
use crate::config::{self, Document, Kind, Node, Noted, Sources, Span, print_line};

/// Prints the resolved tree; behind each value, where it was written.
pub(super) fn resolved(document: &Document) -> Result<()> {
    out::text(document.show())
}

/// Prints the complete tree; behind each value, where it was written or that it is a default.
pub(super) fn complete(mut root: Node, document: &Document) -> Result<()> {
    config::adopt_places(&mut root, &document.root);
    out::text(config::print_with_notes(&root, &|noted| note(noted, &document.sources)))
}

fn note(noted: Noted<'_>, sources: &Sources) -> Option<String> {
    let field = match noted {
        Noted::Element(element) => return Some(place(element.span, sources)),
        Noted::Field(field) => field,
    };
    let whole = match &field.value.kind {
        Kind::Struct(fields) => fields.is_empty(),
        // a list of components speaks through their fields
        Kind::Seq(items) => items.iter().all(|item| item.fields().is_empty()),
        _ => true,
    };
    whole.then(|| place(field.value.span, sources))
}

fn place(span: Span, sources: &Sources) -> String {
    match span.is_some() {
        true => sources.position_with_ends(span),
        false => "default".to_owned(),
    }
}

/// An experiment to compare: its complete tree, and the files that made it.
pub(super) struct Side {
    root: Node,
    document: Document,
}

impl Side {
    pub(super) fn new(mut root: Node, document: Document) -> Self {
        config::adopt_places(&mut root, &document.root);
        Side { root, document }
    }
}

/// Prints every setting in which two experiments differ.
pub(super) fn diff(before: &Side, after: &Side, color: Color) -> Result<()> {
    let found = config::differences(&before.root, &after.root);
    for difference in &found {
        out::line(&difference.path)?;
        let (first, second) = difference.places();
        side(color.red("-"), difference.before.as_ref(), &place(first, &before.document.sources))?;
        side(color.green("+"), difference.after.as_ref(), &place(second, &after.document.sources))?;
    }
    if found.is_empty() {
        out::line("no difference: both give the same run")?;
    }
    Ok(())
}

fn side(sign: String, node: Option<&Node>, place: &str) -> Result<()> {
    match node {
        Some(node) => out::line(format_args!("  {sign} {}  // {place}", print_line(node))),
        None => Ok(()),
    }
}

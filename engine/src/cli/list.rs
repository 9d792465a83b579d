//! `list`: what experiments can name, with types, ranges, defaults and documentation.

use crate::base::suggest::meant;
use crate::cli::describe::{default_of, first_paragraph, type_of, wrapped};
use crate::cli::out;
use crate::config::registry::{self, Component};

/// Prints the components of one kind, those of one name, or all.
///
/// # Errors
/// A text that says which there are.
pub(super) fn print(wanted: Option<&str>) -> Result<(), String> {
    let components = registry::components();
    let chosen = match wanted {
        None => components,
        Some(wanted) => choose(&components, wanted)?,
    };
    let mut kind = "";
    for component in chosen {
        if component.kind != kind {
            let gap = if kind.is_empty() { "" } else { "\n" };
            kind = component.kind;
            out::line(format_args!("{gap}{}", plural(kind)));
        }
        print_one(component);
    }
    Ok(())
}

/// The components of a kind, which people call `hooks` and `hook`, or of a name.
fn choose(components: &[&'static Component], wanted: &str) -> Result<Vec<&'static Component>, String> {
    let lower = wanted.to_lowercase();
    let of_kind = |component: &&Component| component.kind == lower || plural(component.kind) == lower;
    let named = |component: &&Component| component.name.to_lowercase() == lower;
    let chosen: Vec<_> = components.iter().copied().filter(|component| of_kind(component)).collect();
    let chosen = match chosen.is_empty() {
        true => components.iter().copied().filter(|component| named(component)).collect(),
        false => chosen,
    };
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let mut kinds: Vec<String> = components.iter().map(|component| plural(component.kind)).collect();
    kinds.dedup();
    let names = components.iter().map(|component| component.name);
    let known: Vec<&str> = kinds.iter().map(String::as_str).chain(names).collect();
    let meant = meant(wanted, &known);
    match meant.starts_with(", did") {
        true => Err(format!("no kind and no component is called `{wanted}`{meant}")),
        false => Err(format!("no kind and no component is called `{wanted}`; the kinds are `{}`", kinds.join("`, `"))),
    }
}

/// ```text
///   EarlyStopping
///       Ends the training when …
///     patience: u64, at least 1 = 5
///         Validations without improvement …
/// ```
fn print_one(component: &Component) {
    out::line(format_args!("  {}", component.name));
    paragraph(component.docs, 6);
    for field in component.fields {
        let default = default_of(field).map_or(", required".to_owned(), |default| format!(" = {default}"));
        out::line(format_args!("    {}: {}{default}", field.name, type_of(field)));
        paragraph(field.docs, 8);
    }
}

fn paragraph(docs: &str, indent: usize) {
    for line in wrapped(&first_paragraph(docs), indent) {
        out::line(format_args!("{:indent$}{line}", ""));
    }
}

fn plural(kind: &str) -> String {
    if kind.ends_with('s') { kind.to_owned() } else { format!("{kind}s") }
}

//! `list`: what experiments can name, with types, ranges, defaults and documentation.

use crate::base::Result;
use crate::base::suggest::did_you_mean;
use crate::cli::describe::{default_of, first_paragraph, plural, type_of, wrapped};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::config::registry::{self, Component};
use crate::trainer::{Build, Experiment};

/// A component, and the kind under which it is listed.
#[derive(Clone, Copy)]
struct Entry {
    kind: &'static str,
    component: &'static Component,
}

/// Prints the components of one kind, those of one name, or all.
pub(super) fn print<T: Build>(wanted: Option<&str>) -> Result<(), Failure> {
    let entries = entries::<T>();
    let chosen = match wanted {
        None => entries,
        Some(wanted) => choose(&entries, wanted).map_err(Failure::Usage)?,
    };
    let mut kind = "";
    for entry in chosen {
        if entry.kind != kind {
            let gap = if kind.is_empty() { "" } else { "\n" };
            kind = entry.kind;
            out::line(format_args!("{gap}{}", plural(kind)))?;
        }
        print_one(entry.component)?;
    }
    Ok(())
}

/// All that is linked in, by kind and name.
fn entries<T: Build>() -> Vec<Entry> {
    let models: Vec<&Component> = Experiment::<T>::schema().models().collect();
    let kind_of = |component: &'static Component| match models.iter().any(|model| std::ptr::eq(*model, component)) {
        true => "model",
        false => component.kind,
    };
    let entry = |component| Entry { kind: kind_of(component), component };
    let mut entries: Vec<Entry> = registry::components().into_iter().map(entry).collect();
    entries.sort_by_key(|entry| (entry.kind, entry.component.name));
    entries
}

/// The components of a kind, which people call `hooks` and `hook`, or of a name. When there are none, a text that says
/// which there are.
fn choose(entries: &[Entry], wanted: &str) -> Result<Vec<Entry>, String> {
    let lower = wanted.to_lowercase();
    let of_kind = |entry: &&Entry| entry.kind == lower || plural(entry.kind) == lower;
    let named = |entry: &&Entry| entry.component.name.to_lowercase() == lower;
    let chosen: Vec<Entry> = entries.iter().copied().filter(|entry| of_kind(&entry)).collect();
    let chosen = match chosen.is_empty() {
        true => entries.iter().copied().filter(|entry| named(&entry)).collect(),
        false => chosen,
    };
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let mut kinds: Vec<String> = entries.iter().map(|entry| plural(entry.kind)).collect();
    kinds.dedup();
    let names = entries.iter().map(|entry| entry.component.name);
    Err(match did_you_mean(wanted, kinds.iter().map(String::as_str).chain(names)) {
        Some(meant) => format!("no kind and no component is called `{wanted}`, did you mean `{meant}`?"),
        None => format!("no kind and no component is called `{wanted}`; the kinds are `{}`", kinds.join("`, `")),
    })
}

/// ```text
///   EarlyStopping
///       Ends the training when …
///     patience: u64, at least 1 = 5
///         Validations without improvement …
/// ```
fn print_one(component: &Component) -> Result<()> {
    out::line(format_args!("  {}", component.name))?;
    paragraph(component.docs, 6)?;
    for field in component.fields {
        let default = default_of(field).map_or(", required".to_owned(), |default| format!(" = {default}"));
        out::line(format_args!("    {}: {}{default}", field.name, type_of(field)))?;
        paragraph(field.docs, 8)?;
    }
    Ok(())
}

fn paragraph(docs: &str, indent: usize) -> Result<()> {
    wrapped(&first_paragraph(docs), indent)
        .into_iter()
        .try_for_each(|line| out::line(format_args!("{:indent$}{line}", "")))
}

//! `list`: what experiments can name.

use crate::base::registry::{self, Component};
use crate::base::suggest::meant;
use crate::cli::out;

/// Prints the components of one kind, or of all.
///
/// # Errors
/// A text that says which kinds there are.
pub(super) fn print(kind: Option<&str>) -> Result<(), String> {
    let components = registry::components();
    let mut kinds: Vec<&str> = components.iter().map(|component| component.kind).collect();
    kinds.dedup();
    // people say `hooks` and `hook`
    let known = |kind: &str| kinds.iter().find(|known| **known == kind || plural(known) == kind).copied();
    let wanted = match kind.map(str::to_lowercase) {
        None => None,
        Some(kind) => Some(known(&kind).ok_or_else(|| {
            let plurals: Vec<String> = kinds.iter().map(|kind| plural(kind)).collect();
            let plurals: Vec<&str> = plurals.iter().map(String::as_str).collect();
            format!("no kind of component is called `{kind}`{}", meant(&kind, &plurals))
        })?),
    };
    let printed = kinds.iter().filter(|kind| wanted.is_none_or(|wanted| wanted == **kind));
    for (index, kind) in printed.enumerate() {
        out::line(format_args!("{}{}", if index > 0 { "\n" } else { "" }, plural(kind)));
        components.iter().filter(|component| component.kind == *kind).for_each(|component| print_one(component));
    }
    Ok(())
}

fn print_one(component: &Component) {
    out::line(format_args!("  {}  {}", component.name, first_paragraph(component.docs)));
    for field in component.fields {
        let default = field.default.map_or("required".to_owned(), |default| format!("= {default}"));
        let range = field.range.map_or(String::new(), |range| format!(", {range}"));
        out::line(format_args!("    {}: {} {default}{range}  {}", field.name, field.ty, first_paragraph(field.docs)));
    }
}

/// Lines of a doc comment are broken where its source ends a line, not where a sentence ends.
fn first_paragraph(docs: &str) -> String {
    let lines = docs.lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

fn plural(kind: &str) -> String {
    if kind.ends_with('s') { kind.to_owned() } else { format!("{kind}s") }
}

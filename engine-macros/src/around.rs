//! The block around a method. An attribute on the method is not told of it, so its beginning is read from the file, for
//! messages alone: where it is not found, more than one error follows from one mistake.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{ItemImpl, Type};

/// What is known of the block.
pub(crate) struct Around {
    /// The type, when the block has no parameters.
    pub(crate) owner: Type,
    /// Whether no method above has the attribute.
    pub(crate) is_first: bool,
    /// Whether the type has a block of phases above.
    pub(crate) has_phases: bool,
}

/// The block around the method whose attribute is expanded; `attribute` is its name.
pub(crate) fn block(attribute: &str) -> Option<Around> {
    // in a unit test there is no compiler that knows the place, and `unwrap` below would panic
    if !proc_macro::is_available() {
        return None;
    }
    let at = Span::call_site().unwrap();
    let text = std::fs::read_to_string(at.local_file()?).ok()?;
    let lines: Vec<&str> = text.lines().take(at.line()).collect();
    found(&lines, attribute)
}

/// `lines` are those up to the attribute. In code that `rustfmt` has formatted, the block begins at the last line that is
/// less indented. Its head, and the lines behind that.
fn header<'a, 't>(lines: &'a [&'t str]) -> Option<(ItemImpl, &'a [&'t str])> {
    let (own, above) = lines.split_last()?;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_outside = |line: &&str| !line.trim().is_empty() && indent(line) < indent(own);
    let last = above.iter().rposition(is_outside)?;
    let first = above[..=last].iter().rposition(|line| line.trim_start().starts_with("impl"))?;
    let head = above[first..=last].join(" ");
    Some((syn::parse_str(&format!("{head}}}")).ok()?, &above[last..]))
}

fn found(lines: &[&str], attribute: &str) -> Option<Around> {
    let (block, above) = header(lines)?;
    if !block.generics.params.is_empty() || block.trait_.is_some() {
        return None;
    }
    let marked = |line: &&str| {
        let rest = line.trim_start().strip_prefix("#[").and_then(|rest| rest.strip_prefix(attribute));
        rest.is_some_and(|rest| rest.starts_with(['(', ']']))
    };
    let is_phases = |pair: &[&str]| {
        pair[0].trim_start().starts_with("#[phases")
            && syn::parse_str(&format!("{}}}", pair[1])).is_ok_and(|other: ItemImpl| other.self_ty == block.self_ty)
    };
    let has_phases = lines.windows(2).any(is_phases);
    Some(Around { is_first: !above.iter().any(marked), has_phases, owner: *block.self_ty })
}

/// The name of the trait that the block around the method implements.
pub(crate) fn of_trait() -> Option<String> {
    if !proc_macro::is_available() {
        return None;
    }
    let at = Span::call_site().unwrap();
    let text = std::fs::read_to_string(at.local_file()?).ok()?;
    let lines: Vec<&str> = text.lines().take(at.line()).collect();
    let (_, of, _) = header(&lines)?.0.trait_?;
    Some(of.segments.last()?.ident.to_string())
}

/// Whether a function is in an `impl` block.
pub(crate) fn is_in_impl() -> bool {
    let text = || {
        let at = Span::call_site().unwrap();
        Some((std::fs::read_to_string(at.local_file()?).ok()?, at.line()))
    };
    let Some((text, line)) = proc_macro::is_available().then(text).flatten() else { return false };
    let lines: Vec<&str> = text.lines().take(line).collect();
    header(&lines).is_some()
}

/// The names in derives above the attribute that is expanded: what they write is in the program already, and they are on the
/// item no more.
pub(crate) fn derives_above() -> Vec<String> {
    let text = || {
        let at = Span::call_site().unwrap();
        Some((std::fs::read_to_string(at.local_file()?).ok()?, at.line()))
    };
    let Some((text, line)) = proc_macro::is_available().then(text).flatten() else { return Vec::new() };
    let lines: Vec<&str> = text.lines().take(line.saturating_sub(1)).collect();
    derives_at_end(&lines)
}

/// The names in the derives at the end of these lines, among comments and other attributes.
fn derives_at_end(lines: &[&str]) -> Vec<String> {
    let is_above = |line: &&&str| line.trim_start().starts_with("#[") || line.trim_start().starts_with("//");
    let above = lines.iter().rev().take_while(is_above);
    let names = above.filter_map(|line| line.trim().strip_prefix("#[derive(")?.strip_suffix(")]"));
    let last = |path: &str| path.rsplit("::").next().unwrap_or_default().trim().to_owned();
    names.flat_map(|names| names.split(',').map(last)).filter(|name| !name.is_empty()).collect()
}

/// Wraps items so that a method can expand to them: it is inside an `impl` block, where only methods and constants may stand.
pub(crate) fn beside(items: &TokenStream) -> TokenStream {
    quote! {
        #[doc(hidden)]
        #[allow(dead_code, non_local_definitions, non_upper_case_globals)]
        const __engine_told: () = { #items };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens as _;

    fn of(text: &str) -> Option<(String, bool)> {
        let lines: Vec<&str> = text.lines().collect();
        found(&lines, "pass").map(|around| (around.owner.to_token_stream().to_string(), around.is_first))
    }

    #[test]
    fn the_block_and_the_first_method_are_found() {
        let first = "impl Other {}\n\nimpl Gan {\n    fn helper() {\n        1\n    }\n\n    #[pass(opt_c)]";
        assert_eq!(of(first), Some(("Gan".to_owned(), true)));
        let second = format!("{first}\n    fn critic(&mut self) {{}}\n    #[pass(opt_g)]");
        assert_eq!(of(&second), Some(("Gan".to_owned(), false)));
        assert_eq!(of("impl\n    Gan\n{\n    #[pass]"), Some(("Gan".to_owned(), true)));
    }

    #[test]
    fn derives_right_above_are_found() {
        let of = |text: &str| derives_at_end(&text.lines().collect::<Vec<_>>());
        assert_eq!(
            of("#[derive(Eq)]\nstruct A;\n\n#[derive(Clone, serde::Serialize,)]\n/// A layer.\n#[allow(unused)]"),
            ["Clone", "Serialize"]
        );
        assert!(of("#[derive(Clone)]\nstruct A;").is_empty());
    }

    #[test]
    fn where_it_is_not_clear_nothing_is_known() {
        for text in
            ["#[pass]", "impl<T> Gan<T> {\n    #[pass]", "fn main() {\n    #[pass]", "impl Steps for Gan {\n  #[pass]"]
        {
            assert_eq!(of(text), None, "{text}");
        }
    }
}

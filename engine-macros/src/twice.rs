//! Two of the engine's attributes on one item: one error, and only the first is in force.

use crate::diag::Diag;
use proc_macro2::Ident;
use syn::Attribute;

/// The attributes that make something of an item.
const MACROS: [&str; 5] = ["hook", "phases", "passes", "trainer", "component"];

/// Takes further attributes of the engine off an item that `own` is on, and reports them. Gives back their names.
pub(crate) fn only(own: &str, attrs: &mut Vec<Attribute>, diag: &mut Diag) -> Vec<String> {
    let others: Vec<Attribute> = attrs.extract_if(.., |attr| name(attr).is_some()).collect();
    let names: Vec<String> = others.iter().filter_map(name).map(ToString::to_string).collect();
    for (attr, other) in others.iter().zip(&names) {
        let message = match (own, other.as_str()) {
            _ if own == other => format!("the `{own}` attribute is given twice, keep one of them"),
            ("phases", "passes") | ("passes", "phases") => {
                "a block is one of `#[phases]` and `#[passes]`; give each an `impl` block of its own".to_owned()
            }
            (_, "phases") => "the `phases` attribute belongs on an `impl` block of this type; move it there".to_owned(),
            (_, "passes") => "the `passes` attribute belongs on an `impl` block of this type; move it there".to_owned(),
            ("hook", "component") | ("component", "hook") => {
                "a hook needs no `#[component]`: `#[hook]` makes its settings a component; keep one of the two"
                    .to_owned()
            }
            _ => format!("a type can't have both `#[{own}]` and `#[{other}]`, keep one of them"),
        };
        diag.error(attr.path(), message);
    }
    names
}

/// The name of an attribute of the engine: `hook`, `engine::hook`.
fn name(attr: &Attribute) -> Option<&Ident> {
    let segments = &attr.path().segments;
    let last = &segments.last()?.ident;
    let of_engine = segments.len() == 1 || (segments.len() == 2 && segments[0].ident == "engine");
    (of_engine && MACROS.iter().any(|name| last == name)).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn a_second_attribute_is_one_error_and_is_gone() {
        for (own, second) in [("trainer", "trainer"), ("hook", "trainer"), ("hook", "component"), ("hook", "phases")] {
            let second = Ident::new(second, proc_macro2::Span::call_site());
            let mut attrs: Vec<Attribute> =
                vec![parse_quote!(#[doc = "kept"]), parse_quote!(#[#second]), parse_quote!(#[other::hook])];
            let mut diag = Diag::new();
            let names = only(own, &mut attrs, &mut diag);
            assert_eq!((attrs.len(), names), (2, vec![second.to_string()]));
            assert_eq!(diag.into_messages().len(), 1);
        }
    }
}

//! What the author of a component has told derives and serde already.

use crate::diag::Diag;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, Path, Token, token};

/// The derives that a setting needs.
#[derive(Default)]
pub(crate) struct Derived {
    pub(crate) clone: bool,
    pub(crate) debug: bool,
    pub(crate) serialize: bool,
    pub(crate) deserialize: bool,
}

/// The derives that are written below the attribute.
pub(crate) fn derived(attrs: &[Attribute]) -> Derived {
    let mut derived = Derived::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
        // a derive that does not parse is the compiler's to report
        let _ = attr.parse_nested_meta(|meta| {
            match last_name(&meta.path).as_str() {
                "Clone" => derived.clone = true,
                "Debug" => derived.debug = true,
                "Serialize" => derived.serialize = true,
                "Deserialize" => derived.deserialize = true,
                _ => {}
            }
            Ok(())
        });
    }
    derived
}

/// The words of `#[serde(…)]`: `default`, `rename`, ….
pub(crate) fn serde_words(attrs: &[Attribute]) -> Vec<String> {
    let mut words = Vec::new();
    each_serde_meta(attrs, |meta| words.push(last_name(&meta.path)));
    words
}

/// Refuses what makes serde buffer a value: positions in messages are lost with it, and so is merging.
pub(crate) fn refuse_buffering(attrs: &[Attribute], diag: &mut Diag) {
    each_serde_meta(attrs, |meta| {
        let why = match last_name(&meta.path).as_str() {
            "flatten" => "loses the positions that messages show; put the fields into this struct, or give them a key",
            "untagged" => "loses the positions that messages show; let the file name the variant",
            "tag" | "content" => {
                "loses the positions that messages show; leave it out, a file names variants as Rust does"
            }
            "alias" => "gives a key two names, which layers of files can't merge; keep one",
            _ => return,
        };
        let word = last_name(&meta.path);
        diag.error(&meta.path, format!("`serde({word})` {why}"));
    });
}

/// Refuses defaults that `list` and messages would not know of.
pub(crate) fn refuse_defaults(attrs: &[Attribute], diag: &mut Diag) {
    each_serde_meta(attrs, |meta| {
        if meta.path.is_ident("default") {
            diag.error(
                &meta.path,
                "`serde(default)` hides the default from `list`; write `#[config(default = …)]` on the field",
            );
        }
    });
}

/// Refuses other names than those that Rust, `list` and `new` know a struct and its fields by.
pub(crate) fn refuse_names(attrs: &[Attribute], of: Named, diag: &mut Diag) {
    each_serde_meta(attrs, |meta| {
        let word = last_name(&meta.path);
        let why = match (word.as_str(), of) {
            ("rename", Named::Struct) => {
                "gives the component a name that `list` does not know; write `name = \"…\"` in the `component` attribute"
            }
            ("rename", Named::Field) => "gives the field a key that `list` and `new` do not know; rename the field",
            ("rename_all", Named::Struct) => {
                "gives the fields keys that `list` and `new` do not know; leave it out, a file names fields as Rust does"
            }
            _ => return,
        };
        diag.error(&meta.path, format!("`serde({word})` {why}"));
    });
}

/// What an attribute would give another name to.
#[derive(Clone, Copy)]
pub(crate) enum Named {
    Struct,
    Field,
}

fn each_serde_meta(attrs: &[Attribute], mut each: impl FnMut(&ParseNestedMeta<'_>)) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // what serde can't parse is serde's to report
        let _ = attr.parse_nested_meta(|meta| {
            each(&meta);
            if meta.input.peek(Token![=]) {
                meta.value()?.parse::<Expr>()?;
            } else if meta.input.peek(token::Paren) {
                meta.parse_nested_meta(|inner| inner.value()?.parse::<Expr>().map(|_| ()))?;
            }
            Ok(())
        });
    }
}

fn last_name(path: &Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn derives_are_known_by_their_last_name() {
        let derived = derived(&[parse_quote!(#[derive(Copy, serde::Serialize)]), parse_quote!(#[derive(Debug)])]);
        assert!(derived.serialize && derived.debug && !derived.clone && !derived.deserialize);
    }

    #[test]
    fn buffering_is_refused_and_the_rest_is_not() {
        let refused = |attr: Attribute| {
            let mut diag = Diag::new();
            refuse_buffering(&[attr], &mut diag);
            diag.into_messages().len()
        };
        assert_eq!(refused(parse_quote!(#[serde(default = "one", flatten)])), 1);
        assert_eq!(refused(parse_quote!(#[serde(tag = "kind", content = "value")])), 2);
        assert_eq!(refused(parse_quote!(#[serde(rename_all = "lowercase", rename(serialize = "a"), default)])), 0);
    }
}

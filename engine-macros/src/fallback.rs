//! What becomes of an item that a macro can't expand: it stays as it is, without the helper attributes that
//! only the macro knows, so that the one error is the macro's.

use crate::diag::Diag;
use crate::fields::ROLES;
use crate::params::borrow;
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, Fields, Item, ItemStruct};

/// The item unchanged but for helper attributes, and the errors.
pub(crate) fn keep(item: TokenStream, diag: Diag) -> TokenStream {
    // the roles are those of another attribute, which is still to come
    let mut tokens = if is_read_by_another(&item) { item } else { without_helpers(item, true) };
    tokens.extend(diag.into_tokens());
    tokens
}

/// Says where an attribute belongs that was put on the wrong kind of item.
///
/// `place` completes "the `hook` attribute belongs on …"; `hint` may add what was meant, by the kind of item.
pub(crate) fn misplaced(
    attribute: &str,
    place: &str,
    item: TokenStream,
    hint: impl Fn(&Item) -> Option<&'static str>,
    mut diag: Diag,
) -> TokenStream {
    tell(attribute, place, &item, hint, &mut diag);
    keep(item, diag)
}

/// The error of [`misplaced`].
pub(crate) fn tell(
    attribute: &str,
    place: &str,
    item: &TokenStream,
    hint: impl Fn(&Item) -> Option<&'static str>,
    diag: &mut Diag,
) {
    match syn::parse2::<Item>(item.clone()) {
        Ok(parsed) => {
            let (span, what) = kind(&parsed);
            let hint = hint(&parsed).map(|hint| format!("; {hint}")).unwrap_or_default();
            diag.error(span, format!("the `{attribute}` attribute belongs on {place}, not on {what}{hint}"));
        }
        Err(error) => diag.add(error),
    }
}

/// The token that shows what the item is, and a word for it.
fn kind(item: &Item) -> (TokenStream, &'static str) {
    match item {
        Item::Enum(item) => (item.enum_token.to_token_stream(), "an enum"),
        Item::Union(item) => (item.union_token.to_token_stream(), "a union"),
        Item::Fn(item) => (item.sig.fn_token.to_token_stream(), "a function"),
        Item::Trait(item) => (item.trait_token.to_token_stream(), "a trait"),
        Item::Impl(item) if item.trait_.is_some() => (item.impl_token.to_token_stream(), "the `impl` of a trait"),
        Item::Impl(item) => (item.impl_token.to_token_stream(), "an `impl` block"),
        Item::Mod(item) => (item.mod_token.to_token_stream(), "a module"),
        Item::Type(item) => (item.type_token.to_token_stream(), "a type alias"),
        Item::Struct(item) => match &item.fields {
            Fields::Unnamed(fields) => (fields.to_token_stream(), "a tuple struct"),
            Fields::Unit => (item.struct_token.to_token_stream(), "a struct without fields"),
            _ if borrow(&item.generics) => (item.generics.to_token_stream(), "a struct that borrows"),
            _ => (item.struct_token.to_token_stream(), "a struct"),
        },
        other => (spanned(other.span()), "this item"),
    }
}

/// Any token with this span.
fn spanned(span: Span) -> TokenStream {
    proc_macro2::Ident::new("item", span).to_token_stream()
}

/// Removes `#[config]`, `#[state]`, `#[loader(train)]`, … wherever they stand.
///
/// On the item itself, `#[hook]` is the macro of that name.
fn without_helpers(tokens: TokenStream, on_item: bool) -> TokenStream {
    let mut kept = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct)
                if punct.as_char() == '#'
                    && tokens.peek().is_some_and(|attr| is_helper(attr) && !(on_item && is_named(attr, "hook"))) =>
            {
                tokens.next();
            }
            TokenTree::Group(group) => {
                let mut stripped = Group::new(group.delimiter(), without_helpers(group.stream(), false));
                stripped.set_span(group.span());
                kept.extend([TokenTree::Group(stripped)]);
            }
            other => kept.extend([other]),
        }
    }
    kept
}

/// Whether a struct has an attribute that takes the roles of its fields.
fn is_read_by_another(item: &TokenStream) -> bool {
    let Ok(item) = syn::parse2::<ItemStruct>(item.clone()) else { return false };
    let last = |attr: &Attribute| attr.path().segments.last().map(|name| name.ident.to_string());
    item.attrs.iter().filter_map(last).any(|name| ["trainer", "hook", "component"].contains(&name.as_str()))
}

fn is_helper(token: &TokenTree) -> bool {
    is_named(token, "pass") || ROLES.iter().any(|role| is_named(token, role.name))
}

/// Whether it is the bracket of an attribute of this name.
fn is_named(token: &TokenTree, name: &str) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(word)) if word == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn the_item_stays_without_its_helper_attributes() {
        let item = quote! {
            #[derive(Debug)]
            enum Wrong { A { #[config(default = 3)] #[doc = "kept"] width: i64 }, B(#[state] u8) }
        };
        let mut diag = Diag::new();
        diag.error_at(Span::call_site(), "misplaced");
        let kept = keep(item, diag).to_string();
        let expected = quote! {
            #[derive(Debug)]
            enum Wrong { A { #[doc = "kept"] width: i64 }, B(u8) }
            ::core::compile_error! { "misplaced" }
        };
        assert_eq!(kept, expected.to_string());
    }

    #[test]
    fn a_misplaced_attribute_is_told_where_it_belongs() {
        let mut diag = Diag::new();
        diag.error_at(Span::call_site(), "first");
        let tokens = misplaced(
            "hook",
            "a struct",
            quote!(
                fn after() {}
            ),
            |_| Some("use `#[phases]`"),
            diag,
        );
        assert!(
            tokens.to_string().contains("the `hook` attribute belongs on a struct, not on a function; use `#[phases]`")
        );
    }
}

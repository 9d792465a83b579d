//! Fields of which the macro can guess what their author meant: the error says what to write, and the macro goes on with the
//! field as it was meant, so that nothing else is reported.

use crate::source::source_of_expr;
use proc_macro2::{Span, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Field, Fields, ItemStruct, Type, parse_quote};

/// `width: i64 = 64`, as in a class of Python; `value` begins with the sign.
pub(super) fn default(field: &mut Field, value: TokenStream) -> syn::Error {
    let at = value.clone();
    let value: TokenStream = value.into_iter().skip(1).collect();
    let has = |name: &str| field.attrs.iter().any(|attr| attr.path().is_ident(name));
    let starts = ["state", "transient"].into_iter().find(|role| has(role));
    let message = match starts {
        Some(role) => format!("a `#[{role}]` field starts from the `Default` of its type; leave this out"),
        None if ["model", "optimizer", "scheduler", "loader", "metric", "hook"].into_iter().any(has) => {
            "the settings of this field are in the experiment; leave this out".to_owned()
        }
        None => format!("a default is written `#[config(default = {})]`, above the field", source(&value)),
    };
    if starts.is_none() && !has("config") && syn::parse2::<syn::Expr>(value.clone()).is_ok() {
        field.attrs.push(parse_quote!(#[config(default = #value)]));
    }
    syn::Error::new_spanned(at, message)
}

/// Fields of the same name, and fields whose type has no size.
pub(super) fn fields(item: &mut ItemStruct, mistakes: &mut Vec<syn::Error>) {
    let Fields::Named(named) = &mut item.fields else { return };
    let mut seen: Vec<String> = Vec::new();
    let mut is_second = |field: &Field| {
        let Some(name) = field.ident.as_ref().map(|name| name.unraw().to_string()) else { return false };
        // under opposite `cfg`s, both are right
        let is_second = !field.attrs.iter().any(|attr| attr.path().is_ident("cfg")) && seen.contains(&name);
        seen.push(name);
        is_second
    };
    let fields = std::mem::take(&mut named.named);
    for mut pair in fields.into_pairs() {
        let field = pair.value_mut();
        if is_second(field) {
            let name = field.ident.as_ref().map_or_else(Span::call_site, |name| name.span());
            let told = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            mistakes.push(syn::Error::new(
                name,
                format!("the field `{told}` is in this struct already; rename one of the two"),
            ));
            continue;
        }
        if is_text(&field.ty) {
            mistakes.push(syn::Error::new_spanned(&field.ty, "a field owns its value; write `String` for a text"));
            field.ty = parse_quote!(::std::string::String);
        }
        named.named.extend([pair]);
    }
}

/// The value as its author would write it.
fn source(value: &TokenStream) -> String {
    syn::parse2(value.clone()).map_or_else(|_| value.to_string(), |expr| source_of_expr(&expr))
}

/// `str`.
fn is_text(ty: &Type) -> bool {
    ty.to_token_stream().to_string() == "str"
}

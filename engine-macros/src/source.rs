//! Types and expressions as their author would write them.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Expr, Type};

/// A type as its author would write it, in one line.
pub(crate) fn source_of_type(ty: &Type) -> String {
    one_line(syn::parse_quote!(type T = #ty;), "type T =")
}

/// As [`source_of_type`], for an expression.
pub(crate) fn source_of_expr(expr: &Expr) -> String {
    one_line(syn::parse_quote!(const C: T = #expr;), "const C: T =")
}

fn one_line(item: syn::Item, before: &str) -> String {
    let fallback = item.to_token_stream();
    let file = syn::File { shebang: None, attrs: Vec::new(), items: vec![item] };
    let text = prettyplease::unparse(&file).split_whitespace().collect::<Vec<_>>().join(" ");
    match text.strip_prefix(before).and_then(|text| text.strip_suffix(';')) {
        Some(text) => text.trim().to_owned(),
        None => TokenStream::to_string(&fallback),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn expressions_read_as_they_were_written() {
        assert_eq!(source_of_expr(&parse_quote!(vec![1, 2])), "vec![1, 2]");
        assert_eq!(source_of_expr(&parse_quote!(-1.5e-3)), "-1.5e-3");
        assert_eq!(source_of_expr(&parse_quote!(1..=1024)), "1..=1024");
    }
}

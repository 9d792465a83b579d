//! Invisible groups, in which a `macro_rules!` hands on what it was given: `$ty:ty`, `$range:expr`, `$name:literal`.
//!
//! Around a single value or type they have no meaning, but code that matches on the form of the value no longer sees it.

use syn::{Expr, GenericArgument, PathArguments, Type};

/// The expression without invisible groups around it, and around the ends of a range.
pub(crate) fn bare_expr(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => bare_expr(*group.expr),
        Expr::Range(mut range) => {
            range.start = range.start.map(|start| Box::new(bare_expr(*start)));
            range.end = range.end.map(|end| Box::new(bare_expr(*end)));
            Expr::Range(range)
        }
        other => other,
    }
}

/// The type without invisible groups around it, and around what it is made of: `Option<$ty>`.
pub(crate) fn bare_type(ty: Type) -> Type {
    match ty {
        Type::Group(group) => bare_type(*group.elem),
        Type::Path(mut path) => {
            for segment in &mut path.path.segments {
                let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
                for argument in &mut arguments.args {
                    if let GenericArgument::Type(ty) = argument {
                        *ty = bare_type(ty.clone());
                    }
                }
            }
            Type::Path(path)
        }
        Type::Tuple(mut tuple) => {
            for element in &mut tuple.elems {
                *element = bare_type(element.clone());
            }
            Type::Tuple(tuple)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
    use quote::{ToTokens, quote};

    /// As a `macro_rules!` hands it on.
    fn handed_on(tokens: TokenStream) -> TokenTree {
        TokenTree::Group(Group::new(Delimiter::None, tokens))
    }

    #[test]
    fn what_a_macro_hands_on_is_seen_through() {
        let (low, high) = (handed_on(quote!(1)), handed_on(quote!(8)));
        let range = handed_on(quote!(#low..=#high));
        let expr: Expr = syn::parse2(range.to_token_stream()).unwrap();
        let Expr::Range(range) = bare_expr(expr) else { panic!("a range") };
        assert!(
            matches!(range.start.as_deref(), Some(Expr::Lit(_))) && matches!(range.end.as_deref(), Some(Expr::Lit(_)))
        );

        let inner = handed_on(quote!(PathBuf));
        for ty in [quote!(#inner), quote!(Option<#inner>), quote!((#inner, Vec<#inner>))] {
            let bare = bare_type(syn::parse2(handed_on(ty).to_token_stream()).unwrap());
            let groups = |tokens: TokenStream| tokens.into_iter().filter(is_invisible).count();
            assert_eq!(groups(bare.to_token_stream()), 0);
        }
    }

    fn is_invisible(token: &TokenTree) -> bool {
        matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::None)
    }
}

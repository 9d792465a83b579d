//! Prints expansions on request: `ENGINE_EXPAND=Name cargo check`.

use proc_macro2::{TokenStream, TokenTree};

/// Runs a macro; prints what it made of the item whose name `ENGINE_EXPAND` holds.
pub(crate) fn run(
    expand: fn(TokenStream, TokenStream) -> TokenStream,
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let wanted = std::env::var("ENGINE_EXPAND").ok().filter(|wanted| is_named(item.clone(), wanted));
    let expansion = expand(args.into(), item);
    if wanted.is_some() {
        match syn::parse2(expansion.clone()) {
            Ok(file) => eprintln!("{}", prettyplease::unparse(&file)),
            Err(_) => eprintln!("{expansion}"),
        }
    }
    expansion.into()
}

/// Whether the item is `struct Name`, `enum Name` or `impl Name`.
fn is_named(item: TokenStream, wanted: &str) -> bool {
    let mut tokens = item.into_iter();
    tokens.any(|token| matches!(&token, TokenTree::Ident(word) if word == "struct" || word == "enum" || word == "impl"))
        && matches!(tokens.next(), Some(TokenTree::Ident(name)) if name == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn an_item_is_found_by_its_name() {
        assert!(is_named(
            quote!(
                #[derive(Debug)]
                pub struct Ema {
                    decay: f64,
                }
            ),
            "Ema"
        ));
        assert!(is_named(quote!(impl Ema {}), "Ema"));
        assert!(!is_named(
            quote!(
                pub struct Timer {
                    ema: Ema,
                }
            ),
            "Ema"
        ));
    }
}

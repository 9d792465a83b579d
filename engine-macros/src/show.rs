//! Prints expansions on request: `ENGINE_EXPAND=Name cargo check`.

use proc_macro2::{TokenStream, TokenTree};

/// Runs a macro; prints what it made of the item whose name `ENGINE_EXPAND` holds.
pub(crate) fn run(
    expand: fn(TokenStream, TokenStream) -> TokenStream,
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    // of `#[hook = "LOW"]` the compiler tells, and hands over what is behind the sign
    let is_value = proc_macro2::Span::call_site().source_text().is_some_and(|text| is_key_value(&text));
    let args = if is_value { proc_macro::TokenStream::new() } else { args };
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

/// Whether an attribute is written `#[name = value]`.
fn is_key_value(text: &str) -> bool {
    let name = text.trim_start_matches(['#', '[', ' ']);
    let is_of_name = |sign: char| sign.is_alphanumeric() || sign == '_' || sign == ':';
    text.starts_with('#') && name.trim_start_matches(is_of_name).trim_start().starts_with('=')
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
    fn a_value_behind_a_sign_is_told_from_arguments() {
        assert!(is_key_value("#[hook = \"LOW\"]") && is_key_value("#[engine::hook=1]"));
        assert!(!is_key_value("#[hook(priority = 1)]") && !is_key_value("#[hook]") && !is_key_value("Batch"));
    }

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

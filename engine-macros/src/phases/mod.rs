//! `#[phases]`: the methods of an `impl` block become the phases that a hook or a trainer takes part in.

mod correct;
mod expand;
mod names;
mod parse;

use crate::args;
use crate::diag::Diag;
use crate::fallback;
use crate::krate::Krate;
use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{Item, Path};

/// The whole macro.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    match parse::parse(args.clone(), item.clone(), &mut diag) {
        Some(phases) => {
            let mut tokens = expand::expand(&phases);
            tokens.extend(diag.into_tokens());
            tokens
        }
        None => {
            let stub = no_phases(args, &item, &mut diag);
            let place = "an `impl` block of the hook's or trainer's own";
            let mut tokens = fallback::misplaced("phases", place, item, hint, diag);
            tokens.extend(stub);
            tokens
        }
    }
}

/// A block that is being written does not parse; the type it belongs to still is a hook, without phases for now.
fn no_phases(args: TokenStream, item: &TokenStream, diag: &mut Diag) -> Option<TokenStream> {
    if syn::parse2::<Item>(item.clone()).is_ok() {
        return None;
    }
    let after_impl = item.clone().into_iter().skip_while(|token| !is_word(token, "impl")).skip(1);
    let owner: TokenStream = after_impl.take_while(|token| !matches!(token, TokenTree::Group(_))).collect();
    let owner: Path = syn::parse2(owner).ok()?;
    let private = Krate::from_args(&mut args::parse("phases", args, parse::KEYS, diag)).private();
    Some(quote! {
        #[automatically_derived]
        impl #private::Phases for #owner {
            const PHASES: #private::PhaseMask = #private::PhaseMask::NONE;
            fn call(&mut self, _: #private::Phase, _: &mut #private::Context<'_>) -> #private::Result<()> {
                ::core::result::Result::Ok(())
            }
        }
    })
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn hint(item: &Item) -> Option<&'static str> {
    match item {
        Item::Struct(_) => Some("on the struct goes `#[hook]` or `#[trainer]`"),
        Item::Impl(item) if item.trait_.is_some() => Some("put the phases into a block `impl YourHook { … }`"),
        Item::Fn(_) => Some("put the function into it"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::snapshot;
    use quote::quote;

    #[test]
    fn the_expansion_is_the_one_in_the_snapshot() {
        let expansion = super::expand(
            quote!(),
            quote! {
                impl WorstCases {
                    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
                        Ok(())
                    }
                    #[cfg(feature = "slow")]
                    fn after_val_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
                        Ok(())
                    }
                }
            },
        );
        snapshot::check("phases/worst_cases", &expansion);
    }

    #[test]
    fn a_wrong_method_leaves_the_others_in_force() {
        let expansion = super::expand(
            quote!(),
            quote! {
                impl WorstCases {
                    fn after_val(&self, cx: &mut Context<'_>) -> Result<()> { Ok(()) }
                    fn after_test(&mut self, cx: &mut Context<'_>) -> Result<()> { Ok(()) }
                }
            },
        )
        .to_string();
        assert!(expansion.contains("AfterTest") && !expansion.contains("AfterVal"), "{expansion}");
    }
}

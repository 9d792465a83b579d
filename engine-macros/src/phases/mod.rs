//! `#[phases]`: the methods of an `impl` block become the phases that a hook or a trainer takes part in.

mod correct;
mod expand;
mod names;
mod parse;

use crate::args;
use crate::diag::Diag;
use crate::fallback;
use crate::krate::Krate;
use crate::params::Owner;
use proc_macro2::{Span, TokenStream};
use syn::{Item, ItemImpl, ItemStruct};

pub(crate) use expand::{none, none_outside, owner, owner_of_item};

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
            let place = "an `impl` block of the hook's or trainer's own";
            let stub = no_phases(args, &item, &mut diag);
            let mut tokens = fallback::misplaced("phases", place, item, hint, diag);
            tokens.extend(stub);
            tokens
        }
    }
}

/// `#[phase]`: of a block it is told and is one, of a method it is told.
pub(crate) fn misspelt(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    if syn::parse2::<ItemImpl>(item.clone()).is_err() {
        diag.error_at(Span::call_site(), "a phase needs no attribute: `#[phases]` stands above the `impl` block, and the name of the method says which phase it is");
        return fallback::keep(item, diag);
    }
    diag.error_at(Span::call_site(), "the attribute of a block is `#[phases]`");
    let mut tokens = expand(args, item);
    tokens.extend(diag.into_tokens());
    tokens
}

/// An `#[only_ok]` that no `#[phases]` has read.
pub(crate) fn only_ok_outside(item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    let message = "`#[only_ok]` marks a method of a `#[phases]` block that closes a phase, such as `after_val`; write it above the method";
    diag.error_at(Span::call_site(), message);
    let mut tokens = item;
    tokens.extend(diag.into_tokens());
    tokens
}

/// On the struct of a hook, the attribute is reported; that the hook has no phases would be the same mistake once more.
fn no_phases(args: TokenStream, item: &TokenStream, diag: &mut Diag) -> Option<TokenStream> {
    let item: ItemStruct = syn::parse2(item.clone()).ok()?;
    let is_hook = item.attrs.iter().any(|attr| attr.path().segments.last().is_some_and(|name| name.ident == "hook"));
    let krate = Krate::from_args(&mut args::parse("phases", args, parse::KEYS, diag));
    is_hook.then(|| expand::none(&krate, &Owner::new(&item.ident, &item.generics)))
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
        assert!(expansion.contains("Phase :: AfterTest => {"), "{expansion}");
        assert!(!expansion.contains("Phase :: AfterVal => {"), "{expansion}");
    }
}

//! `#[phases]`: the methods of an `impl` block become the phases that a hook or a trainer takes part in.

mod asks;
mod correct;
mod expand;
mod names;
mod parse;

use crate::diag::Diag;
use crate::krate::Krate;
use crate::words::PHASES;
use crate::{around, fallback, stubs};
use proc_macro2::{Span, TokenStream};
use quote::ToTokens as _;
use syn::{ImplItem, ImplItemFn, Item, ItemImpl, ItemStruct};

pub(crate) use expand::{none_outside, owner, owner_of_item};

/// The whole macro.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    match parse::parse(args, item.clone(), &mut diag) {
        Some(phases) => {
            let mut tokens = expand::expand(&phases);
            tokens.extend(diag.into_tokens());
            tokens
        }
        // on the struct of a hook, `#[hook]` tells it
        None if let Some(hook) = handed_to_hook(&item) => {
            drop(diag.into_tokens());
            hook
        }
        None if syn::parse2::<ImplItemFn>(item.clone()).is_ok() => {
            let place = "an `impl` block of the hook's or trainer's own";
            let mut tokens = fallback::misplaced("phases", place, item, hint, diag);
            tokens.extend(around("phases"));
            tokens
        }
        None => {
            let place = "an `impl` block of the hook's or trainer's own";
            fallback::misplaced("phases", place, item, hint, diag)
        }
    }
}

/// `#[phase]`: of a block it is told and is one, of a method it is told.
pub(crate) fn misspelt(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    if syn::parse2::<ItemImpl>(item.clone()).is_err() {
        diag.error_at(Span::call_site(), "a phase needs no attribute: `#[phases]` stands above the `impl` block, and the name of the method says which phase it is");
        let mut tokens = fallback::keep(item, diag);
        tokens.extend(around("phase"));
        return tokens;
    }
    diag.error_at(Span::call_site(), "the attribute of a block is `#[phases]`");
    let mut tokens = expand(args, item);
    tokens.extend(diag.into_tokens());
    tokens
}

/// An `#[only_ok]` that no `#[phases]` has read.
pub(crate) fn only_ok_outside(item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    let is_method = syn::parse2::<ImplItemFn>(item.clone()).is_ok();
    let message = match is_method {
        true => "`#[only_ok]` marks a method of a `#[phases]` block; put `#[phases]` above the `impl` that it is in",
        false => {
            "`#[only_ok]` marks a method of a `#[phases]` block that closes a phase, such as `after_val`; write it above the method"
        }
    };
    diag.error_at(Span::call_site(), message);
    let mut tokens = item;
    tokens.extend(diag.into_tokens());
    if is_method {
        tokens.extend(around("only_ok"));
    }
    tokens
}

/// The struct of a hook, with this attribute behind `#[hook]`, which reads both.
fn handed_to_hook(item: &TokenStream) -> Option<TokenStream> {
    let mut item: ItemStruct = syn::parse2(item.clone()).ok()?;
    let is_hook = item.attrs.iter().any(|attr| attr.path().segments.last().is_some_and(|name| name.ident == "hook"));
    item.attrs.push(syn::parse_quote!(#[phases]));
    is_hook.then(|| item.into_token_stream())
}

/// Says that the hook has a block of phases, for a method that has the attribute by mistake: a missing block would be a second
/// error for the same mistake.
fn around(attribute: &str) -> Option<TokenStream> {
    let around = around::block(attribute).filter(|around| around.is_first && !around.has_phases)?;
    Some(around::beside(&stubs::phases(&Krate::found(), &around.owner)))
}

/// A block of phases under the attribute of something else: all of its methods are phases.
pub(crate) fn instead(item: &TokenStream) -> Option<TokenStream> {
    let block: ItemImpl = syn::parse2(item.clone()).ok()?;
    let is_phase = |member: &ImplItem| matches!(member, ImplItem::Fn(function) if PHASES.iter().any(|name| function.sig.ident == name));
    let are_phases = block.trait_.is_none() && !block.items.is_empty() && block.items.iter().all(is_phase);
    let mut diag = Diag::new();
    let phases = parse::parse(TokenStream::new(), item.clone(), &mut diag).filter(|_| are_phases && !diag.has_errors());
    drop(diag.into_tokens());
    phases.map(|phases| expand::expand(&phases))
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

//! `#[passes]`: the methods of an `impl` block become the passes of a trainer.

mod batch;
mod correct;
mod expand;
mod model;
mod parse;
mod validate;

use crate::around::{self, Around};
use crate::diag::Diag;
use crate::krate::Krate;
use crate::{fallback, stubs};
use proc_macro2::{Span, TokenStream};
use syn::{ImplItemFn, Item, ItemImpl};

/// The whole macro.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    match parse::parse(args, item.clone(), &mut diag) {
        Some(passes) => {
            validate::validate(&passes, &mut diag);
            expand::expand(&passes, diag)
        }
        None => fallback::misplaced("passes", "an `impl` block of the trainer's own", item, hint, diag),
    }
}

/// A `#[pass]` that no `#[passes]` has read.
pub(crate) fn outside(item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    if let Ok(function) = syn::parse2::<ImplItemFn>(item.clone()) {
        let message = match around::of_trait() {
            Some(of) => format!(
                "`#[pass]` marks a method of a `#[passes]` block, an `impl` of the trainer's own in place of `impl Steps`; move the method there, or leave `#[pass]` out of this `impl {of}`"
            ),
            None => "`#[pass]` marks a method of a `#[passes]` block; put `#[passes]` on the `impl` that it is in"
                .to_owned(),
        };
        diag.error(&function.sig.ident, message);
        let Some(Around { owner, is_first, .. }) = around::block("pass") else { return fallback::keep(item, diag) };
        // told once, and then the trainer has passes
        let error = diag.into_tokens();
        let told = is_first.then(|| around::beside(&stubs::passes(&Krate::found(), &owner, &error)));
        let mut tokens = fallback::keep(item, Diag::new());
        tokens.extend(told);
        return tokens;
    }
    let is_block = syn::parse2::<ItemImpl>(item.clone()).is_ok_and(|block| block.trait_.is_none());
    let message = match is_block {
        true => "the attribute of a block is `#[passes]`",
        false => "`#[pass]` marks a method of a `#[passes]` block, and nothing else",
    };
    diag.error_at(Span::call_site(), message);
    if !is_block {
        return fallback::keep(item, diag);
    }
    let mut tokens = expand(TokenStream::new(), item);
    tokens.extend(diag.into_tokens());
    tokens
}

fn hint(item: &Item) -> Option<&'static str> {
    match item {
        Item::Struct(_) => Some("on the struct goes `#[trainer]`"),
        Item::Impl(item) if item.trait_.is_some() => {
            Some("put the passes into a block `impl YourTrainer { … }`, in place of `impl Steps`")
        }
        Item::Fn(_) => Some("put the function into it, marked `#[pass(…)]`"),
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
                impl Gan {
                    /// The critic's.
                    #[pass(opt_c, times = 5)]
                    fn critic(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
                        Ok(self.score(batch).into())
                    }
                    #[pass(opt_g, opt_e, every = 2, batches = Fresh)]
                    fn generator(&mut self, _: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
                        Ok(self.made(cx).into())
                    }
                }
            },
        );
        snapshot::check("passes/gan", &expansion);
    }

    #[test]
    fn a_wrong_pass_leaves_the_others_in_force() {
        let expansion = super::expand(
            quote!(),
            quote! {
                impl Gan {
                    #[pass(opt_c)]
                    fn critic(&self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> { Ok(loss.into()) }
                    #[pass(opt_g)]
                    fn generator(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> { Ok(loss.into()) }
                }
            },
        )
        .to_string();
        assert!(expansion.contains("passes.generator") && expansion.contains("passes.critic"), "{expansion}");
        assert_eq!(expansion.matches("compile_error").count(), 1, "{expansion}");
    }
}

//! `#[hook]`: a struct becomes a hook that experiment files know.

mod expand;
mod parse;

use crate::diag::Diag;
use crate::krate::Krate;
use crate::{args, fallback, params, phases, trainer};
use proc_macro2::{Span, TokenStream};
use syn::Item;

pub(crate) use expand::{build_from_config, named, settings_ident, settings_of};

/// The whole macro.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    if trainer::is_meant(&item) {
        return trainer::instead("hook", item);
    }
    let mut diag = Diag::new();
    match parse::parse(args.clone(), item.clone(), &mut diag) {
        Some(hook) => {
            let mut tokens = expand::expand(&hook);
            tokens.extend(diag.into_tokens());
            tokens
        }
        None if let Some(of_block) = phases::instead(&item) => {
            fallback::tell("hook", "a struct with named fields", &item, hint, &mut diag);
            let mut tokens = of_block;
            tokens.extend(diag.into_tokens());
            tokens
        }
        None => {
            // its phases, if there are any, are no second mistake
            let krate = Krate::from_args(&mut args::parse("hook", args, parse::KEYS, &mut diag));
            let owner = syn::parse2(item.clone()).ok().and_then(|item| phases::owner_of_item(&krate, &item));
            let mut tokens = fallback::misplaced("hook", "a struct with named fields", item, hint, diag);
            tokens.extend(owner);
            tokens
        }
    }
}

/// A hook under the attribute of something else, which is told here: the hook is there.
pub(crate) fn instead(at: Span, message: &str, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    diag.error_at(at, message);
    let Some(mut hook) = parse::parse(args, item.clone(), &mut diag) else { return fallback::keep(item, diag) };
    // whether it has phases is asked when it is a hook
    hook.phases_misplaced = true;
    let mut tokens = expand::expand(&hook);
    tokens.extend(diag.into_tokens());
    tokens
}

/// `#[derive(Hook)]`: the struct is made a hook all the same, so that this is the one error.
pub(crate) fn derived(item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    diag.error_at(
        Span::call_site(),
        "a hook is no derive: write `#[hook]` above the struct in place of `#[derive(Hook)]`",
    );
    let mut told = Diag::new();
    let hook = parse::parse(TokenStream::new(), item, &mut told).map(|hook| expand::beside(&hook));
    let mut tokens = diag.into_tokens();
    tokens.extend(hook);
    tokens.extend(told.into_tokens());
    tokens
}

fn hint(item: &Item) -> Option<&'static str> {
    match item {
        Item::Impl(item) if item.trait_.is_none() => Some("the phases of a hook go under `#[phases]`"),
        Item::Fn(_) => Some("a phase is a method in a `#[phases] impl` block of the hook"),
        Item::Struct(item) if params::borrow(&item.generics) => Some("a hook owns its values"),
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
            quote!(priority = "LOW"),
            quote! {
                /// Keeps the worst cases.
                #[derive(Debug)]
                pub struct WorstCases {
                    /// How many are kept.
                    #[config(default = 8, range = 1..=100)]
                    keep: usize,
                    #[config]
                    title: Option<String>,
                    #[state]
                    seen: Vec<f64>,
                    #[transient]
                    scratch: Option<Tensor>,
                }
            },
        );
        snapshot::check("hook/worst_cases", &expansion);
    }

    #[test]
    fn after_a_bad_argument_the_hook_is_there() {
        let expansion = super::expand(
            quote!(priority = "TOP"),
            quote!(
                struct Quiet;
            ),
        )
        .to_string();
        assert!(expansion.contains("Hook for Quiet") && expansion.contains("compile_error"), "{expansion}");
    }
}

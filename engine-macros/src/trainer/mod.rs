//! `#[trainer]`: a struct of models, optimizers, loaders, metrics and hooks becomes a program.

mod expand;
mod model;
mod parse;
mod parts;
mod refused;
mod steps;
mod types;
mod validate;

use crate::diag::Diag;
use crate::krate::Krate;
use crate::recover::{self, Struct};
use crate::{args, fallback, params, phases};

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Item;
pub(crate) use types::is_layer;

/// The whole macro.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    expand_after(false, args, item)
}

/// The same; `is_told` says that a mistake in the trainer is reported already.
fn expand_after(is_told: bool, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    match parse::parse(args.clone(), item.clone(), &mut diag) {
        Some(mut trainer) => {
            validate::validate(&mut trainer, &mut diag);
            trainer.is_whole &= !is_told && !diag.has_errors();
            let mut tokens = expand::expand(&trainer);
            tokens.extend(diag.into_tokens());
            tokens
        }
        None => {
            // its phases, if there are any, are no second mistake
            let krate = Krate::from_args(&mut args::parse("trainer", args, parse::KEYS, &mut diag));
            let parsed: Option<Item> = syn::parse2(item.clone()).ok();
            let owner = parsed.as_ref().and_then(|item| phases::owner_of_item(&krate, item));
            fallback::tell("trainer", "a struct with named fields", &item, hint, &mut diag);
            let stub = match &parsed {
                Some(Item::Struct(item)) if params::borrow(&item.generics) => {
                    Some(refused::expand(&krate, item, diag.take_first()))
                }
                _ => None,
            };
            let mut tokens = fallback::keep(item, diag);
            tokens.extend(stub);
            tokens.extend(owner);
            tokens
        }
    }
}

/// `#[derive(Trainer)]`: the struct is made a trainer all the same, so that this is the one error.
pub(crate) fn derived(item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    diag.error_at(
        Span::call_site(),
        "a trainer is no derive: write `#[trainer(by_epoch)]` or `#[trainer(by_iter)]` above the struct in place of `#[derive(Trainer)]`",
    );
    let mut tokens = diag.into_tokens();
    let mut told = Diag::new();
    if let Some(mut trainer) = parse::parse(quote!(by_epoch), item, &mut told) {
        validate::validate(&mut trainer, &mut told);
        trainer.is_whole = false;
        tokens.extend(expand::beside(&trainer));
    }
    tokens.extend(told.into_tokens());
    tokens
}

/// Whether a struct under another attribute is a trainer: it has a loader, and a model or an optimizer.
pub(crate) fn is_meant(item: &TokenStream) -> bool {
    let Some(Struct { item, .. }) = recover::item_struct(item.clone()) else { return false };
    let has = |role: &str| item.fields.iter().any(|field| field.attrs.iter().any(|attr| attr.path().is_ident(role)));
    has("loader") && (has("model") || has("optimizer"))
}

/// A trainer under the attribute of something else: one error, and the trainer is there.
pub(crate) fn instead(attribute: &str, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    let message = format!(
        "a struct with a model and a loader is a trainer; write `#[trainer(by_epoch)]` or `#[trainer(by_iter)]` in place of `#[{attribute}]`"
    );
    diag.error_at(Span::call_site(), message);
    let mut tokens = expand_after(diag.has_errors(), quote!(by_epoch), item);
    tokens.extend(diag.into_tokens());
    tokens
}

fn hint(item: &Item) -> Option<&'static str> {
    match item {
        Item::Impl(item) if item.trait_.is_none() => {
            Some("`#[trainer]` goes above its struct, and the block of its phases is under `#[phases]`")
        }
        Item::Struct(item) if params::borrow(&item.generics) => Some("a trainer owns its values"),
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
            quote!(by_epoch, priority = "HIGH"),
            quote! {
                pub struct Digits {
                    #[model]
                    net: Cnn,
                    #[optimizer]
                    opt: Box<dyn Optimizer>,
                    #[scheduler]
                    schedule: Schedules,
                    #[loader(train)]
                    train: Loader<DigitsSet>,
                    #[loader(val)]
                    val: Loader<DigitsSet>,
                    #[loader(predict)]
                    prompts: Loader<Images>,
                    #[metric]
                    accuracy: Accuracy,
                    #[hook]
                    ema: Ema,
                    #[config(default = 0.1, range = 0.0..1.0)]
                    smoothing: f64,
                    #[state]
                    seen: u64,
                    #[transient]
                    scratch: Option<Tensor>,
                }
            },
        );
        snapshot::check("trainer/digits", &expansion);
    }

    #[test]
    fn several_train_loaders_are_joined_in_field_order() {
        let expansion = super::expand(
            quote!(by_epoch),
            quote! {
                struct Scenes {
                    #[model]
                    net: Net,
                    #[optimizer]
                    opt: AdamW,
                    #[loader(train)]
                    det: Loader<Boxes>,
                    #[loader(val)]
                    val: Loader<Boxes>,
                    #[loader(train)]
                    seg: Loader<Masks>,
                }
            },
        )
        .to_string();
        for part in ["loaders : [& [\"det\" , \"seg\"]", "((of_det , of_seg))", "SameBatches"] {
            assert!(expansion.contains(part), "{part} in {expansion}");
        }
    }

    #[test]
    fn several_models_have_keys_of_their_own() {
        let expansion = super::expand(
            quote!(by_iter),
            quote! {
                struct Gan {
                    #[model]
                    generator: Generator,
                    #[model]
                    critic: Critic,
                    #[optimizer(generator)]
                    opt_g: AdamW,
                    #[optimizer(critic)]
                    opt_c: AdamW,
                    #[loader(train)]
                    train: Loader<Images>,
                }
            },
        )
        .to_string();
        for key in
            ["\"model.generator\"", "\"model.critic\"", "\"optimizer.opt_g\"", "\"optimizer.opt_c\"", "& [\"critic\"]"]
        {
            assert!(expansion.contains(key), "{key} in {expansion}");
        }
        assert!(!expansion.contains("compile_error"), "{expansion}");
    }
}

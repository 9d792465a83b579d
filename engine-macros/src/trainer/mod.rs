//! `#[trainer]`: a struct of models, optimizers, loaders, metrics and hooks becomes a program.

mod expand;
mod model;
mod parse;
mod parts;
mod steps;
mod validate;

use crate::diag::Diag;
use crate::fallback;
use proc_macro2::TokenStream;
use syn::Item;

/// The whole macro.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    match parse::parse(args, item.clone(), &mut diag) {
        Some(mut trainer) => {
            validate::validate(&mut trainer, &mut diag);
            let mut tokens = expand::expand(&trainer);
            tokens.extend(diag.into_tokens());
            tokens
        }
        None => fallback::misplaced("trainer", "a struct with named fields", item, hint, diag),
    }
}

fn hint(item: &Item) -> Option<&'static str> {
    match item {
        Item::Impl(item) if item.trait_.is_none() => Some("the phases of a trainer go under `#[phases]`"),
        Item::Struct(item) if !item.generics.params.is_empty() => Some("name concrete types in its fields"),
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

//! `#[component]`: a struct becomes something that experiment files name or hold.

mod enums;
mod expand;
mod kind;
mod parse;
mod serde_attrs;
mod stateful;
mod stub;
mod unsaid;

use crate::component::stub::stub;
use crate::diag::Diag;
use crate::{around, fallback, hook, params, trainer};
use proc_macro2::{Span, TokenStream};
use syn::Item;

/// The whole macro.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    if trainer::is_meant(&item) {
        return trainer::instead("component", item);
    }
    if let Some((word, message, rest)) = kind::of_hook(&args) {
        return hook::instead(word.span(), message, rest, item);
    }
    let mut diag = Diag::new();
    let above = around::derives_above();
    if above.iter().any(|name| stub::NEEDED.contains(&name.as_str())) {
        diag.error_at(
            Span::call_site(),
            format!(
                "a derive stands below this attribute, which has to see it: move `#[derive({})]` under it",
                above.join(", ")
            ),
        );
        let stub = syn::parse2(item.clone()).ok().and_then(|item| stub(&item, &above));
        let mut tokens = fallback::keep(item, diag);
        tokens.extend(stub);
        return tokens;
    }
    match parse::parse(args, item.clone(), &mut diag) {
        Some(component) => {
            let mut tokens = expand::expand(&component);
            tokens.extend(diag.into_tokens());
            tokens
        }
        None => {
            let stub = syn::parse2(item.clone()).ok().and_then(|item| stub(&item, &[]));
            let mut tokens = fallback::misplaced("component", "a struct with named fields", item, hint, diag);
            tokens.extend(stub);
            tokens
        }
    }
}

/// `#[derive(Component)]`: the struct is a setting all the same, so that this is the one error.
pub(crate) fn derived(name: &str, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    let message =
        format!("a component is no derive: write `#[component]` above the item in place of `#[derive({name})]`");
    diag.error_at(Span::call_site(), message);
    let mut tokens = diag.into_tokens();
    tokens.extend(syn::parse2(item).ok().and_then(|item| stub(&item, &[])));
    tokens
}

fn hint(item: &Item) -> Option<&'static str> {
    match item {
        Item::Struct(item) if matches!(item.fields, syn::Fields::Unnamed(_)) => {
            Some("in a file every setting has a key")
        }
        Item::Struct(item) if params::borrow(&item.generics) => Some("a setting owns its value"),
        Item::Enum(_) => Some("an enum can't be generic here"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::snapshot;
    use proc_macro2::TokenStream;
    use quote::quote;

    #[test]
    fn the_expansion_of_settings_is_the_one_in_the_snapshot() {
        let expansion = super::expand(
            quote!(model),
            quote! {
                /// A small network.
                #[derive(PartialEq, Clone)]
                pub struct CnnConfig {
                    /// Channels of the first layer.
                    #[config(default = 32, range = 1..=1024)]
                    pub width: i64,
                    pub classes: i64,
                }
            },
        );
        snapshot::check("component/cnn", &expansion);
    }

    #[test]
    fn the_expansion_of_a_metric_is_the_one_in_the_snapshot() {
        let expansion = super::expand(
            quote!(metric),
            quote! {
                #[derive(Debug)]
                pub struct Accuracy {
                    #[config(default = 1, range = 1..)]
                    top_k: usize,
                    #[state]
                    right: u64,
                }
            },
        );
        snapshot::check("component/accuracy", &expansion);
    }

    #[test]
    fn the_expansion_of_a_sink_is_the_one_in_the_snapshot() {
        let expansion = super::expand(
            quote!(sink),
            quote! {
                /// Numbers in a file.
                pub struct Csv {
                    /// How many digits each has.
                    #[config(default = 6, range = 1..=17)]
                    digits: usize,
                    #[state]
                    position: u64,
                    #[transient]
                    out: Option<std::fs::File>,
                }
            },
        );
        snapshot::check("component/csv", &expansion);
    }

    #[test]
    fn each_kind_has_its_trait() {
        let expanded = |kind: TokenStream| {
            super::expand(
                kind,
                quote!(
                    pub struct FastConfig {
                        pub x: i64,
                    }
                ),
            )
            .to_string()
        };
        for (kind, name, of) in [
            (quote!(model), "Fast", "ModelConfig"),
            (quote!(optimizer), "Fast", "OptimizerConfig"),
            (quote!(schedule), "Fast", "ScheduleConfig"),
            (quote!(sampler), "Fast", "SamplerConfig"),
            (quote!(loop), "Fast", "LoopConfig"),
            (quote!(step), "Fast", "StepConfig"),
        ] {
            let tokens = expanded(kind);
            assert!(tokens.contains(&format!("{of} for FastConfig")), "{tokens}");
            assert!(tokens.contains(&format!("serde (name = {name:?})")), "{tokens}");
        }
        for kind in [quote!(dataset), quote!()] {
            assert!(!expanded(kind).contains("typetag"));
        }
    }

    #[test]
    fn an_enum_gets_what_a_setting_needs() {
        let tokens = super::expand(
            quote!(),
            quote!(
                #[derive(Copy)]
                pub enum Split {
                    Train,
                    Val,
                }
            ),
        )
        .to_string();
        for of in ["Clone", "Debug", "Serialize", "Deserialize"] {
            assert!(tokens.contains(of), "{tokens}");
        }
    }
}

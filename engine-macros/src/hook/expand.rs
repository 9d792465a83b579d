//! What a hook expands to: the struct, its settings, and the impls that tie them together.

use crate::fields::{Field, Role};
use crate::hook::parse::Hook;
use crate::krate::Krate;
use crate::phases;
use crate::settings::{Settings, block, fresh, registered, state_impl};
use crate::spans::{impl_without_advice, quiet, without_advice};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ItemStruct;
use syn::ext::IdentExt as _;

pub(crate) fn expand(hook: &Hook) -> TokenStream {
    let item = without_advice(&hook.item, &hook.item.ident);
    let beside = beside(hook);
    quote!(#item #beside)
}

/// All but the struct.
pub(crate) fn beside(hook: &Hook) -> TokenStream {
    let private = hook.krate.private();
    let (item, owner, name) = (&hook.item, &hook.item.ident, hook.name.as_str());
    let settings_ident = settings_ident(item);
    let settings = Settings { krate: &hook.krate, ident: &settings_ident, name, fields: &hook.fields };
    let level = quote! {
        #[serde(default, skip_serializing_if = "::core::option::Option::is_none")]
        pub level: ::core::option::Option<#private::Priority>,
    };
    let settings_struct = settings_of(owner, &settings, level, &[Ident::new("level", Span::mixed_site())]);
    let priority = hook.level.expand(&private);
    let of_level = quote!(#private::registry::level_info(|| #private::registry::to_node(&#priority)));
    let registration = settings.registration("hook", &hook.docs, of_level);
    let build = build_from_config(&hook.krate, &settings_ident, &hook.fields);
    let state = state_impl(&hook.krate, owner, &hook.fields);
    // at the struct's name: the error when there is no `#[phases]` block
    let here = hook.krate.private_at(owner.span());
    let open = impl_without_advice(owner.span());
    let impl_hook = quote_spanned!(owner.span()=> #open #here::Hook for #owner);
    let no_phases = hook.phases_misplaced.then(|| phases::none(&hook.krate, owner));
    let none_outside = phases::none_outside(&hook.krate, owner, true);
    let methods = quote! {
        fn build_any(&self) -> ::std::boxed::Box<dyn #private::AnyHook> {
            #private::build_any::<#owner>(self)
        }
        fn level(&self) -> ::core::option::Option<#private::Priority> {
            self.level
        }
    };
    let chosen_by_file = registered(&private, name, quote!(HookConfig), &settings_ident, methods);
    let block = block(quote! {
        #settings_struct
        #registration
        #state
        #[automatically_derived]
        #impl_hook {
            const NAME: &'static str = #name;
            const PRIORITY: #private::Priority = #priority;
            type Config = #settings_ident;
            #build
        }
        #none_outside
        #chosen_by_file
    });
    quote!(#no_phases #block)
}

/// The name of the struct of settings: `<Name>Config`, unless the item itself speaks of a type of that name.
pub(crate) fn settings_ident(item: &ItemStruct) -> Ident {
    let span = quiet(&item.ident);
    let name = format!("{}Config", item.ident.unraw());
    match mentions(item.fields.to_token_stream(), &name) {
        true => format_ident!("{}SettingsOf", item.ident.unraw(), span = span),
        false => Ident::new(&name, span),
    }
}

fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == name,
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

/// The struct of settings of a hook or metric, with what serde and the engine need of it.
///
/// `more` are fields that are no `#[config]`, `more_names` their names.
pub(crate) fn settings_of(
    owner: &Ident,
    settings: &Settings<'_>,
    more: TokenStream,
    more_names: &[Ident],
) -> TokenStream {
    let private = settings.krate.private();
    let ident = settings.ident;
    let fields = settings.fields.iter().filter_map(|field| {
        let (Field { ident, ty, cfgs, .. }, config) = (field, field.config()?);
        let attr = settings.field_attr(field, config);
        Some(quote!(#(#cfgs)* #attr pub #ident: #ty,))
    });
    let attr = settings.container_attr();
    let (constructors, keys) = (settings.constructors(more_names), settings.keys_impl(more_names));
    let (functions, clone, debug) =
        (settings.functions(), settings.clone_impl(more_names), settings.debug_impl(more_names));
    quote! {
        #[derive(#private::serde::Serialize, #private::serde::Deserialize)]
        #attr
        pub struct #ident { #(#fields)* #more }
        #functions
        #constructors
        #keys
        #clone
        #debug
        #[automatically_derived]
        impl #private::Configured for #owner {
            type Settings = #ident;
        }
    }
}

/// `fn build(config: &EmaConfig) -> Self`.
///
/// Its signature names the struct: `Self::Config` would ask once more whether the impl is complete.
pub(crate) fn build_from_config(krate: &Krate, settings: &Ident, fields: &[Field]) -> TokenStream {
    let private = krate.private();
    let config = Ident::new("config", Span::mixed_site());
    let values = fields.iter().map(|field| {
        let Field { ident, ty, cfgs, .. } = field;
        let value = match field.role {
            Role::Config(_) => quote!(<#ty as #private::ConfigValue>::copied(&#config.#ident)),
            Role::State | Role::Transient => {
                let fresh = fresh(krate, field);
                quote!(#fresh())
            }
            // the error is reported; nothing follows from it
            Role::BySerde { .. } | Role::Unknown => quote!(::core::unreachable!()),
        };
        quote!(#(#cfgs)* #ident: #value,)
    });
    quote! {
        #[allow(unreachable_code, unused_variables, clippy::diverging_sub_expression)]
        fn build(#config: &#settings) -> Self {
            Self { #(#values)* }
        }
    }
}

//! What a hook expands to: the struct, its settings, and the impls that tie them together.

use crate::chosen::{self, Entry};
use crate::demands::demands;
use crate::fields::{Field, Role};
use crate::hook::parse::Hook;
use crate::krate::Krate;
use crate::params::Owner;
use crate::phases;
use crate::settings::{Settings, setting};
use crate::spans::{impl_without_advice, quiet, without_advice};
use crate::state::{fresh, state_impl};
use crate::stubs;
use crate::verified::block;
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
    let (item, name) = (&hook.item, hook.name.as_str());
    let owner = Owner::new(&item.ident, &item.generics);
    let (ident, params) = (&owner.ident, &owner.params);
    let settings_ty = Owner { ident: settings_ident(item), params: params.clone() };
    let settings = Settings {
        krate: &hook.krate,
        ident: &settings_ty.ident,
        params,
        name,
        fields: &hook.fields,
        is_written: true,
    };
    let level = quote! {
        #[serde(default, skip_serializing_if = "::core::option::Option::is_none")]
        pub level: ::core::option::Option<#private::Priority>,
    };
    let settings_struct = settings_of(&owner, &settings, level, &[Ident::new("level", Span::mixed_site())]);
    let priority = hook.level.expand(&private);
    let of_level = quote!(#private::registry::level_info(|| #private::registry::to_node(&#priority)));
    let entry = Entry { kind: "hook", name, docs: &hook.docs, infos: settings.infos(of_level) };
    let build = build_from_config(&hook.krate, &owner, &settings_ty, &hook.fields);
    let state = state_impl(&hook.krate, &owner, &hook.fields);
    // at the struct's name: the error when there is no `#[phases]` block
    let here = hook.krate.private_at(ident.span());
    let open = impl_without_advice(ident.span(), params);
    let impl_hook = quote_spanned!(ident.span()=> #open #here::Hook for #owner);
    let is_owner = phases::owner(&hook.krate, &owner);
    if hook.phases_misplaced {
        // whether there is a block besides is not known, so nothing is asked of it
        let field = stubs::hook_field(&hook.krate, &owner);
        return block(quote!(#settings_struct #state #is_owner #field));
    }
    let (name, conditions) = named(&hook.krate, &owner, &settings_ty, &hook.fields, "HookConfig", name);
    let check = phases::none_outside(&hook.krate, &owner, true);
    let of_plain = params.is_empty().then(|| {
        let by_file = chosen::by_file(&private, "hook", &hook.name, &owner, &settings_ty);
        quote!(const _: () = #check; #by_file)
    });
    let entry = entry.expand(&hook.krate, &owner, &settings.conditions(), check);
    block(quote! {
        #settings_struct
        #entry
        #state
        #is_owner
        #[automatically_derived]
        #impl_hook #conditions {
            const NAME: &'static str = #name;
            const PRIORITY: #private::Priority = #priority;
            type Config = #settings_ty;
            #build
        }
        #of_plain
    })
}

/// The name of a hook, a metric or a sink, and the conditions of the impl that says it. A generic one has its name from
/// `engine::register!`.
pub(crate) fn named(
    krate: &Krate,
    owner: &Owner,
    settings: &Owner,
    fields: &[Field],
    config: &str,
    name: &str,
) -> (TokenStream, TokenStream) {
    if owner.params.is_empty() {
        return (quote!(#name), TokenStream::new());
    }
    let (private, config) = (krate.private(), Ident::new(config, Span::call_site()));
    let mut needed = demands(krate, &owner.params, fields, |_| true);
    needed.extend(owner.params.lasting());
    needed.push(quote!(#settings: #private::#config + #private::Registered));
    (quote!(<#settings as #private::Registered>::NAME), owner.params.conditions(&needed))
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
    owner: &Owner,
    settings: &Settings<'_>,
    more: TokenStream,
    more_names: &[Ident],
) -> TokenStream {
    let private = settings.krate.private();
    let ident = settings.ident;
    let fields = settings.fields.iter().filter_map(|field| {
        let (Field { ident, cfgs, .. }, config, known) = (field, field.config()?, settings.known(field));
        let attr = settings.field_attr(field, config);
        Some(quote!(#(#cfgs)* #attr pub #ident: #known,))
    });
    let attr = settings.container_attr();
    let params = settings.params;
    let (declared, named, own_conditions) = (params.declared(), params.named(), params.conditions(&[]));
    let nothing = params.nothing();
    let unused = settings.unused_params().map(|field| {
        quote! {
            #[doc(hidden)]
            #[serde(skip)]
            pub #field: #nothing,
        }
    });
    let (constructors, keys) = (settings.constructors(more_names), settings.keys_impl(more_names));
    let (functions, clone, debug) =
        (settings.functions(), settings.clone_impl(more_names), settings.debug_impl(more_names));
    let asked = settings.asked();
    quote! {
        #asked
        #[derive(#private::serde::Serialize, #private::serde::Deserialize)]
        #attr
        pub struct #ident #declared #own_conditions { #(#fields)* #more #unused }
        #functions
        #constructors
        #keys
        #clone
        #debug
        #[automatically_derived]
        impl #declared #private::Configured for #owner #own_conditions {
            type Settings = #ident #named;
        }
    }
}

/// `fn build(config: &EmaConfig) -> Self`.
///
/// Its signature names the struct: `Self::Config` would ask once more whether the impl is complete.
pub(crate) fn build_from_config(krate: &Krate, owner: &Owner, settings: &Owner, fields: &[Field]) -> TokenStream {
    let private = krate.private();
    let config = Ident::new("config", Span::mixed_site());
    let values = fields.iter().map(|field| {
        let Field { ident, cfgs, .. } = field;
        let value = match field.role {
            Role::Config(_) => {
                let known = setting(krate, &owner.params, field);
                quote!(<#known as #private::ConfigValue>::copied(&#config.#ident))
            }
            Role::State { .. } | Role::Transient => {
                let fresh = fresh(krate, &owner.params, field);
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

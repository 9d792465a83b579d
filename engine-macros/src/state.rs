//! `#[state]` and `#[transient]` fields: what they start from, and how they are saved.

use crate::demands::demands;
use crate::fields::{Field, Role};
use crate::krate::Krate;
use crate::params::{Owner, Params};
use crate::verified::{constant, has, path, verified};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

/// What a `#[state]` or `#[transient]` field starts from. That the former can be saved is asked by [`state_impl`].
pub(crate) fn fresh(krate: &Krate, params: &Params, field: &Field) -> TokenStream {
    let ty = &field.ty;
    match field.role {
        Role::State { .. } => {
            let (private, saved) = (krate.private(), saved(krate, params, field));
            quote!(<#saved as #private::Fresh>::fresh)
        }
        _ => path(krate, ty, "Fresh", "fresh"),
    }
}

/// The type of a `#[state]` field, which can be saved.
fn saved(krate: &Krate, params: &Params, field: &Field) -> TokenStream {
    match params.are_in(&field.ty) {
        true => field.ty.to_token_stream(),
        false => verified(krate, &field.ty, &constant("SAVED", &field.ident)),
    }
}

/// `impl State` from the `#[state]` fields. The expansion puts it into a [`block`](crate::verified::block).
pub(crate) fn state_impl(krate: &Krate, owner: &Owner, fields: &[Field]) -> TokenStream {
    let (private, params) = (krate.private(), &owner.params);
    let stated = || fields.iter().filter(|field| matches!(field.role, Role::State { .. }));
    let (map, state) = (Ident::new("map", Span::mixed_site()), Ident::new("state", Span::mixed_site()));
    let asked = stated().filter(|field| !params.are_in(&field.ty)).map(|field| {
        let Field { ident, ty, cfgs, .. } = field;
        let (constant, can_be_saved) = (constant("SAVED", ident), has(krate, ty, "Saved", "save"));
        quote! {
            #(#cfgs)*
            const #constant: bool = #can_be_saved;
        }
    });
    let save = |field: &Field| {
        let (Field { ident, cfgs, .. }, key, saved) = (field, field.key(), saved(krate, params, field));
        quote!(#(#cfgs)* #private::save_field::<#saved>(&mut #map, #key, &self.#ident);)
    };
    let load = |field: &Field| {
        let (Field { ident, cfgs, .. }, key, saved) = (field, field.key(), saved(krate, params, field));
        quote!(#(#cfgs)* #private::load_field::<#saved>(&mut #state, #key, &mut self.#ident)?;)
    };
    let (saves, loads) = (stated().map(save), stated().map(load));
    let per_rank: Vec<&Field> = stated().filter(|field| matches!(field.role, Role::State { per_rank: true })).collect();
    let own = (!per_rank.is_empty()).then(|| {
        let (saves, loads) = (per_rank.iter().map(|field| save(field)), per_rank.iter().map(|field| load(field)));
        quote! {
            fn save_own_state(&self) -> #private::StateMap {
                let mut #map = #private::StateMap::new();
                #(#saves)*
                #map
            }
            fn load_own_state(
                &mut self,
                mut #state: #private::StateMap,
            ) -> ::core::result::Result<(), #private::StateError> {
                #(#loads)*
                ::core::result::Result::Ok(())
            }
        }
    });
    let resetting = fields.iter().filter(|field| field.config().is_some_and(|config| config.resets_state.is_some()));
    let of: Vec<TokenStream> = resetting
        .map(|field| {
            let (Field { ident, ty, cfgs, .. }, key) = (field, field.key());
            let shown = quote!(::std::format!("{:?}", <#ty as #private::ConfigValue>::shown(&self.#ident)));
            quote!(#(#cfgs)* settings.push((#key, #shown));)
        })
        .collect();
    let belongs_to = (!of.is_empty()).then(|| {
        quote! {
            fn belongs_to(&self) -> ::std::vec::Vec<(&'static str, ::std::string::String)> {
                let mut settings = ::std::vec::Vec::new();
                #(#of)*
                settings
            }
        }
    });
    let adjustable = adjustable(&private, fields);
    let declared = params.declared();
    let needed = demands(krate, params, fields, |role| matches!(role, Role::State { .. } | Role::Config(_)));
    let conditions = params.conditions(&needed);
    quote! {
        #(#asked)*
        #[automatically_derived]
        impl #declared #private::State for #owner #conditions {
            #belongs_to
            #adjustable
            fn save_state(&self) -> #private::StateMap {
                let mut #map = #private::StateMap::new();
                #(#saves)*
                #map
            }
            fn load_state(
                &mut self,
                mut #state: #private::StateMap,
            ) -> ::core::result::Result<(), #private::StateError> {
                #(#loads)*
                ::core::result::Result::Ok(())
            }
            #own
        }
    }
}

/// The settings that schedules can change.
fn adjustable(private: &TokenStream, fields: &[Field]) -> Option<TokenStream> {
    let scheduled: Vec<TokenStream> = fields
        .iter()
        .filter_map(|field| {
            let (Field { ident, cfgs, .. }, key, config) = (field, field.key(), field.config()?);
            let (range, fits) = match &config.range {
                Some(limits) => {
                    let (source, range) = (limits.source(), limits.range());
                    (source, quote!(|value: &f64| (#range).contains(value)))
                }
                None => (String::new(), quote!(|_: &f64| true)),
            };
            config.scheduled.then(|| {
                quote! {
                    #(#cfgs)*
                    each(#private::Adjustable { name: #key, value: &mut self.#ident, range: #range, fits: #fits });
                }
            })
        })
        .collect();
    (!scheduled.is_empty()).then(|| {
        quote! {
            fn adjustable(&mut self, each: &mut dyn ::core::ops::FnMut(#private::Adjustable<'_>)) {
                #(#scheduled)*
            }
        }
    })
}

//! A metric or a sink: configured, saved and transient fields, as a hook has them, and settings apart.

use crate::chosen::{self, Entry};
use crate::component::kind::Kind;
use crate::component::parse::Component;
use crate::hook::{build_from_config, named, settings_ident, settings_of};
use crate::params::Owner;
use crate::settings::Settings;
use crate::spans::{impl_without_advice, without_advice};
use crate::state::state_impl;
use crate::verified::block;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ItemStruct;

pub(crate) fn expand(component: &Component, item: &ItemStruct) -> TokenStream {
    let (krate, fields, name, kind) = (&component.krate, &component.fields, &component.name, component.kind.word());
    let private = krate.private();
    let owner = Owner::new(&item.ident, &item.generics);
    let (ident, params) = (&owner.ident, &owner.params);
    let settings_ty = Owner { ident: settings_ident(item), params: params.clone() };
    let settings = Settings { krate, ident: &settings_ty.ident, params, name, fields, is_written: true };
    let family = Family::of(component, ident);
    let settings_struct = settings_of(&owner, &settings, family.more_fields, &family.more_names);
    let entry = Entry { kind, name, docs: &component.docs, infos: settings.infos(family.more_infos) };
    let build = build_from_config(krate, &owner, &settings_ty, fields);
    let state = state_impl(krate, &owner, fields);
    let (name, conditions) = named(krate, &owner, &settings_ty, fields, family.config_trait, name);
    let entry = entry.expand(krate, &owner, &settings.conditions(), quote!(()));
    let by_file = params.is_empty().then(|| chosen::by_file(&private, kind, &component.name, &owner, &settings_ty));
    // at the struct's name: the error when it does not implement the trait of its kind
    let here = krate.private_at(ident.span());
    let component_trait = family.component_trait;
    let open = impl_without_advice(ident.span(), params);
    let impl_component = quote_spanned!(ident.span()=> #open #here::#component_trait for #owner);
    let block = block(quote! {
        #settings_struct
        #entry
        #state
        #[automatically_derived]
        #impl_component #conditions {
            const NAME: &'static str = #name;
            type Config = #settings_ty;
            #build
        }
        #by_file
    });
    let item = without_advice(item, ident);
    quote!(#item #block)
}

/// What differs between the kinds.
struct Family {
    /// What a user's struct is tied to.
    component_trait: Ident,
    /// By which a file chooses.
    config_trait: &'static str,
    /// Settings that every component of the kind has.
    more_fields: TokenStream,
    more_names: Vec<Ident>,
    more_infos: TokenStream,
}

impl Family {
    fn of(component: &Component, owner: &Ident) -> Family {
        let private = component.krate.private();
        let component_trait = |name: &str| Ident::new(name, owner.span());
        match component.kind {
            Kind::Sink => Family {
                component_trait: component_trait("SinkComponent"),
                config_trait: "SinkConfig",
                more_fields: quote!(#[serde(default)] pub required: bool,),
                more_names: vec![format_ident!("required", span = Span::mixed_site())],
                more_infos: quote!(#private::registry::REQUIRED),
            },
            _ => Family {
                component_trait: component_trait("MetricComponent"),
                config_trait: "MetricConfig",
                more_fields: TokenStream::new(),
                more_names: Vec::new(),
                more_infos: TokenStream::new(),
            },
        }
    }
}

//! A metric or a sink: configured, saved and transient fields, as a hook has them, and settings apart.

use crate::component::kind::Kind;
use crate::component::parse::Component;
use crate::hook::{build_from_config, settings_ident, settings_of};
use crate::settings::{block, registered, state_impl};
use crate::spans::{impl_without_advice, without_advice};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ItemStruct;

pub(crate) fn expand(component: &Component, item: &ItemStruct) -> TokenStream {
    let private = component.krate.private();
    let (owner, name) = (&item.ident, component.name.as_str());
    let settings_ident = settings_ident(item);
    let settings = component.settings(&settings_ident);
    let family = Family::of(component, owner);
    let settings_struct = settings_of(owner, &settings, family.more_fields, &family.more_names);
    let registration = settings.registration(component.kind.word(), &component.docs, family.more_infos);
    let build = build_from_config(&component.krate, &settings_ident, &component.fields);
    let state = state_impl(&component.krate, owner, &component.fields);
    let chosen_by_file = registered(&private, name, family.config_trait, &settings_ident, family.config_methods);
    // at the struct's name: the error when it does not implement the trait of its kind
    let here = component.krate.private_at(owner.span());
    let component_trait = family.component_trait;
    let open = impl_without_advice(owner.span());
    let impl_component = quote_spanned!(owner.span()=> #open #here::#component_trait for #owner);
    let block = block(quote! {
        #settings_struct
        #registration
        #state
        #[automatically_derived]
        #impl_component {
            const NAME: &'static str = #name;
            type Config = #settings_ident;
            #build
        }
        #chosen_by_file
    });
    let item = without_advice(item, owner);
    quote!(#item #block)
}

/// What differs between the kinds.
struct Family {
    /// What a user's struct is tied to.
    component_trait: Ident,
    /// By which a file chooses.
    config_trait: TokenStream,
    config_methods: TokenStream,
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
                config_trait: quote!(SinkConfig),
                config_methods: quote! {
                    fn build_sink(&self) -> ::std::boxed::Box<dyn #private::Sink> {
                        #private::build_sink::<#owner>(self)
                    }
                    fn required(&self) -> bool {
                        self.required
                    }
                },
                more_fields: quote!(#[serde(default)] pub required: bool,),
                more_names: vec![format_ident!("required", span = Span::mixed_site())],
                more_infos: quote!(#private::registry::REQUIRED),
            },
            _ => Family {
                component_trait: component_trait("MetricComponent"),
                config_trait: quote!(MetricConfig),
                config_methods: quote! {
                    fn build_metric(&self) -> ::std::boxed::Box<dyn #private::Metric> {
                        #private::build_metric::<#owner>(self)
                    }
                },
                more_fields: TokenStream::new(),
                more_names: Vec::new(),
                more_infos: TokenStream::new(),
            },
        }
    }
}

//! A metric: configured, saved and transient fields, as a hook has them.

use crate::component::parse::Component;
use crate::component::registered::registered;
use crate::hook::{build_from_config, settings_ident, settings_of};
use crate::settings::state_impl;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ItemStruct;

pub(crate) fn expand(component: &Component, item: &ItemStruct) -> TokenStream {
    let private = component.krate.private();
    let (owner, name) = (&item.ident, component.name.as_str());
    let settings_ident = settings_ident(item);
    let settings = component.settings(&settings_ident);
    let settings_struct = settings_of(&settings, TokenStream::new(), &[]);
    let registration = settings.registration("metric", &component.docs, TokenStream::new());
    let build = build_from_config(&component.krate, &settings_ident, &component.fields);
    let state = state_impl(&component.krate, owner, &component.fields);
    let chosen_by_file = registered(
        &private,
        name,
        quote!(MetricConfig),
        &settings_ident,
        quote! {
            fn build_metric(&self) -> ::std::boxed::Box<dyn #private::Metric> {
                #private::build_metric::<#owner>(self)
            }
        },
    );
    // at the struct's name: the error when it measures nothing
    let here = component.krate.private_at(owner.span());
    let impl_metric = quote_spanned!(owner.span()=> impl #here::MetricComponent for #owner);
    quote! {
        #item
        const _: () = {
            #settings_struct
            #registration
            #state
            #[automatically_derived]
            #impl_metric {
                const NAME: &'static str = #name;
                type Config = #settings_ident;
                #build
            }
            #chosen_by_file
        };
    }
}

//! What a component expands to: the item with the derives it lacks, and its registration.

use crate::chosen::{self, Entry};
use crate::component::enums;
use crate::component::kind::Kind;
use crate::component::parse::{Component, Shape};
use crate::component::serde_attrs::{Derived, derived, serde_words};
use crate::component::stateful;
use crate::component::unsaid;
use crate::fields::Role;
use crate::functions::function;
use crate::params::Owner;
use crate::spans::without_advice;
use crate::verified::block;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, ItemEnum, ItemStruct, parse_quote};

pub(crate) fn expand(component: &Component) -> TokenStream {
    match &component.item {
        Shape::Enum(item) => expand_enum(component, item),
        Shape::Struct(item) if component.is_unsaid => unsaid::expand(&component.krate, item),
        Shape::Struct(item) if component.kind.owner().is_some() => stateful::expand(component, item),
        Shape::Struct(item) => expand_struct(component, item),
    }
}

fn expand_struct(component: &Component, item: &ItemStruct) -> TokenStream {
    let ident = &item.ident;
    let owner = Owner::new(ident, &item.generics);
    let params = &owner.params;
    let settings = component.settings(ident, params);
    let derived = derived(&item.attrs);
    let mut item = item.clone();
    add_attributes(&mut item.attrs, component, &derived, settings.bound());
    for (field, syn_field) in component.fields.iter().zip(&mut item.fields) {
        match &field.role {
            Role::Config(config) => {
                let attr = settings.field_attr(field, config);
                syn_field.attrs.push(parse_quote!(#attr));
            }
            // its error is reported
            Role::Unknown => {
                let nothing = format!("{ident}{}::{}", params.turbofish(), function("none", field));
                syn_field.attrs.push(parse_quote!(#[serde(skip, default = #nothing)]));
            }
            _ => {}
        }
    }
    let nothing = component.fields.iter().filter(|field| matches!(field.role, Role::Unknown)).map(|field| {
        let (name, ty) = (function("none", field), &field.ty);
        let (declared, conditions) = (params.declared(), params.conditions(&[]));
        quote! {
            impl #declared #owner #conditions {
                fn #name() -> #ty { ::core::unreachable!() }
            }
        }
    });
    let nothing: TokenStream = nothing.collect();
    // fields that serde reads as their author says; a `ConfigValue` they need not be
    let others: Vec<Ident> = component
        .fields
        .iter()
        .filter(|field| matches!(field.role, Role::BySerde { .. } | Role::Unknown))
        .map(|field| field.ident.clone())
        .collect();
    let functions = settings.functions();
    let clone = (!derived.clone).then(|| settings.clone_impl(&others));
    let debug = (!derived.debug).then(|| settings.debug_impl(&others));
    let keys = settings.keys_impl(&[]);
    let infos = settings.infos(TokenStream::new());
    let entry = Entry { kind: component.kind.word(), name: &component.name, docs: &component.docs, infos };
    let entry = entry.expand(&component.krate, &owner, &settings.conditions(), quote!(()));
    let of_model = of_model(component, &owner);
    let by_file = params.is_empty().then(|| by_file(component, &owner));
    let asked = settings.asked();
    let block = block(quote!(#asked #functions #nothing #clone #debug #keys #entry #of_model #by_file));
    let item = without_advice(&item, ident);
    quote!(#item #block)
}

fn expand_enum(component: &Component, item: &ItemEnum) -> TokenStream {
    let private = component.krate.private();
    let derived = derived(&item.attrs);
    let (mut item, mut clone, mut debug, mut access) = (item.clone(), None, None, None);
    if enums::has_fields(&item) {
        access = Some(enums::access(&mut item, &component.krate, &derived));
    } else {
        clone = (!derived.clone).then(|| quote!(#[derive(::core::clone::Clone)]));
        debug = (!derived.debug).then(|| quote!(#[derive(::core::fmt::Debug)]));
    }
    let (name, docs) = (&component.name, &component.docs);
    add_attributes(&mut item.attrs, component, &derived, None);
    let item = without_advice(&item, &item.ident);
    quote! {
        #clone
        #debug
        #item
        #access
        const _: () = {
            #private::inventory::submit! {
                #private::Component {
                    kind: "settings",
                    name: #name,
                    docs: #docs,
                    fields: &[],
                    origin: ::core::concat!(::core::file!(), ":", ::core::line!()),
                }
            }
        };
    }
}

/// Adds the serde derives that are missing, and what serde has to know of the container. The attributes stand behind all
/// derives, also those that are written: a derive comes before its attributes.
fn add_attributes(attrs: &mut Vec<Attribute>, component: &Component, derived: &Derived, bound: Option<String>) {
    let private = component.krate.private();
    let (serde, name) = (component.krate.serde(), &component.name);
    let said = serde_words(attrs);
    let unsaid = |word: &str| !said.iter().any(|known| known == word);
    if !derived.deserialize {
        attrs.insert(0, parse_quote!(#[derive(#private::serde::Deserialize)]));
    }
    if !derived.serialize {
        attrs.insert(0, parse_quote!(#[derive(#private::serde::Serialize)]));
    }
    if unsaid("crate") {
        attrs.push(parse_quote!(#[serde(crate = #serde)]));
    }
    if unsaid("rename") {
        attrs.push(parse_quote!(#[serde(rename = #name)]));
    }
    if unsaid("deny_unknown_fields") {
        attrs.push(parse_quote!(#[serde(deny_unknown_fields)]));
    }
    if let Some(bound) = bound.filter(|_| unsaid("bound")) {
        attrs.push(parse_quote!(#[serde(bound = #bound)]));
    }
}

/// Which model the settings are of.
fn of_model(component: &Component, owner: &Owner) -> Option<TokenStream> {
    let (private, model) = (component.krate.private(), component.model.as_ref()?);
    let (declared, conditions) = (owner.params.declared(), owner.params.conditions(&[]));
    (component.kind == Kind::Model).then(|| {
        quote! {
            #[automatically_derived]
            impl #declared #private::NetPart for #owner #conditions {
                type Model = #model;
            }
        }
    })
}

/// By which a file chooses among components of this kind, if it does.
fn by_file(component: &Component, owner: &Owner) -> Option<TokenStream> {
    // without a model its error is reported, and nothing is to follow from it
    if component.kind == Kind::Model && component.model.is_none() {
        return None;
    }
    chosen::by_file(&component.krate.private(), component.kind.word(), &component.name, owner, owner)
}

//! An enum among settings: its fields go through `ConfigValue`, as those of a struct do, so that a type that a file can't
//! hold is one error and not one for each derive.

use crate::component::parse::BY_SERDE;
use crate::component::serde_attrs::{Derived, serde_words};
use crate::fields::is_option;
use crate::krate::Krate;
use crate::spans::quiet;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Field, Fields, ItemEnum, Variant, parse_quote};

/// Whether there is a type that could be wrong.
pub(crate) fn has_fields(item: &ItemEnum) -> bool {
    item.variants.iter().any(|variant| !variant.fields.is_empty())
}

/// Tells serde how the fields are read and written, and gives the functions, `Clone` and `Debug`.
pub(crate) fn access(item: &mut ItemEnum, krate: &Krate, derived: &Derived) -> TokenStream {
    let private = krate.private();
    let owner = item.ident.clone();
    // before the fields are marked as read by the functions below
    let clone = (!derived.clone).then(|| clone_impl(item, &private));
    let debug = (!derived.debug).then(|| debug_impl(item, &private));
    let mut functions = Vec::new();
    for variant in &mut item.variants {
        let (name, cfgs) = (variant.ident.clone(), cfgs(&variant.attrs));
        for (index, field) in variant.fields.iter_mut().enumerate() {
            if is_read_by_serde(field) {
                continue;
            }
            let (ty, own_cfgs, local) = (field.ty.clone(), self::cfgs(&field.attrs), local(field, index));
            let bare = name.unraw();
            let [read, write] =
                ["read", "write"].map(|verb| format_ident!("__{verb}_{bare}_{local}", span = quiet(&name)));
            field.attrs.push(serde_attr(&owner, &read, &write, field.ident.is_some() && is_option(&ty)));
            functions.push(quote! {
                #(#cfgs)* #(#own_cfgs)*
                #[allow(non_snake_case)]
                fn #read<'de, __D: #private::serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> ::core::result::Result<#ty, __D::Error> {
                    <#ty as #private::ConfigValue>::read(deserializer)
                }
                #(#cfgs)* #(#own_cfgs)*
                #[allow(non_snake_case)]
                fn #write<__S: #private::serde::Serializer>(
                    value: &#ty,
                    serializer: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    <#ty as #private::ConfigValue>::write(value, serializer)
                }
            });
        }
    }
    quote! {
        #[automatically_derived]
        impl #owner { #(#functions)* }
        #clone
        #debug
    }
}

fn serde_attr(owner: &Ident, read: &Ident, write: &Ident, optional: bool) -> Attribute {
    let path = |function: &Ident| format!("{owner}::{function}");
    let (read, write) = (path(read), path(write));
    // an `Option` that is read by a function would have to be named
    let default = optional.then(|| quote!(default,));
    parse_quote!(#[serde(#default deserialize_with = #read, serialize_with = #write)])
}

fn clone_impl(item: &ItemEnum, private: &TokenStream) -> TokenStream {
    let owner = &item.ident;
    let arms = item.variants.iter().map(|variant| {
        let (name, cfgs, pattern) = (&variant.ident, cfgs(&variant.attrs), pattern(variant));
        let values = variant.fields.iter().enumerate().map(|(index, field)| {
            let (local, cfgs) = (local(field, index), self::cfgs(&field.attrs));
            let (member, value) = (member(field, index), copied(field, &local, private));
            quote!(#(#cfgs)* #member: #value,)
        });
        quote!(#(#cfgs)* Self::#name #pattern => Self::#name { #(#values)* },)
    });
    quote! {
        #[automatically_derived]
        impl ::core::clone::Clone for #owner {
            fn clone(&self) -> Self {
                match self { #(#arms)* }
            }
        }
    }
}

fn debug_impl(item: &ItemEnum, private: &TokenStream) -> TokenStream {
    let owner = &item.ident;
    let arms = item.variants.iter().map(|variant| {
        let (name, cfgs, pattern) = (variant.ident.unraw().to_string(), cfgs(&variant.attrs), pattern(variant));
        let start = match variant.fields {
            Fields::Unnamed(_) => quote!(f.debug_tuple(#name)),
            _ => quote!(f.debug_struct(#name)),
        };
        let shown = variant.fields.iter().enumerate().map(|(index, field)| {
            let (local, cfgs) = (local(field, index), self::cfgs(&field.attrs));
            let key = field.ident.as_ref().map(|ident| ident.unraw().to_string()).into_iter();
            let value = shown(field, &local, private);
            quote!(#(#cfgs)* shown.field(#(#key,)* #value);)
        });
        let ident = &variant.ident;
        quote! {
            #(#cfgs)*
            Self::#ident #pattern => {
                #[allow(unused_mut)]
                let mut shown = #start;
                #(#shown)*
                shown.finish()
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Debug for #owner {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self { #(#arms)* }
            }
        }
    }
}

/// `{ eps: of_eps, }`, which tuples take too: `{ 0: of_0, }`.
fn pattern(variant: &Variant) -> TokenStream {
    let fields = variant.fields.iter().enumerate().map(|(index, field)| {
        let (member, local, cfgs) = (member(field, index), local(field, index), cfgs(&field.attrs));
        quote!(#(#cfgs)* #member: #local,)
    });
    quote!({ #(#fields)* })
}

fn copied(field: &Field, local: &Ident, private: &TokenStream) -> TokenStream {
    let ty = &field.ty;
    match is_read_by_serde(field) {
        true => quote!(::core::clone::Clone::clone(#local)),
        false => quote!(<#ty as #private::ConfigValue>::copied(#local)),
    }
}

fn shown(field: &Field, local: &Ident, private: &TokenStream) -> TokenStream {
    let ty = &field.ty;
    match is_read_by_serde(field) {
        true => quote!(#local),
        false => quote!(<#ty as #private::ConfigValue>::shown(#local)),
    }
}

/// As its author says.
fn is_read_by_serde(field: &Field) -> bool {
    serde_words(&field.attrs).iter().any(|word| BY_SERDE.contains(&word.as_str()))
}

fn member(field: &Field, index: usize) -> TokenStream {
    match &field.ident {
        Some(ident) => quote!(#ident),
        None => syn::Index::from(index).to_token_stream(),
    }
}

fn local(field: &Field, index: usize) -> Ident {
    match &field.ident {
        Some(ident) => format_ident!("of_{}", ident.unraw(), span = Span::mixed_site()),
        None => format_ident!("of_{index}", span = Span::mixed_site()),
    }
}

fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect()
}

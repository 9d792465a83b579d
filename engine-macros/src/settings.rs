//! The struct of a component's configured fields: how serde reads it, and how the registry describes it.
//!
//! A hook or metric has a second struct for them; any other component is that struct itself. Each field is
//! read, written, copied and shown through the one trait `ConfigValue`, at the span of its type.

use crate::demands::demands;
use crate::fields::{Config, Field, Role};
use crate::functions::{absolute_function, check_function, default_function, function};
use crate::krate::Krate;
use crate::params::Params;
use crate::verified::{constant, has, verified};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;

/// A struct of settings.
pub(crate) struct Settings<'a> {
    pub(crate) krate: &'a Krate,
    /// The struct's name.
    pub(crate) ident: &'a Ident,
    /// Its parameters.
    pub(crate) params: &'a Params,
    /// The component's name in experiment files.
    pub(crate) name: &'a str,
    pub(crate) fields: &'a [Field],
    /// Whether the macro writes the struct, and not the user.
    pub(crate) is_written: bool,
}

impl Settings<'_> {
    /// `#[serde(…)]` of the struct.
    pub(crate) fn container_attr(&self) -> TokenStream {
        let (serde, name) = (self.krate.serde(), self.name);
        let bound = self.bound().map(|bound| quote!(, bound = #bound));
        quote!(#[serde(crate = #serde, rename = #name, deny_unknown_fields #bound)])
    }

    /// What serde's impls ask of the parameters, in the place of what serde would guess.
    pub(crate) fn bound(&self) -> Option<String> {
        let demands = self.demands();
        (!self.params.is_empty()).then(|| quote!(#(#demands),*).to_string())
    }

    /// What the settings need of their types that contain a parameter.
    fn demands(&self) -> Vec<TokenStream> {
        demands(self.krate, self.params, self.fields, |role| matches!(role, Role::Config(_)))
    }

    /// `<T: Number>`, `Worst<T>`, and the conditions of every impl.
    fn head(&self) -> (TokenStream, TokenStream, TokenStream) {
        let (ident, declared, named) = (self.ident, self.params.declared(), self.params.named());
        (quote!(#declared), quote!(#ident #named), self.conditions())
    }

    /// The constants that ask whether the types of the fields can be settings. The expansion puts them into one [`block`]
    /// together with everything that uses them.
    pub(crate) fn asked(&self) -> TokenStream {
        let asked = self.configured().filter(|(field, _)| !self.params.are_in(&field.ty)).map(|(field, _)| {
            let Field { ident, ty, cfgs, .. } = field;
            let (constant, is_setting) = (constant("SETTING", ident), has(self.krate, ty, "ConfigValue", "copied"));
            quote! {
                #(#cfgs)*
                const #constant: bool = #is_setting;
            }
        });
        asked.collect()
    }

    /// The type of a field, which can be a setting.
    pub(crate) fn known(&self, field: &Field) -> TokenStream {
        setting(self.krate, self.params, field)
    }

    /// The conditions of every impl.
    pub(crate) fn conditions(&self) -> TokenStream {
        self.params.conditions(&self.demands())
    }

    /// The field that makes use of the parameters, for a struct of the macro's own.
    pub(crate) fn unused_params(&self) -> Option<Ident> {
        (self.is_written && !self.params.is_empty()).then(|| Ident::new("__parameters", Span::mixed_site()))
    }

    /// `#[serde(…)]` of a field.
    pub(crate) fn field_attr(&self, field: &Field, config: &Config) -> TokenStream {
        let of = self.params.turbofish();
        let path = |verb: &str| format!("{}{of}::{}", self.ident, function(verb, field));
        let (read, write) = (path("read"), path("write"));
        let default = config.default.as_ref().map(|_| {
            let default = path(if config.default_is_path(&field.ty) { "absolute" } else { "default" });
            quote!(default = #default,)
        });
        quote!(#[serde(#default deserialize_with = #read, serialize_with = #write)])
    }

    /// What the attributes of [`Settings::field_attr`] name.
    pub(crate) fn functions(&self) -> TokenStream {
        let (declared, owner, conditions) = self.head();
        let functions = self.configured().map(|(field, config)| {
            let defaults = default_function(self.krate, field, config);
            let absolute = absolute_function(self.krate, field, config, quote!(Self::));
            let access = self.access_functions(field, config);
            quote!(#defaults #absolute #access)
        });
        quote! {
            #[automatically_derived]
            impl #declared #owner #conditions { #(#functions)* }
        }
    }

    fn access_functions(&self, field: &Field, config: &Config) -> TokenStream {
        let private = self.krate.private();
        let Field { ty, cfgs, .. } = field;
        let known = self.known(field);
        let (read, write) = (function("read", field), function("write", field));
        let check = check_function(self.krate, field, config);
        let how = match &check {
            Some(_) => {
                let check = function("check", field);
                quote!(#private::read_checked(deserializer, Self::#check))
            }
            None => {
                let known = self.known(field);
                quote!(<#known as #private::ConfigValue>::read(deserializer))
            }
        };
        quote! {
            #check
            #(#cfgs)*
            fn #read<'de, __D: #private::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<#ty, __D::Error> {
                #how
            }
            #(#cfgs)*
            fn #write<__S: #private::serde::Serializer>(
                value: &#ty,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                <#known as #private::ConfigValue>::write(value, serializer)
            }
        }
    }

    /// `new` of the settings without a default, and `Default` where there are none; `more` are fields besides, which have
    /// their own `Default`.
    pub(crate) fn constructors(&self, more: &[Ident]) -> TokenStream {
        let (declared, owner, conditions) = self.head();
        let required = || self.configured().filter(|(_, config)| config.default.is_none());
        let parameters = required().map(|(Field { ident, ty, cfgs, .. }, _)| quote!(#(#cfgs)* #ident: #ty));
        let fields = self.configured().map(|(field, config)| {
            let (ident, cfgs) = (&field.ident, &field.cfgs);
            let verb = if config.default_is_path(&field.ty) { "absolute" } else { "default" };
            let value = config.default.as_ref().map(|_| {
                let default = function(verb, field);
                quote!(: Self::#default())
            });
            quote!(#(#cfgs)* #ident #value,)
        });
        let all_have_defaults = required().next().is_none().then(|| {
            quote! {
                #[automatically_derived]
                impl #declared ::core::default::Default for #owner #conditions {
                    fn default() -> Self {
                        Self::new()
                    }
                }
            }
        });
        let more = more.iter().cloned().chain(self.unused_params());
        // who writes no experiments in Rust does not call it
        let unused =
            if self.params.is_empty() { quote!(const _: () = { let _ = #owner::new; };) } else { TokenStream::new() };
        let may_be_unused = (!self.params.is_empty()).then(|| quote!(#[allow(dead_code)]));
        quote! {
            #[automatically_derived]
            impl #declared #owner #conditions {
                #may_be_unused
                pub fn new(#(#parameters),*) -> Self {
                    Self { #(#fields)* #(#more: ::core::default::Default::default(),)* }
                }
            }
            #unused
            #all_have_defaults
        }
    }

    /// `impl Keyed`; `more` are settings besides.
    pub(crate) fn keys_impl(&self, more: &[Ident]) -> TokenStream {
        let (private, (declared, owner, _)) = (self.krate.private(), self.head());
        let conditions = self.params.conditions(&[]);
        let in_file = |field: &&Field| match field.role {
            Role::Config(_) => true,
            Role::BySerde { skipped } => !skipped,
            // its mistake is reported, and it may be a setting
            Role::Unknown => true,
            _ => false,
        };
        let keys = self.fields.iter().filter(in_file).map(|field| {
            let (cfgs, key) = (&field.cfgs, field.key());
            quote!(#(#cfgs)* #key)
        });
        let more = more.iter().map(|ident| ident.unraw().to_string());
        quote! {
            #[automatically_derived]
            impl #declared #private::Keyed for #owner #conditions {
                const KEYS: &'static [&'static str] = &[#(#keys,)* #(#more,)*];
            }
        }
    }

    /// `impl Clone`; `more` are fields that are no settings.
    pub(crate) fn clone_impl(&self, more: &[Ident]) -> TokenStream {
        let (private, (declared, owner, conditions)) = (self.krate.private(), self.head());
        let fields = self.configured().map(|(field, _)| {
            let (Field { ident, cfgs, .. }, known) = (field, self.known(field));
            quote!(#(#cfgs)* #ident: <#known as #private::ConfigValue>::copied(&self.#ident),)
        });
        let unreachable = more.iter().any(|ident| self.is_unknown(ident)).then(|| quote!(#[allow(unreachable_code)]));
        let more = more.iter().map(|ident| match self.is_unknown(ident) {
            true => quote!(#ident: ::core::unreachable!(),),
            false => quote!(#ident: ::core::clone::Clone::clone(&self.#ident),),
        });
        let unused = self.unused_params().map(|ident| quote!(#ident: ::core::marker::PhantomData,));
        quote! {
            #[automatically_derived]
            impl #declared ::core::clone::Clone for #owner #conditions {
                #unreachable
                fn clone(&self) -> Self {
                    Self { #(#fields)* #(#more)* #unused }
                }
            }
        }
    }

    /// `impl Debug`, under the component's name.
    pub(crate) fn debug_impl(&self, more: &[Ident]) -> TokenStream {
        let (private, (declared, owner, conditions), name) = (self.krate.private(), self.head(), self.name);
        let fields = self.configured().map(|(field, _)| {
            let (Field { ident, cfgs, .. }, key, known) = (field, field.key(), self.known(field));
            quote!(#(#cfgs)* shown.field(#key, <#known as #private::ConfigValue>::shown(&self.#ident));)
        });
        let more = more.iter().filter(|ident| !self.is_unknown(ident)).map(|ident| {
            let key = ident.unraw().to_string();
            quote!(shown.field(#key, &self.#ident);)
        });
        quote! {
            #[automatically_derived]
            impl #declared ::core::fmt::Debug for #owner #conditions {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    let mut shown = f.debug_struct(#name);
                    #(#fields)*
                    #(#more)*
                    shown.finish()
                }
            }
        }
    }

    /// What `list` and `new` read of the fields; `more` are entries of fields that are no `#[config]`.
    pub(crate) fn infos(&self, more: TokenStream) -> TokenStream {
        let private = self.krate.private();
        let fields = self.fields.iter().filter_map(|field| match &field.role {
            Role::Config(config) => Some(self.field_info(field, config)),
            Role::BySerde { skipped: false } => {
                let (key, docs, cfgs) = (field.key(), &field.docs, &field.cfgs);
                Some(quote!(#(#cfgs)* #private::FieldInfo::unknown(#key, #docs)))
            }
            _ => None,
        });
        quote!(&[#(#fields,)* #more])
    }

    /// What the registry holds of a field.
    fn field_info(&self, field: &Field, config: &Config) -> TokenStream {
        let (private, ident, named) = (self.krate.private(), self.ident, self.params.named());
        let owner = if self.params.is_empty() { quote!(#ident) } else { quote!(#ident::#named) };
        let Field { ty, cfgs, docs, .. } = field;
        let key = field.key();
        let (read, write) = (function("read", field), function("write", field));
        // through the functions that serde calls: a type that is no setting is then no further error
        let printed = |value: TokenStream| quote!(::core::option::Option::Some(|| #private::registry::node_of::<#ty>(&#value, #owner::#write)));
        let default = match &config.default {
            Some(_) if config.default_is_open() => {
                let [default, check] = ["default", "check"].map(|verb| function(verb, field));
                let checked = quote!(#private::registry::checked_default::<#ty>);
                quote! {
                    ::core::option::Option::Some(|| #checked(&#owner::#default(), #owner::#check, #owner::#write))
                }
            }
            Some(_) => {
                let default = function("default", field);
                printed(quote!(#owner::#default()))
            }
            None => quote!(::core::option::Option::None),
        };
        let example = match &config.example {
            Some(example) => {
                // an example of another type is an error at the example
                let (value, example) = (example.expand(self.krate, ty), Ident::new("example", Span::mixed_site()));
                printed(quote!({
                    let #example: #ty = #value;
                    #example
                }))
            }
            None => quote!(::core::option::Option::None),
        };
        let demand = option(config.demand_source());
        quote! {
            #(#cfgs)*
            #private::FieldInfo {
                name: #key,
                shape: || #private::registry::Shape::of_reading(&|probe| #owner::#read(probe).map(::core::mem::drop)),
                default: #default,
                demand: #demand,
                example: #example,
                docs: #docs,
            }
        }
    }

    /// Whether a mistake of this field is reported; nothing is to follow from it.
    fn is_unknown(&self, ident: &Ident) -> bool {
        self.fields.iter().any(|field| matches!(field.role, Role::Unknown) && field.ident == *ident)
    }

    fn configured(&self) -> impl Iterator<Item = (&Field, &Config)> {
        self.fields.iter().filter_map(|field| Some((field, field.config()?)))
    }
}

/// The type of a `#[config]` field, which can be a setting. That it can be is asked by [`Settings::asked`].
pub(crate) fn setting(krate: &Krate, params: &Params, field: &Field) -> TokenStream {
    match params.are_in(&field.ty) {
        true => field.ty.to_token_stream(),
        false => verified(krate, &field.ty, &constant("SETTING", &field.ident)),
    }
}

fn option(text: Option<String>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

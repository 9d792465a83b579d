//! The struct of a component's configured fields: how serde reads it, and how the registry describes it.
//!
//! A hook or metric has a second struct for them; any other component is that struct itself. Each field is
//! read, written, copied and shown through the one trait `ConfigValue`, at the span of its type.

use crate::fields::{Config, Field, Outside, Role};
use crate::krate::Krate;
use crate::spans::{ends, quiet};
use crate::verified::{constant, has, path, verified};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt as _;

/// A struct of settings.
pub(crate) struct Settings<'a> {
    pub(crate) krate: &'a Krate,
    /// The struct's name.
    pub(crate) ident: &'a Ident,
    /// The component's name in experiment files.
    pub(crate) name: &'a str,
    pub(crate) fields: &'a [Field],
}

impl Settings<'_> {
    /// `#[serde(…)]` of the struct.
    pub(crate) fn container_attr(&self) -> TokenStream {
        let (serde, name) = (self.krate.serde(), self.name);
        quote!(#[serde(crate = #serde, rename = #name, deny_unknown_fields)])
    }

    /// `#[serde(…)]` of a field.
    pub(crate) fn field_attr(&self, field: &Field, config: &Config) -> TokenStream {
        let path = |verb: &str| format!("{}::{}", self.ident, function(verb, field));
        let (read, write) = (path("read"), path("write"));
        let default = config.default.as_ref().map(|_| {
            let default = path(if config.default_is_path(&field.ty) { "absolute" } else { "default" });
            quote!(default = #default,)
        });
        quote!(#[serde(#default deserialize_with = #read, serialize_with = #write)])
    }

    /// What the attributes of [`Settings::field_attr`] name.
    pub(crate) fn functions(&self) -> TokenStream {
        let ident = self.ident;
        let functions = self.configured().map(|(field, config)| {
            let defaults = default_function(field, config);
            let absolute = absolute_function(self.krate, field, config, quote!(Self::));
            let access = self.access_functions(field, config);
            quote!(#defaults #absolute #access)
        });
        quote! {
            #[automatically_derived]
            impl #ident { #(#functions)* }
        }
    }

    fn access_functions(&self, field: &Field, config: &Config) -> TokenStream {
        let private = self.krate.private();
        let Field { ty, cfgs, .. } = field;
        let (read, write) = (function("read", field), function("write", field));
        let check = check_function(self.krate, field, config);
        let how = match &check {
            Some(_) => {
                let check = function("check", field);
                quote!(#private::read_checked(deserializer, Self::#check))
            }
            None => quote!(<#ty as #private::ConfigValue>::read(deserializer)),
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
                <#ty as #private::ConfigValue>::write(value, serializer)
            }
        }
    }

    /// `new` of the settings without a default, and `Default` where there are none; `more` are fields besides, which have
    /// their own `Default`.
    pub(crate) fn constructors(&self, more: &[Ident]) -> TokenStream {
        let ident = self.ident;
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
                impl ::core::default::Default for #ident {
                    fn default() -> Self {
                        Self::new()
                    }
                }
            }
        });
        quote! {
            #[automatically_derived]
            impl #ident {
                pub fn new(#(#parameters),*) -> Self {
                    Self { #(#fields)* #(#more: ::core::default::Default::default(),)* }
                }
            }
            // who writes no experiments in Rust does not call it
            const _: () = { let _ = #ident::new; };
            #all_have_defaults
        }
    }

    /// `impl Keyed`; `more` are settings besides.
    pub(crate) fn keys_impl(&self, more: &[Ident]) -> TokenStream {
        let (private, ident) = (self.krate.private(), self.ident);
        let in_file = |field: &&Field| match field.role {
            Role::Config(_) => true,
            Role::BySerde { skipped } => !skipped,
            _ => false,
        };
        let keys = self.fields.iter().filter(in_file).map(|field| {
            let (cfgs, key) = (&field.cfgs, field.key());
            quote!(#(#cfgs)* #key)
        });
        let more = more.iter().map(|ident| ident.unraw().to_string());
        quote! {
            #[automatically_derived]
            impl #private::Keyed for #ident {
                const KEYS: &'static [&'static str] = &[#(#keys,)* #(#more,)*];
            }
        }
    }

    /// `impl Clone`; `more` are fields that are no settings.
    pub(crate) fn clone_impl(&self, more: &[Ident]) -> TokenStream {
        let (private, ident) = (self.krate.private(), self.ident);
        let fields = self.configured().map(|(Field { ident, ty, cfgs, .. }, _)| {
            quote!(#(#cfgs)* #ident: <#ty as #private::ConfigValue>::copied(&self.#ident),)
        });
        let unreachable = more.iter().any(|ident| self.is_unknown(ident)).then(|| quote!(#[allow(unreachable_code)]));
        let more = more.iter().map(|ident| match self.is_unknown(ident) {
            true => quote!(#ident: ::core::unreachable!(),),
            false => quote!(#ident: ::core::clone::Clone::clone(&self.#ident),),
        });
        quote! {
            #[automatically_derived]
            impl ::core::clone::Clone for #ident {
                #unreachable
                fn clone(&self) -> Self {
                    Self { #(#fields)* #(#more)* }
                }
            }
        }
    }

    /// `impl Debug`, under the component's name.
    pub(crate) fn debug_impl(&self, more: &[Ident]) -> TokenStream {
        let (private, ident, name) = (self.krate.private(), self.ident, self.name);
        let fields = self.configured().map(|(field, _)| {
            let (Field { ident, ty, cfgs, .. }, key) = (field, field.key());
            quote!(#(#cfgs)* shown.field(#key, <#ty as #private::ConfigValue>::shown(&self.#ident));)
        });
        let more = more.iter().filter(|ident| !self.is_unknown(ident)).map(|ident| {
            let key = ident.unraw().to_string();
            quote!(shown.field(#key, &self.#ident);)
        });
        quote! {
            #[automatically_derived]
            impl ::core::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    let mut shown = f.debug_struct(#name);
                    #(#fields)*
                    #(#more)*
                    shown.finish()
                }
            }
        }
    }

    /// The entry that `list` and `new` read; `more` are entries of fields that are no `#[config]`.
    pub(crate) fn registration(&self, kind: &str, docs: &str, more: TokenStream) -> TokenStream {
        let (private, name) = (self.krate.private(), self.name);
        let fields = self.fields.iter().filter_map(|field| match &field.role {
            Role::Config(config) => Some(self.field_info(field, config)),
            Role::BySerde { skipped: false } => {
                let (key, docs, cfgs) = (field.key(), &field.docs, &field.cfgs);
                Some(quote!(#(#cfgs)* #private::FieldInfo::unknown(#key, #docs)))
            }
            _ => None,
        });
        quote! {
            #private::inventory::submit! {
                #private::Component {
                    kind: #kind,
                    name: #name,
                    docs: #docs,
                    fields: &[#(#fields,)* #more],
                    origin: ::core::concat!(::core::file!(), ":", ::core::line!()),
                }
            }
        }
    }

    /// What the registry holds of a field.
    fn field_info(&self, field: &Field, config: &Config) -> TokenStream {
        let (private, owner) = (self.krate.private(), self.ident);
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
            Some(example) => printed(example.expand(ty)),
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

/// `fn __default_x() -> T`, in which a default of a wrong type is an error at the default.
pub(crate) fn default_function(field: &Field, config: &Config) -> Option<TokenStream> {
    let Field { ty, cfgs, .. } = field;
    let (name, value) = (function("default", field), config.default.as_ref()?.expand(ty));
    let outside = config.outside(ty).map(|outside| refuse_outside(ty, &outside));
    Some(quote_spanned! {Span::mixed_site()=>
        #(#cfgs)*
        fn #name() -> #ty {
            #outside
            #value
        }
    })
}

/// An error at a constant default that lies outside the range.
fn refuse_outside(ty: &Type, outside: &Outside<'_>) -> TokenStream {
    let Outside { default, start, end, closed, text } = outside;
    let above = start.map(|start| quote!(DEFAULT >= #start)).into_iter();
    let below = end.map(|end| if *closed { quote!(DEFAULT <= #end) } else { quote!(DEFAULT < #end) }).into_iter();
    let (first, _) = ends(default);
    let refuse = quote_spanned!(first=> ::core::panic!(#text));
    quote! {
        const _: () = {
            const DEFAULT: #ty = #default;
            #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
            if !(true #(&& #above)* #(&& #below)*) {
                #refuse
            }
        };
    }
}

/// `fn __absolute_x() -> T` of a default that is a path: the place that it means from the current folder. What is saved
/// stands in a folder of its own, and a relative path would mean another place there.
pub(crate) fn absolute_function(krate: &Krate, field: &Field, config: &Config, of: TokenStream) -> Option<TokenStream> {
    let Field { ty, cfgs, .. } = field;
    let (name, default, private) = (function("absolute", field), function("default", field), krate.private());
    config.default_is_path(ty).then(|| {
        quote! {
            #(#cfgs)*
            fn #name() -> #ty { <#ty as #private::Paths>::absolute(#of #default()) }
        }
    })
}

/// `fn __check_x(value: &T) -> Result<(), String>`, when something is demanded of the field's value.
pub(crate) fn check_function(krate: &Krate, field: &Field, config: &Config) -> Option<TokenStream> {
    let private = krate.private();
    let Field { ty, cfgs, .. } = field;
    let (name, key) = (function("check", field), field.key());
    let range = config.range.as_ref().map(|limits| {
        let (range, source) = (limits.range(), limits.source());
        quote_spanned!(Span::mixed_site()=> #private::check_range::<#ty, _>(value, #key, #range, #source))
    });
    let exists = config.exists.then(|| quote_spanned!(Span::mixed_site()=> #private::check_exists::<#ty>(value)));
    let mut demands: Vec<TokenStream> = range.into_iter().chain(exists).collect();
    let last = demands.pop()?;
    Some(quote_spanned! {Span::mixed_site()=>
        #(#cfgs)*
        fn #name(value: &#ty) -> ::core::result::Result<(), ::std::string::String> {
            #(#demands?;)*
            #last
        }
    })
}

/// `__read_width`.
pub(crate) fn function(verb: &str, field: &Field) -> Ident {
    format_ident!("__{verb}_{}", field.ident, span = quiet(&field.ident))
}

/// What a `#[state]` or `#[transient]` field starts from. That the former can be saved is asked by [`state_impl`].
pub(crate) fn fresh(krate: &Krate, field: &Field) -> TokenStream {
    let ty = &field.ty;
    match field.role {
        Role::State => {
            let (private, saved) = (krate.private(), saved(krate, field));
            quote!(<#saved as #private::Fresh>::fresh)
        }
        _ => path(krate, ty, "Fresh", "fresh"),
    }
}

/// The type of a `#[state]` field, which can be saved.
fn saved(krate: &Krate, field: &Field) -> TokenStream {
    verified(krate, &field.ty, &constant("SAVED", &field.ident))
}

/// `impl State` from the `#[state]` fields. It stands in a [`block`].
pub(crate) fn state_impl(krate: &Krate, owner: &Ident, fields: &[Field]) -> TokenStream {
    let private = krate.private();
    let stated = || fields.iter().filter(|field| matches!(field.role, Role::State));
    let (map, state) = (Ident::new("map", Span::mixed_site()), Ident::new("state", Span::mixed_site()));
    let asked = stated().map(|field| {
        let Field { ident, ty, cfgs, .. } = field;
        let (constant, can_be_saved) = (constant("SAVED", ident), has(krate, ty, "Saved", "save"));
        quote! {
            #(#cfgs)*
            const #constant: bool = #can_be_saved;
        }
    });
    let saves = stated().map(|field| {
        let (Field { ident, cfgs, .. }, key, saved) = (field, field.key(), saved(krate, field));
        quote!(#(#cfgs)* #private::save_field::<#saved>(&mut #map, #key, &self.#ident);)
    });
    let loads = stated().map(|field| {
        let (Field { ident, cfgs, .. }, key, saved) = (field, field.key(), saved(krate, field));
        quote!(#(#cfgs)* #private::load_field::<#saved>(&mut #state, #key, &mut self.#ident)?;)
    });
    let resetting = fields.iter().filter(|field| field.config().is_some_and(|config| config.resets_state));
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
    quote! {
        #(#asked)*
        #[automatically_derived]
        impl #private::State for #owner {
            #belongs_to
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
        }
    }
}

fn option(text: Option<String>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

/// The block of an expansion that no name gets out of. A struct may have no field of a kind, so that a local is not used.
pub(crate) fn block(items: TokenStream) -> TokenStream {
    quote! {
        #[allow(
            non_camel_case_types,
            non_upper_case_globals,
            unreachable_code,
            unused_imports,
            unused_mut,
            unused_variables,
            clippy::diverging_sub_expression
        )]
        const _: () = { #items };
    }
}

/// How a file finds a component among those of its kind: an impl of a trait that typetag knows. It stands in a [`block`].
pub(crate) fn registered(
    private: &TokenStream,
    name: &str,
    of: TokenStream,
    ident: &Ident,
    methods: TokenStream,
) -> TokenStream {
    quote! {
        // the attribute of `typetag` names its crate by this word
        use #private::typetag;
        #[typetag::serde(name = #name)]
        impl #private::#of for #ident {
            #methods
        }
    }
}

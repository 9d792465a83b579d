//! One constant and one marker type for each field.
//!
//! The constant is the only place that says which trait the field's type has to have, at that type. All other code of
//! the expansion speaks of the marker, whose type goes through the constant: when the constant does not compile, the
//! compiler takes it for reported, and a type that does not serve is one error. Those of `net` are `CHECKED_net` and
//! `Field_net`, within the `const` block of the expansion.

use crate::fields::{Field, PartInfo, Role, Section};
use crate::functions::{absolute_function, check_function, default_function, function};
use crate::krate::Krate;
use crate::params::{Owner, Params};
use crate::spans::quiet;
use crate::trainer::model::{Trainer, TrainerField, TrainerRole};
use crate::verified::{constant, path};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

/// A field that the experiment file knows.
pub(crate) struct Part<'a> {
    pub(crate) field: &'a TrainerField,
    /// The marker type, with the parameters of the trainer.
    pub(crate) marker: Owner,
    /// `loaders.train`.
    pub(crate) path: String,
    /// What is known of its role.
    pub(crate) info: &'static PartInfo,
}

/// Of a generic trainer, what the field's type has to be where it contains a parameter.
pub(crate) fn demand(part: &Part<'_>, trainer: &Trainer) -> Option<TokenStream> {
    let (ty, (of, _)) = (&part.field.ty, part.info.demands);
    let (private, of) = (trainer.krate.private(), Ident::new(of, Span::call_site()));
    Params::of(&trainer.item.generics).are_in(ty).then(|| quote!(#ty: #private::#of))
}

/// The parts, in field order.
pub(crate) fn parts(trainer: &Trainer) -> Vec<Part<'_>> {
    let marker = |field: &TrainerField| format_ident!("Field_{}", field.ident.unraw(), span = quiet(&field.ident));
    let part = |field| {
        let info = TrainerField::part(field)?;
        let marker = Owner::new(&marker(field), &trainer.item.generics);
        Some(Part { field, info, marker, path: path_of(trainer, field, info) })
    };
    trainer.fields.iter().filter_map(part).collect()
}

/// Where the settings of a field are in an experiment, and its state in checkpoints: `loaders.train`.
fn path_of(trainer: &Trainer, field: &TrainerField, info: &PartInfo) -> String {
    let key = field.key();
    let of_this_role = |other: &&TrainerField| other.part().is_some_and(|other| std::ptr::eq(other, info));
    match info.section {
        Section::OneOrSeveral(section) if trainer.fields.iter().filter(of_this_role).count() > 1 => {
            format!("{section}.{key}")
        }
        Section::OneOrSeveral(section) | Section::One(section) => section.to_owned(),
        Section::Below(section) => format!("{section}.{key}"),
        Section::InList(section) => format!("{section}.{key}"),
    }
}

impl TrainerField {
    /// What the experiment file knows of its role.
    fn part(&self) -> Option<&'static PartInfo> {
        self.role.part()
    }

    /// The key in experiment files and checkpoints.
    pub(crate) fn key(&self) -> String {
        self.ident.unraw().to_string()
    }
}

impl Part<'_> {
    /// The constant that asks for the trait of the field's type, and the marker; `earlier` are the parts before it.
    pub(crate) fn expand(&self, trainer: &Trainer, krate: &Krate, earlier: &[Part<'_>]) -> TokenStream {
        let private = krate.private();
        let (owner, marker, ty) = (trainer.owner(), &self.marker, &self.field.ty);
        let (ident, params) = (&marker.ident, &owner.params);
        let (field, key, at, docs) = (&self.field.ident, self.field.key(), &self.path, &self.field.docs);
        let asked = self.constant("CHECKED");
        let (of, member) = self.info.demands;
        let check = path(krate, ty, of, member);
        let updating = match &self.field.role {
            TrainerRole::Optimizer { models } => {
                let models: Vec<String> = match models.is_empty() {
                    true => trainer.models().map(TrainerField::key).collect(),
                    false => models.iter().map(|model| model.unraw().to_string()).collect(),
                };
                Some(quote!(, &[#(#models),*]))
            }
            _ => None,
        };
        let (reached, setting) = match &self.field.role {
            TrainerRole::Own(own) => (None, own_setting(own, self, trainer)),
            // the compiler tells of a model that no step uses
            TrainerRole::Model => (None, TokenStream::new()),
            _ => (Some(quote!(reached by #field)), TokenStream::new()),
        };
        let kind = Ident::new(self.info.kind, Span::call_site());
        let kind = quote!(#kind(#key, #at, #docs #updating));
        // what is wrong with a model or a dataset is told at its first field
        let is_own = matches!(self.field.role, TrainerRole::Own(_));
        let earlier =
            earlier.iter().find(|other| !is_own && std::ptr::eq(self.info, other.info) && other.field.ty == *ty);
        let part = match (params.is_empty(), earlier) {
            (true, Some(earlier)) => {
                let asked = earlier.constant("CHECKED");
                let reached = reached.map(|reached| quote!(#private::part! { [] [] [#ident] [#owner] #reached }));
                quote! {
                    struct #ident;
                    #private::part! { [] [] #ident: #private::Known<#ty, #asked>, of #owner; #kind }
                    #reached
                }
            }
            (true, None) => quote!(#private::part! { #ident of #owner: #ty, #asked = #check; #kind #reached }),
            (false, _) => {
                let (declared, held, own) = (params.declared(), params.nothing(), params.conditions(&[]));
                let conditions: Vec<TokenStream> = params.lasting().into_iter().chain(demand(self, trainer)).collect();
                let conditions = params.conditions(&conditions);
                let reached = reached
                    .map(|reached| quote!(#private::part! { [#declared] [#conditions] [#marker] [#owner] #reached }));
                let (constant, known) = match params.are_in(ty) {
                    // a constant can't ask it of a parameter
                    true => (None, quote!(#ty)),
                    false => (
                        Some(quote!(const #asked: bool = { let _ = #check; true };)),
                        quote!(#private::Known<#ty, #asked>),
                    ),
                };
                quote! {
                    #constant
                    struct #ident #declared (#held) #own;
                    #private::part! { [#declared] [#conditions] #marker: #known, of #owner; #kind }
                    #reached
                }
            }
        };
        quote!(#part #setting)
    }

    /// `CHECKED_net`.
    pub(crate) fn constant(&self, what: &str) -> Ident {
        constant(what, &self.field.ident)
    }
}

/// A `#[config]` field of the trainer: its default and its range.
fn own_setting(own: &Field, part: &Part<'_>, trainer: &Trainer) -> TokenStream {
    let (krate, ty) = (&trainer.krate, &own.ty);
    let private = krate.private();
    let Role::Config(config) = &own.role else { return TokenStream::new() };
    let params = Params::of(&trainer.item.generics);
    let (marker, declared) = (&part.marker, params.declared());
    let more = params.are_in(ty).then(|| quote!(#ty: #private::ConfigValue));
    let more: Vec<TokenStream> = params.lasting().into_iter().chain(more).collect();
    let conditions = params.conditions(&more);
    let default_fn = default_function(krate, own, config);
    let absolute_fn = absolute_function(krate, own, config, quote!(Self::));
    let check_fn = check_function(krate, own, config);
    let default = default_fn.is_some().then(|| {
        let name = function(if absolute_fn.is_some() { "absolute" } else { "default" }, own);
        quote! {
            fn own_default() -> ::core::option::Option<#ty> {
                ::core::option::Option::Some(Self::#name())
            }
        }
    });
    let check = check_fn.is_some().then(|| {
        let name = function("check", own);
        quote! {
            fn own_check(value: &#ty) -> ::core::result::Result<(), ::std::string::String> {
                Self::#name(value)
            }
        }
    });
    let demand = config.demand_source().map(
        |demand| quote!(const DEMAND: ::core::option::Option<&'static str> = ::core::option::Option::Some(#demand);),
    );
    let functions = (default.is_some() || check.is_some()).then(|| {
        quote! {
            #[automatically_derived]
            impl #declared #marker #conditions { #default_fn #absolute_fn #check_fn }
        }
    });
    quote! {
        #functions
        #[automatically_derived]
        impl #declared #private::OwnSetting for #marker #conditions { #demand #default #check }
    }
}

//! One constant and one marker type for each field.
//!
//! The constant is the only place that says which trait the field's type has to have, at that type. All other code of
//! the expansion speaks of the marker, whose type goes through the constant: when the constant does not compile, the
//! compiler takes it for reported, and a type that does not serve is one error. Those of `net` are `CHECKED_net` and
//! `Field_net`, within the `const` block of the expansion.

use crate::fields::{Field, Role};
use crate::krate::Krate;
use crate::settings::{absolute_function, check_function, default_function, function};
use crate::spans::quiet;
use crate::trainer::model::{Trainer, TrainerField, TrainerRole};
use crate::verified::{constant, has, verified};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

/// A field that the experiment file knows.
pub(crate) struct Part<'a> {
    pub(crate) field: &'a TrainerField,
    /// The marker type.
    pub(crate) marker: Ident,
    /// `loaders.train`; empty for a metric, which stands in a list.
    pub(crate) path: String,
    /// Models first, hooks last: the order of building.
    pub(crate) rank: usize,
}

/// The parts, in field order.
pub(crate) fn parts(trainer: &Trainer) -> Vec<Part<'_>> {
    let (models, optimizers) = (trainer.models().count(), trainer.optimizers().count());
    let part = |field| part_of(field, models, optimizers);
    trainer.fields.iter().filter_map(part).collect()
}

fn part_of(field: &TrainerField, models: usize, optimizers: usize) -> Option<Part<'_>> {
    let key = field.key();
    let among = |section: &str, count: usize| if count > 1 { format!("{section}.{key}") } else { section.to_owned() };
    let (rank, path) = match &field.role {
        TrainerRole::Model => (0, among("model", models)),
        TrainerRole::Optimizer { .. } => (1, among("optimizer", optimizers)),
        TrainerRole::Scheduler => (2, "schedule".to_owned()),
        TrainerRole::Loader(_) => (3, format!("loaders.{key}")),
        TrainerRole::Metric => (4, String::new()),
        TrainerRole::Hook => (5, format!("hooks.{key}")),
        TrainerRole::Own(own) if own.config().is_some() => (6, format!("trainer.{key}")),
        _ => return None,
    };
    let marker = format_ident!("Field_{}", field.ident.unraw(), span = quiet(&field.ident));
    Some(Part { field, marker, path, rank })
}

impl TrainerField {
    /// The key in experiment files and checkpoints.
    pub(crate) fn key(&self) -> String {
        self.ident.unraw().to_string()
    }
}

impl Part<'_> {
    /// The marker and the trait it implements.
    pub(crate) fn expand(&self, trainer: &Trainer, krate: &Krate) -> TokenStream {
        let private = krate.private();
        let (marker, ty, key, docs) = (&self.marker, &self.field.ty, self.field.key(), &self.field.docs);
        let asked = self.constant("CHECKED");
        let check = self.check(krate);
        let known = verified(krate, ty, &asked);
        let field = quote!(type Field = #known;);
        let (of, members) = match &self.field.role {
            TrainerRole::Model => (quote!(ModelPart), field),
            TrainerRole::Optimizer { models } => {
                let models: Vec<String> = match models.is_empty() {
                    true => trainer.models().map(TrainerField::key).collect(),
                    false => models.iter().map(|model| model.unraw().to_string()).collect(),
                };
                let models = quote!(const MODELS: &'static [&'static str] = &[#(#models),*];);
                (quote!(OptimizerPart), quote!(#field #models))
            }
            TrainerRole::Scheduler => (quote!(SchedulesPart), field),
            TrainerRole::Loader(role) => {
                let variant = role.variant();
                let role = quote!(const ROLE: #private::Role = #private::Role::#variant;);
                (quote!(LoaderPart), quote!(#field #role))
            }
            TrainerRole::Metric => (quote!(MetricPart), field),
            TrainerRole::Hook => (quote!(HookPart), field),
            TrainerRole::Own(own) => (quote!(ConfigPart), own_config(own, field, krate)),
            TrainerRole::Unknown => return TokenStream::new(),
        };
        let wrapper = self.wrapper();
        quote! {
            #[allow(non_upper_case_globals)]
            const #asked: bool = #check;
            #[allow(non_camel_case_types)]
            struct #marker;
            #[automatically_derived]
            impl #private::#of for #marker { #members }
            #[automatically_derived]
            impl #private::Part for #marker {
                type Kind = #private::#wrapper<Self>;
                const NAME: &'static str = #key;
                const DOCS: &'static str = #docs;
            }
        }
    }

    /// `CHECKED_net`.
    pub(crate) fn constant(&self, what: &str) -> Ident {
        constant(what, &self.field.ident)
    }

    /// Names what the field's type has to have.
    fn check(&self, krate: &Krate) -> TokenStream {
        let (of, method) = match self.field.role {
            TrainerRole::Model => ("Model", "build"),
            TrainerRole::Optimizer { .. } => ("OptimizerField", "from_config"),
            TrainerRole::Scheduler => ("SchedulesField", "from_schedules"),
            TrainerRole::Loader(_) => ("LoaderField", "open"),
            TrainerRole::Metric => ("MetricField", "from_config"),
            TrainerRole::Hook => ("HookField", "from_hook"),
            TrainerRole::Own(_) | TrainerRole::Unknown => ("ConfigValue", "copied"),
        };
        has(krate, &self.field.ty, of, method)
    }

    /// The engine's type that reads, prints and builds fields of this role.
    fn wrapper(&self) -> Ident {
        let name = match self.field.role {
            TrainerRole::Model => "ModelOf",
            TrainerRole::Optimizer { .. } => "OptimizerOf",
            TrainerRole::Scheduler => "SchedulesOf",
            TrainerRole::Loader(_) => "LoaderOf",
            TrainerRole::Metric => "MetricOf",
            TrainerRole::Hook => "HookOf",
            TrainerRole::Own(_) | TrainerRole::Unknown => "ConfigOf",
        };
        Ident::new(name, proc_macro2::Span::call_site())
    }
}

/// A `#[config]` field of the trainer: its default and its range.
fn own_config(own: &Field, field: TokenStream, krate: &Krate) -> TokenStream {
    let ty = &own.ty;
    let Role::Config(config) = &own.role else { return TokenStream::new() };
    let default = default_function(own, config).map(|default_fn| {
        let absolute = absolute_function(krate, own, config, TokenStream::new());
        let name = function(if absolute.is_some() { "absolute" } else { "default" }, own);
        quote! {
            fn default() -> ::core::option::Option<#ty> {
                #default_fn
                #absolute
                ::core::option::Option::Some(#name())
            }
        }
    });
    let check = check_function(krate, own, config).map(|check_fn| {
        let name = function("check", own);
        quote! {
            fn check(value: &#ty) -> ::core::result::Result<(), ::std::string::String> {
                #check_fn
                #name(value)
            }
        }
    });
    let demand = config.demand_source().map(
        |demand| quote!(const DEMAND: ::core::option::Option<&'static str> = ::core::option::Option::Some(#demand);),
    );
    quote!(#field #demand #default #check)
}

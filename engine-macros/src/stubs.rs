//! Replacements for what a type lacks because of a mistake. The mistake is reported, and no further error follows from it.

use crate::krate::Krate;
use crate::params::Owner;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Type;

/// The type of a `#[hook]` field. A generic one would have to be registered too.
pub(crate) fn hook_field(krate: &Krate, owner: &Owner) -> Option<TokenStream> {
    let private = krate.private();
    owner.params.is_empty().then(|| {
        quote! {
            impl #private::HookField for #owner {
                type Hook = #private::SomeHook;
                const OPTIONAL: bool = false;
                const IS_WHOLE: bool = false;
                fn from_hook(_: ::core::option::Option<Self::Hook>) -> ::core::option::Option<Self> {
                    ::core::unreachable!()
                }
                fn hook_mut(&mut self) -> ::core::option::Option<&mut Self::Hook> { ::core::unreachable!() }
            }
        }
    })
}

/// The type of a `#[metric]` field.
pub(crate) fn metric_field(krate: &Krate, owner: &Owner) -> Option<TokenStream> {
    let private = krate.private();
    owner.params.is_empty().then(|| {
        quote! {
            impl #private::MetricField for #owner {
                const NAME: &'static str = "";
                type Config = ();
                fn from_config(_: &()) -> Self { ::core::unreachable!() }
                fn metric(&mut self) -> &mut dyn #private::Metric { ::core::unreachable!() }
            }
        }
    })
}

/// State of a type.
pub(crate) fn state(krate: &Krate, owner: &Owner) -> TokenStream {
    let (private, parameters, conditions) = (krate.private(), owner.params.declared(), owner.params.conditions(&[]));
    quote! {
        impl #parameters #private::State for #owner #conditions {
            fn save_state(&self) -> #private::StateMap { ::core::unreachable!() }
            fn load_state(&mut self, _: #private::StateMap) -> ::core::result::Result<(), #private::StateError> {
                ::core::unreachable!()
            }
        }
    }
}

/// The block of phases of a type, for every method that has the name of one.
pub(crate) fn phases(krate: &Krate, owner: &Type) -> TokenStream {
    let private = krate.private();
    quote! {
        impl #private::AllPhasesInOneBlock for #owner {
            const PHASES: #private::PhaseMask = #private::PhaseMask::of(#private::Phase::ALL);
            fn call(&mut self, _: #private::Phase, _: &mut #private::Context<'_>) -> #private::Result<()> {
                ::core::unreachable!()
            }
        }
    }
}

/// The passes of a trainer; what they take is the error.
pub(crate) fn passes(krate: &Krate, owner: &Type, error: &TokenStream) -> TokenStream {
    let private = krate.private();
    let nothing = crate::verified::verified(krate, quote!(()), &Ident::new("NO_PASSES", Span::call_site()));
    quote! {
        const NO_PASSES: bool = { #error };
        impl #private::AllPassesInOneBlock for #owner {
            type Batch = #nothing;
            const PASSES: &'static [#private::PassInfo] = #private::PassInfo::PLAIN;
            fn train_step(
                &mut self,
                _: &Self::Batch,
                _: &mut #private::Context<'_>,
            ) -> #private::Result<#private::Output> {
                ::core::unreachable!()
            }
        }
    }
}

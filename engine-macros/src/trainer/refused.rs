//! A struct that can't be a trainer, of which the error is reported: one that borrows. That it has no steps and is no trainer
//! would be the same mistake again, at each place that says so.

use crate::krate::Krate;
use crate::verified::verified;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ItemStruct;

/// What a trainer has, without anything in it. The error is within a constant on which the type of the batch depends, so that
/// the compiler says nothing of that type.
pub(crate) fn expand(krate: &Krate, item: &ItemStruct, error: TokenStream) -> TokenStream {
    let (private, owner) = (krate.private(), &item.ident);
    let (parameters, arguments, conditions) = item.generics.split_for_impl();
    let nothing = verified(krate, quote!(()), &Ident::new("NO_TRAINER", Span::call_site()));
    let lasting = match conditions {
        Some(conditions) => quote!(#conditions, Self: 'static),
        None => quote!(where Self: 'static),
    };
    let stubs = quote! {
        impl #parameters #private::Batches for #owner #arguments #conditions {
            type Batch = #nothing;
        }
        impl #parameters #private::State for #owner #arguments #conditions {
            fn save_state(&self) -> #private::StateMap { ::core::unreachable!() }
            fn load_state(&mut self, _: #private::StateMap) -> ::core::result::Result<(), #private::StateError> {
                ::core::unreachable!()
            }
        }
        impl #parameters #private::Slots for #owner #arguments #conditions {
            const SLOTS: &'static [#private::SlotInfo] = &[];
            fn call(&mut self, _: usize, _: #private::Phase, _: &mut #private::Context<'_>) -> #private::Result<()> {
                ::core::unreachable!()
            }
        }
        impl #parameters #private::Fields for #owner #arguments #lasting {
            const NAME: &'static str = "";
            const MODELS: &'static [(&'static str, &'static str)] = &[];
            const TRAINER: #private::TrainerInfo =
                #private::TrainerInfo { clock: #private::Clock::Iter, passes: &[], loaders: [&[], &[], &[], &[]] };
            const PARTS: &'static [#private::PartOf<Self>] = &[];
            type Bundle = ();
            const IS_WHOLE: bool = false;
            fn of_fields(_: #private::Built) -> Self { ::core::unreachable!() }
            fn next_train_batch(&mut self) -> #private::Result<::core::option::Option<Self::Batch>> {
                ::core::unreachable!()
            }
            fn train_step(&mut self, _: &Self::Batch, _: &mut #private::Context<'_>) -> #private::Result<#private::Output> {
                ::core::unreachable!()
            }
        }
    };
    quote! {
        const _: () = {
            const NO_TRAINER: bool = { #error };
            #stubs
        };
    }
}

//! A struct that can't be a trainer, of which the error is reported: a generic one. That it has no steps and is no trainer
//! would be the same mistake again, at each place that says so.

use crate::krate::Krate;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

/// What a trainer has, without anything in it. The batch is that of `impl Steps`.
pub(crate) fn expand(krate: &Krate, item: &ItemStruct) -> TokenStream {
    let (private, owner) = (krate.private(), &item.ident);
    let (parameters, arguments, conditions) = item.generics.split_for_impl();
    let lasting = match conditions {
        Some(conditions) => quote!(#conditions, Self: 'static),
        None => quote!(where Self: 'static),
    };
    quote! {
        impl #parameters #private::Batches for #owner #arguments #conditions {
            type Batch = <Self as #private::Steps>::Batch;
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
            fn of_fields(_: #private::Built) -> Self { ::core::unreachable!() }
            fn next_train_batch(&mut self) -> #private::Result<::core::option::Option<Self::Batch>> {
                ::core::unreachable!()
            }
            fn train_step(&mut self, _: &Self::Batch, _: &mut #private::Context<'_>) -> #private::Result<#private::Output> {
                ::core::unreachable!()
            }
        }
    }
}

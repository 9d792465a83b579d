//! What a trainer expands to: how it is read and built, and how the loops reach its fields.

use crate::fields::Role;
use crate::params::Owner;
use crate::phases;
use crate::spans::{ends, without_advice};
use crate::state::{fresh, state_impl};
use crate::trainer::model::{Clock, LoaderRole, Trainer, TrainerField, TrainerRole};
use crate::trainer::parts::{self, Part, parts};
use crate::trainer::steps::{self, EVALUATED, fed, of_role};
use crate::verified::block;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ItemStruct;

pub(crate) fn expand(trainer: &Trainer) -> TokenStream {
    let item = without_advice(&expanded_struct(trainer), &trainer.owner().ident);
    let beside = beside(trainer);
    quote!(#item #beside)
}

/// All but the struct.
pub(crate) fn beside(trainer: &Trainer) -> TokenStream {
    let private = trainer.krate.private();
    let (owner, parts) = (trainer.owner(), parts(trainer));
    let markers = parts.iter().enumerate().map(|(at, part)| part.expand(trainer, &trainer.krate, &parts[..at]));
    let steps = steps::expand(trainer, &parts);
    let own: Vec<crate::fields::Field> = trainer.fields.iter().filter_map(own_state).collect();
    let state = state_impl(&trainer.krate, &owner, &own);
    let (optimizers, stepped) = optimizers(trainer, &private);
    let slots = slots_impl(trainer, &parts, &private);
    let none_outside = phases::none_outside(&trainer.krate, &owner, false);
    // a generic trainer is asked where the program names it
    let (checks, checks_of_generic) = match owner.params.is_empty() {
        true => (quote!(const _: () = { #stepped }; const _: () = #none_outside;), TokenStream::new()),
        false => (TokenStream::new(), quote!(#stepped #none_outside)),
    };
    let fields = fields_impl(trainer, &parts, &private, &checks_of_generic);
    let is_owner = (owner.params.is_empty() || trainer.has_phases).then(|| phases::owner(&trainer.krate, &owner));
    block(quote! {
        // what stands in for a `#[phases]` block
        use #private::NoPhases as _;
        #(#markers)*
        #steps
        #fields
        #slots
        #state
        #optimizers
        #is_owner
        #checks
    })
}

/// The struct, without what is wrong with it.
fn expanded_struct(trainer: &Trainer) -> ItemStruct {
    let mut item = trainer.written.as_written(trainer.item.clone());
    for syn_field in &mut item.fields {
        // reported, and nothing is to follow from it
        syn_field.attrs.retain(|attr| !attr.path().is_ident("cfg"));
    }
    item
}

/// A `#[state]` field, a setting on which they depend, or one that schedules change, for the trainer's `State`.
fn own_state(field: &TrainerField) -> Option<crate::fields::Field> {
    let TrainerRole::Own(own) = &field.role else { return None };
    let role = match &own.role {
        Role::State { per_rank } => Role::State { per_rank: *per_rank },
        Role::Config(config) => Role::Config(Box::new(config.of_state()?)),
        _ => return None,
    };
    Some(crate::fields::Field {
        ident: own.ident.clone(),
        ty: own.ty.clone(),
        cfgs: Vec::new(),
        docs: String::new(),
        role,
    })
}

fn fields_impl(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream, checks: &TokenStream) -> TokenStream {
    let (owner, name) = (trainer.owner(), &trainer.name);
    let (declared, training) = (owner.params.declared(), steps::training(trainer));
    let conditions = match owner.params.is_empty() {
        true => TokenStream::new(),
        false => owner.params.conditions(&demands(trainer, parts)),
    };
    let markers = parts.iter().map(|part| &part.marker);
    let built = Ident::new("built", Span::mixed_site());
    let fields = trainer.fields.iter().map(|field| {
        let ident = &field.ident;
        let value = match (&field.role, part_of(field, parts)) {
            (_, Some(Part { marker, .. })) => {
                let (first, last) = ends(&field.ty);
                // what the compiler says of it once more stands where it has stood before, and is then left out
                let open = quote_spanned!(first=> ::core);
                quote_spanned!(last=> #open::convert::identity(#built.take::<#marker>()))
            }
            (TrainerRole::Own(own), None) => {
                let fresh = fresh(&trainer.krate, &owner.params, own);
                quote!(#fresh())
            }
            // the error is reported; nothing follows from it
            _ => quote!(::core::unreachable!()),
        };
        quote!(#ident: #value,)
    });
    let models: Vec<String> = trainer.models().map(TrainerField::key).collect();
    let models = models.iter().map(|key| match models.len() {
        1 => quote!((#key, "weights")),
        _ => {
            let path = format!("weights.{key}");
            quote!((#key, #path))
        }
    });
    let bundle = trainer.bundle.as_ref().map_or_else(|| quote!(()), |bundle| quote!(#bundle));
    let clock = match trainer.clock {
        Clock::Epoch => quote!(#private::Clock::Epoch),
        Clock::Iter => quote!(#private::Clock::Iter),
    };
    let loaders = LoaderRole::ALL.map(|role| {
        let names = trainer.loaders(role).map(TrainerField::key);
        quote!(&[#(#names),*])
    });
    let info = quote! {
        #private::TrainerInfo {
            clock: #clock,
            passes: <#training>::PASSES,
            loaders: [#(#loaders),*],
        }
    };
    let is_whole = (!trainer.is_whole).then(|| {
        quote!(
            const IS_WHOLE: bool = false;
        )
    });
    let info = if checks.is_empty() { info } else { quote!({ #checks #info }) };
    let is_generic = !owner.params.is_empty();
    let next_train_batch = next_train_batch(parts, private, is_generic);
    let (evaluated, predicted) = (evaluated(trainer, parts, private), predicted(trainer, parts, private));
    quote! {
        #[automatically_derived]
        impl #declared #private::Fields for #owner #conditions {
            const NAME: &'static str = #name;
            const MODELS: &'static [(&'static str, &'static str)] = &[#(#models),*];
            const TRAINER: #private::TrainerInfo = #info;
            const PARTS: &'static [#private::PartOf<Self>] = &[#(#private::PartOf::new::<#markers>()),*];
            type Bundle = #bundle;
            #is_whole
            fn of_fields(mut #built: #private::Built) -> Self {
                Self { #(#fields)* }
            }
            fn next_train_batch(&mut self) -> #private::Result<::core::option::Option<Self::Batch>> {
                #next_train_batch
            }
            fn train_step(
                &mut self,
                batch: &Self::Batch,
                cx: &mut #private::Context<'_>,
            ) -> #private::Result<#private::Output> {
                <#training>::train_step(self, batch, cx)
            }
            #evaluated
            #predicted
        }
    }
}

/// What a generic trainer has to have, and the types of its fields have to be.
fn demands(trainer: &Trainer, parts: &[Part<'_>]) -> Vec<TokenStream> {
    let params = trainer.owner().params;
    let own: Vec<crate::fields::Field> = trainer.fields.iter().filter_map(own_state).collect();
    let mut demands = params.lasting();
    demands.extend(parts.iter().filter_map(|part| parts::demand(part, trainer)));
    demands.extend(crate::demands::demands(&trainer.krate, &params, &own, |_| true));
    demands.extend(steps::demands(trainer, parts));
    demands.extend(own_phases(trainer));
    demands
}

/// That a generic trainer has the phases which it says it has.
fn own_phases(trainer: &Trainer) -> Option<TokenStream> {
    let private = trainer.krate.private();
    trainer.has_phases.then(|| quote!(Self: #private::Phases))
}

/// A batch of each train loader, as a tuple where there are several.
fn next_train_batch(parts: &[Part<'_>], private: &TokenStream, is_generic: bool) -> TokenStream {
    let train: Vec<&Part<'_>> = of_role(parts, LoaderRole::Train).collect();
    let next = |part: &Part<'_>| {
        let marker = &part.marker;
        quote!(#private::next_batch::<#marker>(self))
    };
    match train.as_slice() {
        // the error is reported; nothing follows from it
        [] => quote!(::core::unreachable!()),
        [part] if is_generic => {
            let next = next(part);
            quote!(::core::result::Result::Ok(#next?.map(#private::SameBatch::same)))
        }
        [part] => next(part),
        several => {
            let held: Vec<Ident> = several.iter().map(|part| local(&format!("of_{}", part.field.key()))).collect();
            let takes = several.iter().zip(&held).map(|(part, held)| {
                let next = next(part);
                quote! {
                    let ::core::option::Option::Some(#held) = #next? else {
                        return ::core::result::Result::Ok(::core::option::Option::None);
                    };
                }
            });
            let batches = quote!((#(#held),*));
            let batches = if is_generic { quote!(#private::SameBatches::same(#batches)) } else { batches };
            quote! {
                #(#takes)*
                ::core::result::Result::Ok(::core::option::Option::Some(#batches))
            }
        }
    }
}

/// The val and test loaders, each with the step that it feeds.
fn evaluated(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> Option<TokenStream> {
    let arms = EVALUATED.iter().flat_map(|(role, of, method)| {
        let [variant, of, method] =
            [role.variant(), Ident::new(of, Span::call_site()), Ident::new(method, Span::call_site())];
        of_role(parts, *role).enumerate().map(move |(place, part)| {
            let (marker, fed) = (&part.marker, fed(part, trainer));
            let step = quote!(<#fed as #private::#of<#private::BatchesOf<#marker>>>::#method);
            quote!((#private::Role::#variant, #place) => #private::feed::<#marker, _>(#step),)
        })
    });
    let arms: Vec<TokenStream> = arms.collect();
    (!arms.is_empty()).then(|| {
        quote! {
            fn evaluated(role: #private::Role, place: usize) -> #private::Evaluated<Self> {
                match (role, place) {
                    #(#arms)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

/// The predict loader with its step.
fn predicted(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> Option<TokenStream> {
    let part = of_role(parts, LoaderRole::Predict).next()?;
    let (marker, fed) = (&part.marker, fed(part, trainer));
    Some(quote! {
        fn predicted() -> #private::Predicted<Self> {
            #private::feed::<#marker, _>(<#fed as #private::PredictStep>::predict_step)
        }
    })
}

fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn part_of<'a, 'p>(field: &TrainerField, parts: &'a [Part<'p>]) -> Option<&'a Part<'p>> {
    parts.iter().find(|part| part.field.ident == field.ident)
}

/// The names of the optimizers, for `#[passes]`; and statements which ask that each of them is in a pass.
fn optimizers(trainer: &Trainer, private: &TokenStream) -> (TokenStream, TokenStream) {
    let (owner, training) = (trainer.owner(), steps::training(trainer));
    let (declared, conditions) = (owner.params.declared(), owner.params.conditions(&[]));
    // a field whose role is wrong may be one
    let may_be = |field: &&TrainerField| matches!(field.role, TrainerRole::Optimizer { .. } | TrainerRole::Unknown);
    let names: Vec<String> = trainer.fields.iter().filter(may_be).map(TrainerField::key).collect();
    let checks = trainer.optimizers().map(|field| {
        let (name, at) = (field.key(), field.ident.span());
        let text =
            format!("optimizer `{name}` is in no pass, so it would never step; name it in one: `#[pass({name})]`");
        let refuse = quote_spanned!(at=> ::core::panic!(#text));
        quote!(if !#private::is_stepped(#name, passes, all) { #refuse })
    });
    let names = quote! {
        #[automatically_derived]
        impl #declared #private::HasOptimizers for #owner #conditions {
            const OPTIMIZERS: &'static [&'static str] = &[#(#names),*];
        }
    };
    let checks = quote! {
        let passes = <#training>::PASSES;
        let all = <#owner as #private::HasOptimizers>::OPTIMIZERS;
        #(#checks)*
    };
    (names, checks)
}

/// The hooks by number, the trainer itself last.
fn slots_impl(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let (owner, name) = (trainer.owner(), &trainer.name);
    let params = &owner.params;
    let hooks: Vec<&Part<'_>> = trainer.hooks().filter_map(|field| part_of(field, parts)).collect();
    let markers: Vec<&Owner> = hooks.iter().map(|part| &part.marker).collect();
    let infos = markers.iter().map(|marker| quote!(#private::slot_of::<#marker>(),));
    let arms = markers
        .iter()
        .enumerate()
        .map(|(slot, marker)| quote!(#slot => #private::call_field::<#marker>(self, phase, cx),));
    let (level, own) = (trainer.level.expand(private), hooks.len());
    let demands = hooks.iter().filter_map(|part| parts::demand(part, trainer)).chain(own_phases(trainer));
    let (declared, conditions) =
        (params.declared(), params.conditions(&params.lasting().into_iter().chain(demands).collect::<Vec<_>>()));
    quote! {
        #[automatically_derived]
        impl #declared #private::Slots for #owner #conditions {
            const SLOTS: &'static [#private::SlotInfo] = &[
                #(#infos)*
                #private::SlotInfo {
                    name: #name,
                    priority: #level,
                    phases: <#private::PhasesOf<#owner>>::PHASES,
                    only_ok: <#private::PhasesOf<#owner>>::ONLY_OK,
                    asks_nothing: <#private::PhasesOf<#owner>>::ASKS_NOTHING,
                },
            ];
            #[inline(always)]
            fn call(
                &mut self,
                slot: usize,
                phase: #private::Phase,
                cx: &mut #private::Context<'_>,
            ) -> #private::Result<()> {
                match slot {
                    #(#arms)*
                    #own => <#private::PhasesOf<#owner>>::call(self, phase, cx),
                    _ => ::core::result::Result::Ok(()),
                }
            }
        }
    }
}

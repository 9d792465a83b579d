//! What a trainer expands to: how it is read and built, and how the loops reach its fields.

use crate::fields::{Config, Role};
use crate::phases;
use crate::settings::{block, fresh, state_impl};
use crate::spans::{ends, without_advice};
use crate::trainer::model::{Clock, LoaderRole, Trainer, TrainerField, TrainerRole};
use crate::trainer::parts::{Part, parts};
use crate::trainer::steps::{self, EVALUATED, fed, of_role};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ItemStruct;

pub(crate) fn expand(trainer: &Trainer) -> TokenStream {
    let private = trainer.krate.private();
    let parts = parts(trainer);
    let item = without_advice(&expanded_struct(trainer), &trainer.item.ident);
    let markers = parts.iter().map(|part| part.expand(trainer, &trainer.krate));
    let steps = steps::expand(trainer, &parts);
    let fields = fields_impl(trainer, &parts, &private);
    let slots = slots_impl(trainer, &parts, &private);
    let own: Vec<crate::fields::Field> = trainer.fields.iter().filter_map(own_state).collect();
    let state = state_impl(&trainer.krate, &trainer.item.ident, &own);
    let optimizers = optimizers(trainer, &private);
    let owner = phases::owner(&trainer.krate, &trainer.item.ident);
    let none_outside = phases::none_outside(&trainer.krate, &trainer.item.ident, false);
    let block = block(quote! {
        // what stands in for a `#[phases]` block
        use #private::NoPhases as _;
        #(#markers)*
        #steps
        #fields
        #slots
        #state
        #optimizers
        #owner
        #none_outside
    });
    quote!(#item #block)
}

/// The struct, without what is wrong with it.
fn expanded_struct(trainer: &Trainer) -> ItemStruct {
    let mut item = trainer.item.clone();
    for syn_field in &mut item.fields {
        // reported, and nothing is to follow from it
        syn_field.attrs.retain(|attr| !attr.path().is_ident("cfg"));
    }
    item
}

/// A `#[state]` field, or a setting on which they depend, for the trainer's `State`.
fn own_state(field: &TrainerField) -> Option<crate::fields::Field> {
    let TrainerRole::Own(own) = &field.role else { return None };
    let role = match &own.role {
        Role::State => Role::State,
        Role::Config(config) if config.resets_state => Role::Config(Box::new(Config::resetting())),
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

fn fields_impl(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let (owner, name) = (&trainer.item.ident, &trainer.name);
    let markers = parts.iter().map(|part| &part.marker);
    let built = Ident::new("built", Span::mixed_site());
    let fields = trainer.fields.iter().map(|field| {
        let ident = &field.ident;
        let value = match (&field.role, marker(field, parts)) {
            (_, Some(marker)) => {
                let (first, last) = ends(&field.ty);
                // what the compiler says of it once more stands where it has stood before, and is then left out
                let open = quote_spanned!(first=> ::core);
                quote_spanned!(last=> #open::convert::identity(#built.take::<#marker>()))
            }
            (TrainerRole::Own(own), None) => {
                let fresh = fresh(&trainer.krate, own);
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
    let next_train_batch = next_train_batch(parts, private);
    let (evaluated, predicted) = (evaluated(trainer, parts, private), predicted(trainer, parts, private));
    quote! {
        #[automatically_derived]
        impl #private::Fields for #owner {
            const NAME: &'static str = #name;
            const MODELS: &'static [(&'static str, &'static str)] = &[#(#models),*];
            const TRAINER: #private::TrainerInfo = #private::TrainerInfo {
                clock: #clock,
                passes: <Stepping as #private::TrainStep<HAS_PASSES>>::PASSES,
                loaders: [#(#loaders),*],
            };
            const PARTS: &'static [#private::PartOf<Self>] = &[#(#private::PartOf::new::<#markers>()),*];
            type Bundle = #bundle;
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
                <Stepping as #private::TrainStep<HAS_PASSES>>::train_step(self, batch, cx)
            }
            #evaluated
            #predicted
        }
    }
}

/// A batch of each train loader, as a tuple where there are several.
fn next_train_batch(parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let train: Vec<&Part<'_>> = of_role(parts, LoaderRole::Train).collect();
    let next = |part: &Part<'_>| {
        let marker = &part.marker;
        quote!(#private::next_batch::<#marker>(self))
    };
    match train.as_slice() {
        // the error is reported; nothing follows from it
        [] => quote!(::core::unreachable!()),
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
            quote! {
                #(#takes)*
                ::core::result::Result::Ok(::core::option::Option::Some((#(#held),*)))
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

fn marker<'a>(field: &TrainerField, parts: &'a [Part<'_>]) -> Option<&'a Ident> {
    parts.iter().find(|part| part.field.ident == field.ident).map(|part| &part.marker)
}

/// The names of the optimizers, for `#[passes]`, and that each of them is in a pass.
fn optimizers(trainer: &Trainer, private: &TokenStream) -> TokenStream {
    let owner = &trainer.item.ident;
    let names: Vec<String> = trainer.optimizers().map(TrainerField::key).collect();
    let checks = trainer.optimizers().map(|field| {
        let (name, at) = (field.key(), field.ident.span());
        let text =
            format!("optimizer `{name}` is in no pass, so it would never step; name it in one: `#[pass({name})]`");
        let refuse = quote_spanned!(at=> ::core::panic!(#text));
        quote!(if !#private::is_stepped(#name, passes, all) { #refuse })
    });
    quote! {
        #[automatically_derived]
        impl #private::HasOptimizers for #owner {
            const OPTIMIZERS: &'static [&'static str] = &[#(#names),*];
        }
        #(const _: () = {
            let passes = <Stepping as #private::TrainStep<HAS_PASSES>>::PASSES;
            let all = <#owner as #private::HasOptimizers>::OPTIMIZERS;
            #checks
        };)*
    }
}

/// The hooks by number, the trainer itself last.
fn slots_impl(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let (owner, name) = (&trainer.item.ident, &trainer.name);
    let hooks: Vec<&Ident> = trainer.hooks().filter_map(|field| marker(field, parts)).collect();
    let infos = hooks.iter().map(|marker| quote!(#private::slot_of::<#marker>(),));
    let arms = hooks
        .iter()
        .enumerate()
        .map(|(slot, marker)| quote!(#slot => #private::call_field::<#marker>(self, phase, cx),));
    let (level, own) = (trainer.level.expand(private), hooks.len());
    quote! {
        #[automatically_derived]
        impl #private::Slots for #owner {
            const SLOTS: &'static [#private::SlotInfo] = &[
                #(#infos)*
                #private::SlotInfo {
                    name: #name,
                    priority: #level,
                    phases: <#private::PhasesOf<#owner>>::PHASES,
                    only_ok: <#private::PhasesOf<#owner>>::ONLY_OK,
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

//! What a trainer expands to: how it is read and built, and how the loops reach its fields.

use crate::fields::{Config, Role};
use crate::phases;
use crate::settings::{fresh, state_impl};
use crate::spans::ends;
use crate::trainer::model::{Clock, LoaderRole, Trainer, TrainerField, TrainerRole};
use crate::trainer::parts::{Part, parts};
use crate::trainer::steps::{self, EVALUATED, fed, of_role, stepping};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ItemStruct;

pub(crate) fn expand(trainer: &Trainer) -> TokenStream {
    let private = trainer.krate.private();
    let parts = parts(trainer);
    let item = expanded_struct(trainer);
    let markers = parts.iter().map(|part| part.expand(trainer, &trainer.krate));
    let steps = steps::expand(trainer, &parts);
    let sections = sections(&parts, &private);
    let build = build_impl(trainer, &parts, &private);
    let run = trainer_impl(trainer, &parts, &private);
    let fed_steps = fed_steps(trainer, &parts, &private);
    let slots = slots_impl(trainer, &parts, &private);
    let own: Vec<crate::fields::Field> = trainer.fields.iter().filter_map(own_state).collect();
    let state = state_impl(&trainer.krate, &item.ident, &own);
    let optimizers = optimizers(trainer, &parts, &private);
    let owner = phases::owner(&trainer.krate, &trainer.item.ident);
    let none_outside = phases::none_outside(&trainer.krate, &trainer.item.ident, false);
    quote! {
        #item
        const _: () = {
            // what stands in for a `#[phases]` block
            #[allow(unused_imports)]
            use #private::NoPhases as _;
            #(#markers)*
            #steps
            #sections
            #build
            #run
            #fed_steps
            #slots
            #state
            #optimizers
            #owner
            #none_outside
        };
    }
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

/// The settings of all fields.
fn sections(parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let fields = parts.iter().map(|Part { field, marker, .. }| {
        let ident = &field.ident;
        quote!(#ident: #private::FieldSettings<#marker>,)
    });
    quote!(pub struct Sections { #(#fields)* })
}

fn build_impl(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let (owner, name) = (&trainer.item.ident, &trainer.name);
    let (reader, writer, builder, sections) = (local("reader"), local("writer"), local("builder"), local("sections"));
    // a local for each field; a trainer's field may be called `reader`
    let held = |part: &Part<'_>| Ident::new(&format!("of_{}", part.field.key()), Span::mixed_site());
    let reads = parts.iter().map(|part| {
        let (held, marker, path) = (held(part), &part.marker, &part.path);
        quote!(let #held = #private::read_part::<#marker>(#reader, #path);)
    });
    let all = parts.iter().map(|part| {
        let (ident, held) = (&part.field.ident, held(part));
        quote!(#ident: #held?,)
    });
    let writes = parts.iter().map(|part| {
        let ident = &part.field.ident;
        quote!(#private::write_part(&#sections.#ident, #writer);)
    });
    let mut in_order: Vec<&Part<'_>> = parts.iter().collect();
    in_order.sort_by_key(|part| part.info.rank);
    let builds = in_order.iter().map(|part| {
        let (ident, held) = (&part.field.ident, held(part));
        quote!(let #held = #private::build_part(#sections.#ident, #builder)?;)
    });
    let fields = trainer.fields.iter().map(|field| {
        let ident = &field.ident;
        let value = match (&field.role, parts.iter().find(|part| part.field.ident == *ident)) {
            (_, Some(part)) => {
                let (held, (first, last)) = (held(part), ends(&field.ty));
                // what the compiler says of it once more stands where it has stood before, and is then left out
                let open = quote_spanned!(first=> ::core);
                quote_spanned!(last=> #open::convert::identity(#held))
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
    quote! {
        #[automatically_derived]
        #[allow(unused_variables, unreachable_code, clippy::diverging_sub_expression)]
        impl #private::Fields for #owner {
            const NAME: &'static str = #name;
            const MODELS: &'static [(&'static str, &'static str)] = &[#(#models),*];
            type Sections = Sections;
            type Bundle = #bundle;
            fn read(#reader: &mut #private::Reader<'_>) -> ::core::option::Option<Sections> {
                // all are read before the first is missed, so that all mistakes are found
                #(#reads)*
                ::core::option::Option::Some(Sections { #(#all)* })
            }
            fn write(#sections: &Sections, #writer: &mut #private::Writer) {
                #(#writes)*
            }
            fn build(#sections: Sections, #builder: &mut #private::Builder<'_>) -> #private::Result<Self> {
                #(#builds)*
                ::core::result::Result::Ok(Self { #(#fields)* })
            }
        }
    }
}

fn trainer_impl(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let owner = &trainer.item.ident;
    let clock = match trainer.clock {
        Clock::Epoch => quote!(#private::Clock::Epoch),
        Clock::Iter => quote!(#private::Clock::Iter),
    };
    let loaders = LoaderRole::ALL.map(|role| {
        let (variant, names) = (role.variant(), trainer.loaders(role).map(TrainerField::key));
        quote!(#private::Role::#variant => &[#(#names),*],)
    });
    let loading = loading(parts, private);
    let stepping = stepping(trainer, parts);
    let metrics = trainer.metrics().filter_map(|field| {
        let (ident, marker) = (&field.ident, marker(field, parts)?);
        Some(quote!(#private::visit_metric::<#marker>(&mut self.#ident, each)?;))
    });
    let states = states(trainer, parts, private);
    quote! {
        #[automatically_derived]
        #[allow(unused_variables, unreachable_code)]
        impl #private::Trainer for #owner {
            const CLOCK: #private::Clock = #clock;
            const PASSES: &'static [#private::PassInfo] = <#stepping as #private::TrainStep<HAS_PASSES>>::PASSES;
            fn loaders(role: #private::Role) -> &'static [&'static str] {
                match role { #(#loaders)* }
            }
            #loading
            fn train_step(
                &mut self,
                batch: &Self::Batch,
                cx: &mut #private::Context<'_>,
            ) -> #private::Result<#private::Output> {
                <#stepping as #private::TrainStep<HAS_PASSES>>::train_step(self, batch, cx)
            }
            fn metrics(&mut self, each: &mut #private::EachMetric<'_>) -> #private::Result<()> {
                #(#metrics)*
                ::core::result::Result::Ok(())
            }
            fn states(&mut self, each: &mut #private::EachState<'_>) -> #private::Result<()> {
                #states
                each("trainer", self)
            }
        }
    }
}

/// How the loops reach the loaders of a trainer.
fn loading(parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let train: Vec<&Part<'_>> = of_role(parts, LoaderRole::Train).collect();
    let places = train.iter().enumerate().map(|(place, part)| {
        let (ident, marker) = (&part.field.ident, &part.marker);
        quote!(#place => ::core::option::Option::Some(#private::source::<#marker>(&mut self.#ident)),)
    });
    let next = |part: &Part<'_>| {
        let (ident, marker) = (&part.field.ident, &part.marker);
        quote!(#private::next_batch::<#marker>(&mut self.#ident))
    };
    let next_train_batch = match train.as_slice() {
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
    };
    let visit = |part: &Part<'_>| {
        let marker = &part.marker;
        quote!(::core::option::Option::Some(visitor.visit(#marker)))
    };
    let arms: Vec<TokenStream> = EVALUATED
        .iter()
        .flat_map(|(role, ..)| of_role(parts, *role).enumerate().map(|(place, part)| (role.variant(), place, part)))
        .map(|(role, place, part)| {
            let visited = visit(part);
            quote!((#private::Role::#role, #place) => #visited,)
        })
        .collect();
    let evaluated = (!arms.is_empty()).then(|| {
        quote! {
            fn evaluated<V: #private::VisitLoader<Self, #private::Output>>(
                role: #private::Role,
                index: usize,
                visitor: V,
            ) -> ::core::option::Option<V::Value> {
                match (role, index) {
                    #(#arms)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    });
    let predicted = of_role(parts, LoaderRole::Predict).next().map(|part| {
        let visited = visit(part);
        quote! {
            fn predicted<V: #private::VisitLoader<Self, #private::Prediction>>(
                visitor: V,
            ) -> ::core::option::Option<V::Value> {
                #visited
            }
        }
    });
    quote! {
        fn train_loader(&mut self, index: usize) -> ::core::option::Option<&mut dyn #private::Source> {
            match index {
                #(#places)*
                _ => ::core::option::Option::None,
            }
        }
        fn next_train_batch(&mut self) -> #private::Result<::core::option::Option<Self::Batch>> {
            #next_train_batch
        }
        #evaluated
        #predicted
    }
}

/// The loaders of evaluations, each with the step that it feeds.
fn fed_steps(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let owner = &trainer.item.ident;
    let of = |role, answer: &str, step: &dyn Fn(&Part<'_>) -> TokenStream| -> Vec<TokenStream> {
        let answer = Ident::new(answer, Span::call_site());
        let fed_step = |part: &Part<'_>| {
            let (ident, marker, step) = (&part.field.ident, &part.marker, step(part));
            quote! {
                #[automatically_derived]
                impl #private::FedStep<#owner> for #marker {
                    type Batch = <<#marker as #private::LoaderPart>::Field as #private::LoaderField>::Batch;
                    type Answer = #private::#answer;
                    fn loader<'t>(
                        &self,
                        trainer: &'t mut #owner,
                    ) -> &'t mut dyn #private::BatchSource<Self::Batch> {
                        #private::batches::<#marker>(&mut trainer.#ident)
                    }
                    fn step(
                        &self,
                        trainer: &mut #owner,
                        batch: &Self::Batch,
                        cx: &mut #private::Context<'_>,
                    ) -> #private::Result<#private::#answer> {
                        #step(trainer, batch, cx)
                    }
                }
            }
        };
        of_role(parts, role).map(fed_step).collect()
    };
    let evaluated = EVALUATED.iter().flat_map(|(role, trait_name, method)| {
        let [trait_name, method] = [trait_name, method].map(|name| Ident::new(name, Span::call_site()));
        of(*role, "Output", &|part| {
            let fed = fed(part, trainer);
            quote!(<#fed as #private::#trait_name<Self::Batch>>::#method)
        })
    });
    let predicted = of(LoaderRole::Predict, "Prediction", &|part| {
        let fed = fed(part, trainer);
        quote!(<#fed as #private::PredictStep>::predict_step)
    });
    quote!(#(#evaluated)* #(#predicted)*)
}

fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn marker<'a>(field: &TrainerField, parts: &'a [Part<'_>]) -> Option<&'a Ident> {
    parts.iter().find(|part| part.field.ident == field.ident).map(|part| &part.marker)
}

/// What checkpoints hold of hooks and metrics.
fn states(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let hooks = trainer.hooks().filter_map(|field| {
        let (ident, marker, name) = (&field.ident, marker(field, parts)?, format!("hooks.{}", field.key()));
        Some(quote!(#private::visit_hook_state::<#marker>(&mut self.#ident, #name, each)?;))
    });
    let metrics = trainer.metrics().filter_map(|field| {
        let (ident, marker, name) = (&field.ident, marker(field, parts)?, format!("metrics.{}", field.key()));
        Some(quote!(#private::visit_metric_state::<#marker>(&mut self.#ident, #name, each)?;))
    });
    // these say what the run is to own, and nobody else need read them
    let unread = trainer
        .fields
        .iter()
        .filter(|field| matches!(field.role, TrainerRole::Optimizer { .. } | TrainerRole::Scheduler));
    let unread = unread.map(|field| &field.ident);
    quote!(#(#hooks)* #(#metrics)* let _ = (#(&self.#unread,)*);)
}

/// The names of the optimizers, for `#[passes]`, and that each of them is in a pass.
fn optimizers(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let owner = &trainer.item.ident;
    let names: Vec<String> = trainer.optimizers().map(TrainerField::key).collect();
    let stepping = stepping(trainer, parts);
    let checks = trainer.optimizers().map(|field| {
        let (name, at) = (field.key(), field.ident.span());
        let text =
            format!("optimizer `{name}` is in no pass, so it would never step; name it in one: `#[pass({name})]`");
        let refuse = quote_spanned!(at=> ::core::panic!(#text));
        quote! {
            const _: () = {
                let passes = <#stepping as #private::TrainStep<HAS_PASSES>>::PASSES;
                if !#private::is_stepped(#name, passes, <#owner as #private::HasOptimizers>::OPTIMIZERS) {
                    #refuse
                }
            };
        }
    });
    quote! {
        #[automatically_derived]
        impl #private::HasOptimizers for #owner {
            const OPTIMIZERS: &'static [&'static str] = &[#(#names),*];
        }
        #(#checks)*
    }
}

/// The hooks by number, the trainer itself last.
fn slots_impl(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let (owner, name) = (&trainer.item.ident, &trainer.name);
    let hooks: Vec<(&TrainerField, &Ident)> =
        trainer.hooks().filter_map(|field| Some((field, marker(field, parts)?))).collect();
    let infos = hooks.iter().map(|(field, marker)| {
        let key = field.key();
        quote!(#private::slot_of::<#marker>(#key),)
    });
    let arms = hooks.iter().enumerate().map(|(slot, (field, marker))| {
        let ident = &field.ident;
        quote!(#slot => #private::call_field::<#marker>(&mut self.#ident, phase, cx),)
    });
    let (level, own) = (trainer.level.expand(private), hooks.len());
    quote! {
        #[automatically_derived]
        impl #private::Slots for #owner {
            const SLOTS: &'static [#private::SlotInfo] = &[
                #(#infos)*
                #private::SlotInfo { name: #name, priority: #level, phases: <#private::PhasesOf<#owner>>::PHASES },
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

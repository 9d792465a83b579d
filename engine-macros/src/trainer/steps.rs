//! That a trainer has its steps, and that its loaders hand over what the steps take: see [`crate::checked`].

use crate::krate::Krate;
use crate::spans::ends;
use crate::trainer::model::{LoaderRole, Trainer, TrainerRole};
use crate::trainer::parts::Part;
use crate::verified::{has, path_with, verified};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// The constants, and what the steps take.
pub(crate) fn expand(trainer: &Trainer, parts: &[Part<'_>]) -> TokenStream {
    if !trainer.item.generics.params.is_empty() {
        return of_generic(trainer);
    }
    let (krate, owner) = (&trainer.krate, &trainer.item.ident);
    let private = krate.private();
    let (steps, predict_step) = (name("HAS_STEPS"), name("HAS_PREDICT_STEP"));
    // at the struct's name
    let step = path_with(krate, owner, "TrainStep", quote!(<HAS_PASSES>), "train_step");
    let of_training: Vec<&Part<'_>> = of_role(parts, LoaderRole::Train).collect();
    let train = of_training.first().map(|first| {
        let stepping = verified(krate, owner, &steps);
        let taken = quote!(<#stepping as #private::TrainStep<HAS_PASSES>>::Batch);
        match of_training.as_slice() {
            [_] => fits(first, krate, "SameBatch", handed(first, krate), taken, quote!(#steps)),
            several => {
                let parts = several.iter().map(|part| handed(part, krate));
                // at the word in `#[loader(train)]` of the first
                let mut batches = Group::new(Delimiter::Parenthesis, quote!(#(#parts),*));
                batches.set_span(first.field.at);
                fits(first, krate, "SameBatches", quote!(#batches), taken, quote!(#steps))
            }
        }
    });
    let evaluated = EVALUATED.iter().flat_map(|(role, of, method)| {
        of_role(parts, *role).map(move |part| feeds(part, &trainer.item.ident, krate, of, method))
    });
    let predict = of_role(parts, LoaderRole::Predict).next().map(|part| {
        // at the word in `#[loader(predict)]`
        let has_step = has(krate, moved(owner, part.field.at), "PredictStep", "predict_step");
        let predicting = verified(krate, owner, &predict_step);
        let taken = quote!(<#predicting as #private::PredictStep>::Prompt);
        let fits = fits(part, krate, "SameBatch", handed(part, krate), taken, quote!(#predict_step));
        quote! {
            const #predict_step: bool = #has_step;
            #fits
        }
    });
    let stepping = stepping(trainer, parts);
    quote! {
        const HAS_PASSES: bool = {
            use #private::NoSteps as _;
            #private::StepsOf::<#owner>::HAS_PASSES
        };
        const #steps: bool = { let _ = #step; true };
        #train
        type Stepping = #stepping;
        #[automatically_derived]
        impl #private::Batches for #owner {
            type Batch = <Stepping as #private::TrainStep<HAS_PASSES>>::Batch;
        }
        #(#evaluated)*
        #predict
    }
}

/// The batch of a generic trainer, which no constant can be asked for.
fn of_generic(trainer: &Trainer) -> TokenStream {
    let (private, owner) = (trainer.krate.private(), trainer.owner());
    let declared = owner.params.declared();
    let conditions = owner
        .params
        .conditions(&[quote!(Self: #private::Steps), quote!(<Self as #private::Steps>::Batch: #private::Batch)]);
    quote! {
        #[automatically_derived]
        impl #declared #private::Batches for #owner #conditions {
            type Batch = <Self as #private::Steps>::Batch;
        }
    }
}

/// What a generic trainer has to have: the steps of its loaders, for what they hand over.
pub(crate) fn demands(trainer: &Trainer, parts: &[Part<'_>]) -> Vec<TokenStream> {
    let private = trainer.krate.private();
    let handed = |part: &Part<'_>| {
        let ty = &part.field.ty;
        quote!(<#ty as #private::LoaderField>::Batch)
    };
    let train: Vec<TokenStream> = of_role(parts, LoaderRole::Train).map(handed).collect();
    let taken = quote!(<Self as #private::Steps>::Batch);
    let fits = match train.as_slice() {
        [] => None,
        [batch] => Some(quote!(#batch: #private::SameBatch<#taken>)),
        several => Some(quote!((#(#several),*): #private::SameBatches<#taken>)),
    };
    let evaluated = EVALUATED.iter().flat_map(|(role, of, _)| {
        let of = Ident::new(of, Span::call_site());
        let private = &private;
        of_role(parts, *role).map(move |part| {
            let handed = handed(part);
            quote!(Self: #private::#of<#handed>)
        })
    });
    let predicted = of_role(parts, LoaderRole::Predict).map(|part| {
        let handed = handed(part);
        quote!(Self: #private::PredictStep<Prompt = #handed>)
    });
    let evaluated: Vec<TokenStream> = evaluated.chain(predicted).collect();
    // the other steps know the batch by `Batches`
    let mut demands = vec![quote!(Self: #private::Steps + #private::Batches<Batch = #taken>)];
    demands.extend(fits);
    demands.extend(evaluated);
    demands
}

/// The trait of the training step, and the trainer as the type that has it.
pub(crate) fn training(trainer: &Trainer) -> TokenStream {
    let private = trainer.krate.private();
    match trainer.item.generics.params.is_empty() {
        true => quote!(Stepping as #private::TrainStep<HAS_PASSES>),
        false => quote!(Self as #private::Steps),
    }
}

/// The roles whose steps give an output: their trait, and its method.
pub(crate) const EVALUATED: [(LoaderRole, &str, &str); 2] =
    [(LoaderRole::Val, "ValStep", "val_step"), (LoaderRole::Test, "TestStep", "test_step")];

/// The trainer, whose steps and train loaders fit.
fn stepping(trainer: &Trainer, parts: &[Part<'_>]) -> TokenStream {
    let first = of_role(parts, LoaderRole::Train).next();
    let fits = first.map_or_else(|| name("HAS_STEPS"), |part| part.constant("FITS"));
    verified(&trainer.krate, &trainer.item.ident, &fits)
}

/// The trainer, which has a step for the batches of this loader.
pub(crate) fn fed(part: &Part<'_>, trainer: &Trainer) -> TokenStream {
    if !trainer.item.generics.params.is_empty() {
        return quote!(Self);
    }
    verified(&trainer.krate, &trainer.item.ident, &part.constant("FITS"))
}

/// What a loader hands over.
fn handed(part: &Part<'_>, krate: &Krate) -> TokenStream {
    let (marker, (first, last)) = (&part.marker, ends(&part.field.ty));
    let (open, here) = (quote_spanned!(first=> <), krate.private_at(last));
    quote_spanned!(last=> #open #open #marker as #here::Part>::Field as #here::LoaderField>::Batch)
}

/// `FITS_train`: the error, at the type of the field, when what is handed over is not what a step takes.
fn fits(
    part: &Part<'_>,
    krate: &Krate,
    same: &str,
    handed: TokenStream,
    taken: TokenStream,
    and: TokenStream,
) -> TokenStream {
    let (fits, (first, last)) = (part.constant("FITS"), ends(&part.field.ty));
    let (open, here, same) = (quote_spanned!(first=> <), krate.private_at(last), Ident::new(same, last));
    let same = quote_spanned!(last=> #open #handed as #here::#same<#taken>>::SAME);
    quote!(const #fits: bool = { let _ = #same; #and };)
}

/// `FITS_val`: the error, at the word in `#[loader(val)]`, when no step takes what this loader hands over.
fn feeds(part: &Part<'_>, owner: &Ident, krate: &Krate, of: &str, method: &str) -> TokenStream {
    let (fits, at) = (part.constant("FITS"), part.field.at);
    let (here, handed) = (krate.private_at(at), handed(part, krate));
    let owner = &moved(owner, at);
    let [of, method] = [of, method].map(|name| Ident::new(name, at));
    let step = quote_spanned!(at=> <#owner as #here::#of<#handed>>::#method);
    quote!(const #fits: bool = { let _ = #step; true };)
}

pub(crate) fn of_role<'a>(parts: &'a [Part<'a>], role: LoaderRole) -> impl Iterator<Item = &'a Part<'a>> {
    parts.iter().filter(move |part| matches!(part.field.role, TrainerRole::Loader(of) if of == role))
}

fn name(constant: &str) -> Ident {
    Ident::new(constant, Span::call_site())
}

/// The same identifier, raw or not, at another place.
fn moved(ident: &Ident, span: Span) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(span);
    ident
}

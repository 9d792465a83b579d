//! That a trainer has its steps, and that its loaders hand over what the steps take: see [`crate::checked`].

use crate::krate::Krate;
use crate::spans::ends;
use crate::trainer::model::{LoaderRole, Trainer, TrainerRole};
use crate::trainer::parts::Part;
use crate::verified::{has, path_with, verified};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// The constants, and what the steps take.
pub(crate) fn expand(trainer: &Trainer, parts: &[Part<'_>]) -> TokenStream {
    let (krate, owner) = (&trainer.krate, &trainer.item.ident);
    let private = krate.private();
    let (steps, predict_step) = (name("HAS_STEPS"), name("HAS_PREDICT_STEP"));
    // at the struct's name
    let step = path_with(krate, owner, "TrainStep", quote!(<HAS_PASSES>), "train_step");
    let train = first(parts, LoaderRole::Train).map(|part| {
        let stepping = verified(krate, owner, &steps);
        fits(part, krate, quote!(<#stepping as #private::TrainStep<HAS_PASSES>>::Batch), quote!(#steps))
    });
    let evaluated = [LoaderRole::Val, LoaderRole::Test].into_iter().flat_map(|role| of_role(parts, role)).map(|part| {
        let batch = quote!(<#owner as #private::Batches>::Batch);
        fits(part, krate, batch, quote!(true))
    });
    let predict = first(parts, LoaderRole::Predict).map(|part| {
        // at the word in `#[loader(predict)]`
        let has_step = has(krate, Ident::new(&owner.to_string(), part.field.at), "PredictStep", "predict_step");
        let predicting = verified(krate, owner, &predict_step);
        let fits = fits(part, krate, quote!(<#predicting as #private::PredictStep>::Prompt), quote!(#predict_step));
        quote! {
            const #predict_step: bool = #has_step;
            #fits
        }
    });
    let stepping = stepping(trainer, parts);
    quote! {
        const HAS_PASSES: bool = {
            #[allow(unused_imports)]
            use #private::NoSteps as _;
            #private::StepsOf::<#owner>::HAS_PASSES
        };
        const #steps: bool = { let _ = #step; true };
        #train
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #private::Batches for #owner {
            type Batch = <#stepping as #private::TrainStep<HAS_PASSES>>::Batch;
        }
        #(#evaluated)*
        #predict
    }
}

/// The trainer, whose steps and train loader fit.
pub(crate) fn stepping(trainer: &Trainer, parts: &[Part<'_>]) -> TokenStream {
    let fits = first(parts, LoaderRole::Train).map_or_else(|| name("HAS_STEPS"), |part| part.constant("FITS"));
    verified(&trainer.krate, &trainer.item.ident, &fits)
}

/// A loader's marker, whose batches fit.
pub(crate) fn fitting(part: &Part<'_>, krate: &Krate) -> TokenStream {
    verified(krate, &part.marker, &part.constant("FITS"))
}

/// `FITS_val`: the error, at the type of the field, when its batches are not those that a step takes.
fn fits(part: &Part<'_>, krate: &Krate, taken: TokenStream, and: TokenStream) -> TokenStream {
    let (marker, fits) = (&part.marker, part.constant("FITS"));
    let (first, last) = ends(&part.field.ty);
    let (open, here) = (quote_spanned!(first=> <), krate.private_at(last));
    let handed = quote_spanned!(last=> #open #open #marker as #here::LoaderPart>::Field as #here::LoaderField>::Batch);
    let same = quote_spanned!(last=> #open #handed as #here::SameBatch<#taken>>::same);
    quote! {
        #[allow(non_upper_case_globals)]
        const #fits: bool = { let _ = #same; #and };
    }
}

fn of_role<'a>(parts: &'a [Part<'a>], role: LoaderRole) -> impl Iterator<Item = &'a Part<'a>> {
    parts.iter().filter(move |part| matches!(part.field.role, TrainerRole::Loader(of) if of == role))
}

fn first<'a>(parts: &'a [Part<'a>], role: LoaderRole) -> Option<&'a Part<'a>> {
    of_role(parts, role).next()
}

fn name(constant: &str) -> Ident {
    Ident::new(constant, Span::call_site())
}

//! That a trainer has its steps, and that its loaders hand over what the steps take.
//!
//! Each question is a constant, asked once. Whatever depends on the answer goes through the constant, so that a missing
//! step or a batch of another type is one error: see [`crate::trainer::parts`].

use crate::trainer::model::{LoaderRole, Trainer, TrainerField};
use crate::trainer::parts::{Part, ends, member};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// The constants, and what the steps take.
pub(crate) fn expand(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let owner = &trainer.item.ident;
    let has_steps = member(&trainer.krate, owner, "Steps", "train_step");
    let train = part(trainer, parts, LoaderRole::Train).map(|part| {
        let taken = quote!(<#private::Checked<#owner, HAS_STEPS> as #private::Known>::Type as #private::Steps);
        fits(part, trainer, quote!(<#taken>::Batch), quote!(HAS_STEPS))
    });
    let evaluated = [LoaderRole::Val, LoaderRole::Test].into_iter().flat_map(|role| {
        let batch = quote!(<#owner as #private::Batches>::Batch);
        let of_role = parts.iter().filter(move |part| is(part.field, role));
        of_role.map(move |part| fits(part, trainer, batch.clone(), quote!(true)))
    });
    let predict = part(trainer, parts, LoaderRole::Predict).map(|part| {
        // at the word in `#[loader(predict)]`
        let has_prompts =
            member(&trainer.krate, Ident::new(&owner.to_string(), part.field.at), "PredictStep", "predict_step");
        let taken =
            quote!(<#private::Checked<#owner, HAS_PREDICT_STEP> as #private::Known>::Type as #private::PredictStep);
        let fits = fits(part, trainer, quote!(<#taken>::Prompt), quote!(HAS_PREDICT_STEP));
        quote! {
            const HAS_PREDICT_STEP: bool = #has_prompts;
            #fits
        }
    });
    let stepping = stepping(trainer, parts, private);
    quote! {
        const HAS_STEPS: bool = #has_steps;
        #train
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #private::Batches for #owner {
            type Batch = <#stepping as #private::Steps>::Batch;
        }
        #(#evaluated)*
        #predict
    }
}

/// The trainer, whose steps and train loader fit.
pub(crate) fn stepping(trainer: &Trainer, parts: &[Part<'_>], private: &TokenStream) -> TokenStream {
    let owner = &trainer.item.ident;
    let fits = match part(trainer, parts, LoaderRole::Train) {
        Some(part) => part.constant("FITS"),
        None => Ident::new("HAS_STEPS", Span::call_site()),
    };
    quote!(<#private::Checked<#owner, #fits> as #private::Known>::Type)
}

/// A loader's marker, whose batches fit.
pub(crate) fn fitting(part: &Part<'_>, private: &TokenStream) -> TokenStream {
    let (marker, fits) = (&part.marker, part.constant("FITS"));
    quote!(<#private::Checked<#marker, #fits> as #private::Known>::Type)
}

/// `FITS_val`: the error, at the type of the field, when its batches are not those that a step takes.
fn fits(part: &Part<'_>, trainer: &Trainer, taken: TokenStream, and: TokenStream) -> TokenStream {
    let (marker, fits) = (&part.marker, part.constant("FITS"));
    let (first, last) = ends(&part.field.ty);
    let here = trainer.krate.private_at(last);
    let open = quote_spanned!(first=> <);
    let handed = quote_spanned!(last=> <#marker as #here::LoaderPart>::Field as #here::LoaderField>::Batch);
    let same = quote_spanned!(last=> #open #open #handed as #here::SameBatch<#taken>>::same);
    quote! {
        #[allow(non_upper_case_globals)]
        const #fits: bool = { let _ = #same; #and };
    }
}

fn part<'a>(trainer: &Trainer, parts: &'a [Part<'_>], role: LoaderRole) -> Option<&'a Part<'a>> {
    let field = trainer.loaders(role).next()?;
    parts.iter().find(|part| part.field.ident == field.ident)
}

fn is(field: &TrainerField, role: LoaderRole) -> bool {
    matches!(field.role, crate::trainer::model::TrainerRole::Loader(of) if of == role)
}

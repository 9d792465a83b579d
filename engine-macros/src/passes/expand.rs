//! The expansion of a block of passes: an impl of `AllPassesInOneBlock`, which calls the method of the pass under way, and checks of
//! the optimizers that the passes name.

use crate::diag::Diag;
use crate::passes::batch::becomes;
use crate::passes::model::{Call, Pass, Passes};
use crate::source::source_of_type;
use crate::verified::{has, path_with, verified};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Type};

pub(crate) fn expand(passes: &Passes, mut diag: Diag) -> TokenStream {
    let private = passes.krate.private();
    let (item, owner) = (&passes.item, &passes.item.self_ty);
    let (batch, unknown) = match passes.batch() {
        Some(batch) => (batch.to_token_stream(), None),
        None => {
            // one error is in the constant; the type of the batch is unknown, so anything else would be a second error
            let error = diag.take_first();
            let unknown = quote!(const UNKNOWN_BATCH: bool = { #error };);
            let nothing = Ident::new("UNKNOWN_BATCH", Span::call_site());
            (verified(&passes.krate, quote!(()), &nothing), Some(unknown))
        }
    };
    // after a mistake it is not known which optimizers were meant: all count as named, and none is missed
    let all_named = diag.has_errors() || unknown.is_some();
    let infos = passes.passes.iter().map(|pass| info(pass, all_named, &private));
    let cx = Ident::new("cx", Span::mixed_site());
    let arms = passes.passes.iter().enumerate().map(|(place, pass)| arm(place, pass, passes, &cx));
    let (parameters, _, conditions) = item.generics.split_for_impl();
    // as in a block of phases
    let open = quote_spanned!(item.impl_token.span=> impl #parameters);
    let infos = quote!(&[#(#infos),*]);
    let of = Ident::new(becomes(&item.generics), Span::call_site());
    // of a generic trainer, what the passes name is asked where the program names the trainer
    let (infos, checks) = match item.generics.params.is_empty() {
        true => {
            let (optimizers, alone) = (optimizers(passes), alone(passes));
            (infos, quote!(#optimizers #alone))
        }
        false => {
            let checks = optimizers_of_generic(passes);
            (quote!({ #(#checks)* #infos }), TokenStream::new())
        }
    };
    let errors = diag.into_tokens();
    quote! {
        #item
        const _: () = {
            #unknown
            #[automatically_derived]
            #open #private::#of for #owner #conditions {
                type Batch = #batch;
                const PASSES: &'static [#private::PassInfo] = #infos;
                #[allow(unused_variables, unreachable_code)]
                fn train_step(
                    &mut self,
                    batch: &Self::Batch,
                    #cx: &mut #private::Context<'_>,
                ) -> #private::Result<#private::Output> {
                    match #private::pass_of(#cx) {
                        #(#arms)*
                        other => #private::no_such_pass(other),
                    }
                }
            }
            #checks
        };
        #errors
    }
}

fn info(pass: &Pass, all_named: bool, private: &TokenStream) -> TokenStream {
    let name = pass.name.unraw().to_string();
    let section = format!("passes.{name}");
    let named = pass.optimizers.iter().filter(|_| !all_named);
    let optimizers = named.map(|optimizer| optimizer.unraw().to_string());
    let (times, every) = (count(pass.times.as_ref(), "times"), count(pass.every.as_ref(), "every"));
    let batches = match &pass.batches {
        Some(batches) => {
            let mut batches = batches.clone();
            batches.set_span(Span::call_site());
            quote!(::core::option::Option::Some(#private::PassBatches::#batches))
        }
        None => quote!(::core::option::Option::None),
    };
    quote! {
        #private::PassInfo {
            name: #name,
            section: ::core::option::Option::Some(#section),
            optimizers: &[#(#optimizers),*],
            times: #times,
            every: #every,
            batches: #batches,
        }
    }
}

/// A number that is no literal is looked at when it is known.
fn count(expr: Option<&Expr>, key: &str) -> TokenStream {
    match expr {
        None => quote!(1),
        Some(Expr::Lit(literal)) => quote!(#literal),
        Some(expr) => {
            let (count, text) = (Ident::new("count", Span::mixed_site()), format!("`{key}` must be at least 1"));
            quote_spanned!(expr.span()=> {
                let #count: u64 = #expr;
                if #count == 0 {
                    ::core::panic!(#text)
                }
                #count
            })
        }
    }
}

/// Calls a pass. The compiler's complaint about a type is to stand at that type.
fn arm(place: usize, pass: &Pass, passes: &Passes, cx: &Ident) -> TokenStream {
    let Some(Call { context, output }) = &pass.call else {
        // the error is reported
        return quote!(#place => ::core::unreachable!(),);
    };
    let name = &pass.name;
    let at = Span::call_site().located_at(smallest(context));
    let cx = Ident::new("cx", cx.span().located_at(at));
    let taken = taken(pass, passes);
    let call = quote_spanned!(at=> Self::#name(self, #taken, #cx));
    let at = smallest(output);
    let result = Ident::new("result", Span::mixed_site().located_at(at));
    let here = passes.krate.private_at(Span::call_site().located_at(at));
    let expected = quote_spanned!(Span::call_site().located_at(at)=> #here::Result<#here::Output>);
    quote! {
        #place => {
            let #result = #call;
            let #result: #expected = #result;
            #result
        }
    }
}

/// The batch as the pass takes it, which is the error at its type when that is not the batch of the passes.
fn taken(pass: &Pass, passes: &Passes) -> TokenStream {
    match (&pass.batch, passes.batch()) {
        (Some(named), Some(batch)) => {
            let path = path_with(&passes.krate, named, "PassBatch", quote!(<#batch>), "of");
            quote!(#path(batch))
        }
        // `Self::Batch`
        _ => quote!(batch),
    }
}

/// That the trainer has no other training step besides.
fn alone(passes: &Passes) -> TokenStream {
    let owner = &passes.item.self_ty;
    let (private, trainer) = (passes.krate.private(), source_of_type(owner));
    let text = format!(
        "`{trainer}` has passes and an `impl Steps` besides, and a trainer has one of the two; make the `train_step` a pass too, or remove this block"
    );
    let refuse = quote_spanned!(owner.span()=> ::core::panic!(#text));
    quote! {
        const _: () = {
            #[allow(unused_imports)]
            use #private::NoSteps as _;
            if #private::StepsOf::<#owner>::HAS_STEPS {
                #refuse
            }
        };
    }
}

/// That the trainer has the optimizers which the passes name.
fn optimizers(passes: &Passes) -> TokenStream {
    let (krate, owner) = (&passes.krate, &passes.item.self_ty);
    let private = krate.private();
    let is_trainer = Ident::new("IS_TRAINER", Span::call_site());
    let asked = has(krate, owner, "HasOptimizers", "OPTIMIZERS");
    let known = verified(krate, owner, &is_trainer);
    let checks = passes.passes.iter().flat_map(|pass| &pass.optimizers).map(|optimizer| {
        let (name, at) = (optimizer.unraw().to_string(), optimizer.span());
        let trainer = source_of_type(owner);
        let text = format!("`{name}` is no `#[optimizer]` field of `{trainer}`, expected one of ");
        let refuse = quote_spanned!(at=> ::core::panic!("{}", TEXT.as_str()));
        quote! {
            const _: () = {
                const KNOWN: &[&str] = <#known as #private::HasOptimizers>::OPTIMIZERS;
                const TEXT: #private::ConstText = #private::ConstText::list(#text, KNOWN);
                if !#private::is_one_of(#name, KNOWN) {
                    #refuse
                }
            };
        }
    });
    quote! {
        const #is_trainer: bool = #asked;
        #(#checks)*
    }
}

/// As [`optimizers`], of a generic trainer: statements of the constant that lists the passes.
fn optimizers_of_generic(passes: &Passes) -> impl Iterator<Item = TokenStream> {
    let (private, trainer) = (passes.krate.private(), source_of_type(&passes.item.self_ty));
    passes.passes.iter().flat_map(|pass| &pass.optimizers).map(move |optimizer| {
        let (name, at) = (optimizer.unraw().to_string(), optimizer.span());
        let text = format!("`{name}` is no `#[optimizer]` field of `{trainer}`, expected one of ");
        let (known, list) = (Ident::new("known", Span::mixed_site()), Ident::new("text", Span::mixed_site()));
        let refuse = quote_spanned!(at=> ::core::panic!("{}", #list.as_str()));
        quote! {
            let #known = <Self as #private::HasOptimizers>::OPTIMIZERS;
            if !#private::is_one_of(#name, #known) {
                let #list = #private::ConstText::list(#text, #known);
                #refuse
            }
        }
    })
}

/// The token of a type that says most: the last name of its path.
fn smallest(ty: &Type) -> Span {
    match ty {
        Type::Path(path) => path.path.segments.last().map_or(path.span(), |segment| segment.ident.span()),
        Type::Reference(reference) => smallest(&reference.elem),
        other => other.span(),
    }
}

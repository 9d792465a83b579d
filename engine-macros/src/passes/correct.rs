//! What a pass of a wrong signature was meant to be: the mistake is reported, and its body is to give no second error.

use crate::krate::Krate;
use crate::method::returns_nothing;
use crate::passes::batch::{is_context, is_of_trainer, own_batch};
use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;
use syn::{FnArg, ImplItemFn, Pat, Type, parse_quote, parse_quote_spanned};

/// Corrects the method in place: it gets what it lacks, and keeps what its body may go by.
pub(super) fn correct(function: &mut ImplItemFn, krate: &Krate, of: &str) {
    // the method is not called, and may have arguments that it does not use: no warnings about either
    function.attrs.push(parse_quote!(#[allow(unused, unreachable_code)]));
    function.sig.constness = None;
    function.sig.abi = None;
    receiver(function);
    let private = krate.private();
    for argument in &mut function.sig.inputs {
        let FnArg::Typed(argument) = argument else { continue };
        match argument.ty.as_mut() {
            Type::Reference(reference) if is_context(&reference.elem) => {
                reference.mutability.get_or_insert_with(Default::default);
            }
            // a type of the trainer's own that is none
            Type::Reference(reference) if is_of_trainer(&reference.elem) => {
                *reference.elem = own_batch(krate, of, reference.elem.span());
            }
            _ => {}
        }
    }
    let names = |name: &str| {
        let is = |argument: &FnArg| {
            matches!(argument, FnArg::Typed(argument)
            if matches!(argument.pat.as_ref(), Pat::Ident(of) if of.ident == name))
        };
        function.sig.inputs.iter().any(is)
    };
    let at = function.sig.ident.span();
    let (batch, cx) = (Ident::new("batch", at), Ident::new("cx", at));
    let (has_batch, has_cx) = (names("batch"), names("cx"));
    if !has_batch {
        let own = own_batch(krate, of, at);
        function.sig.inputs.push(parse_quote!(#batch: &#own));
    }
    if !has_cx {
        function.sig.inputs.push(parse_quote!(#cx: &mut #private::Context<'_>));
    }
    if returns_nothing(&function.sig.output) {
        function.sig.output = parse_quote!(-> #private::Result<#private::Output>);
        let block = &function.block;
        // whatever it ends in
        function.block = parse_quote!({ let _ = #block; ::core::unreachable!() });
    }
}

fn receiver(function: &mut ImplItemFn) {
    let at = function.sig.ident.span();
    match function.sig.inputs.first_mut() {
        Some(FnArg::Receiver(receiver)) => {
            let at: Span = receiver.self_token.span;
            match receiver.ty.as_ref() {
                Type::Reference(_) => *receiver = parse_quote_spanned!(at=> &mut self),
                _ if receiver.colon_token.is_none() => *receiver = parse_quote_spanned!(at=> mut self),
                _ => {}
            }
        }
        _ => function.sig.inputs.insert(0, parse_quote_spanned!(at=> &mut self)),
    }
}

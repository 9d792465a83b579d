//! What a pass of a wrong signature was meant to be: the mistake is reported, and its body is to give no second error.

use crate::krate::Krate;
use crate::method::returns_nothing;
use proc_macro2::{Ident, Span};
use syn::{FnArg, ImplItemFn, Pat, Type, parse_quote, parse_quote_spanned};

/// Corrects the method in place: it gets what it lacks, and keeps what its body may go by.
pub(super) fn correct(function: &mut ImplItemFn, krate: &Krate) {
    // nobody calls it, and it may have been given more than it uses
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
            // `Self::Batch`, which no trait gives here
            ty if is_of_self(ty) => *ty = parse_quote!(&<Self as #private::Steps>::Batch),
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
        function.sig.inputs.push(parse_quote!(#batch: &<Self as #private::Steps>::Batch));
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

fn is_of_self(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else { return false };
    matches!(reference.elem.as_ref(), Type::Path(path) if path.path.segments.len() > 1
        && path.path.segments.first().is_some_and(|first| first.ident == "Self"))
}

/// Whether a type is named `Context`.
pub(super) fn is_context(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|name| name.ident == "Context"))
}

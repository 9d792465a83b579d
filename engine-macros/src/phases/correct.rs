//! What a phase of a wrong signature was meant to be.
//!
//! The mistake is reported, and the body is to give no second error. It was most likely written for the right
//! signature: so the method gets what it lacks, and keeps what its body may go by.

use crate::krate::Krate;
use crate::method::{is_foreign_context, returns_nothing};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt as _;
use syn::{Block, FnArg, Ident, ImplItemFn, Pat, Stmt, Type, parse_quote, parse_quote_spanned};

/// Corrects the method in place.
pub(crate) fn correct(function: &mut ImplItemFn, krate: &Krate) {
    // the method is not called, and may have arguments that it does not use: no warnings about either
    function.attrs.push(parse_quote!(#[allow(unused)]));
    if function.sig.generics.type_params().next().is_some() || function.sig.generics.const_params().next().is_some() {
        // a generic method can't be named without its types, so the check by name gets another name
        function.sig.ident = format_ident!("__{}", function.sig.ident.unraw(), span = function.sig.ident.span());
    }
    function.sig.constness = None;
    function.sig.abi = None;
    receiver(function);
    context(function, krate);
    output(function, krate);
}

/// `&self` and none become `&mut self`; `self` becomes `mut self`, which can be changed as well as moved out of.
fn receiver(function: &mut ImplItemFn) {
    match function.sig.inputs.first_mut() {
        Some(FnArg::Receiver(receiver)) => {
            let at = receiver.self_token.span;
            match receiver.ty.as_ref() {
                Type::Reference(_) => *receiver = parse_quote_spanned!(at=> &mut self),
                _ if receiver.colon_token.is_none() => *receiver = parse_quote_spanned!(at=> mut self),
                // in a `Box`, or an `Rc`
                _ => {}
            }
        }
        _ => {
            let at = function.sig.ident.span();
            function.sig.inputs.insert(0, parse_quote_spanned!(at=> &mut self));
        }
    }
}

/// `&Context` and `Context` become `&mut Context`; without one, the `cx` of the body is one.
fn context(function: &mut ImplItemFn, krate: &Krate) {
    let mut found = false;
    for argument in &mut function.sig.inputs {
        let FnArg::Typed(argument) = argument else { continue };
        if let Some(context) = borrowed_context(&argument.ty) {
            argument.ty = parse_quote!(&mut #context);
            found = true;
        } else if matches!(argument.ty.as_ref(), Type::Reference(of) if is_foreign_context(&of.elem)) {
            let private = krate.private();
            argument.ty = parse_quote!(&mut #private::Context<'_>);
            found = true;
        }
        found |= matches!(argument.pat.as_ref(), Pat::Ident(name) if name.ident == "cx");
    }
    if !found {
        let (private, cx) = (krate.private(), Ident::new("cx", function.sig.ident.span()));
        function.sig.inputs.push(parse_quote!(#cx: &mut #private::Context<'_>));
    }
}

/// Whether a method was meant as a phase, whatever its name is.
pub(crate) fn takes_context(function: &ImplItemFn) -> bool {
    let is_context =
        |argument: &FnArg| matches!(argument, FnArg::Typed(argument) if borrowed_context(&argument.ty).is_some());
    function.sig.inputs.iter().any(is_context)
}

/// `Context<'_>` of itself, or of a borrow of it.
fn borrowed_context(ty: &Type) -> Option<&Type> {
    let ty = match ty {
        Type::Reference(reference) => reference.elem.as_ref(),
        owned => owned,
    };
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|name| name.ident == "Context"))
        .then_some(ty)
}

/// A body without a return type may use `?` and end in `Ok(())`, or not.
fn output(function: &mut ImplItemFn, krate: &Krate) {
    if !returns_nothing(&function.sig.output) || returns_early(function.block.to_token_stream()) {
        return;
    }
    let private = krate.private();
    function.sig.output = parse_quote!(-> #private::Result<()>);
    end_with_ok(&mut function.block);
}

fn end_with_ok(block: &mut Block) {
    match block.stmts.last_mut() {
        Some(Stmt::Expr(last, None)) if speaks_of_results(last.to_token_stream()) => return,
        Some(Stmt::Expr(_, end @ None)) => *end = Some(Default::default()),
        Some(Stmt::Macro(last)) => last.semi_token = Some(last.semi_token.unwrap_or_default()),
        _ => {}
    }
    block.stmts.push(Stmt::Expr(parse_quote!(::core::result::Result::Ok(())), None));
}

fn speaks_of_results(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "Ok" || word == "Err",
        TokenTree::Group(group) => speaks_of_results(group.stream()),
        _ => false,
    })
}

/// Whether there is a `return;`.
fn returns_early(tokens: TokenStream) -> bool {
    let mut before = false;
    tokens.into_iter().any(|token| {
        let after_return = std::mem::take(&mut before);
        match token {
            TokenTree::Ident(word) => before = word == "return",
            TokenTree::Punct(sign) => return after_return && sign.as_char() == ';',
            TokenTree::Group(group) => return returns_early(group.stream()),
            TokenTree::Literal(_) => {}
        }
        false
    })
}

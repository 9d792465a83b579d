//! What a pass takes: a type that it names, or `Self::Batch`.

use crate::krate::Krate;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{FnArg, Generics, ImplItemFn, Type, parse_quote_spanned};

/// The type of a parameter that is borrowed and is no context, without `&`.
pub(super) fn batch_of(input: &FnArg) -> Option<&Type> {
    let FnArg::Typed(argument) = input else { return None };
    match argument.ty.as_ref() {
        Type::Reference(reference) if reference.mutability.is_none() && !is_context(&reference.elem) => {
            Some(&reference.elem)
        }
        _ => None,
    }
}

/// The type of the batch, if the pass names one. `Self::Batch`, which a block without a trait does not know, is written
/// out in the method's signature.
pub(super) fn named_batch(function: &mut ImplItemFn, owner: &Type, krate: &Krate, of: &str) -> Option<Type> {
    let input = function.sig.inputs.iter_mut().find(|input| batch_of(input).is_some())?;
    let FnArg::Typed(argument) = input else { return None };
    let Type::Reference(reference) = argument.ty.as_mut() else { return None };
    if is_own_batch(&reference.elem, owner) {
        *reference.elem = own_batch(krate, of, reference.elem.span());
        return None;
    }
    // one that speaks of the trainer is reported, or was written in its place
    (!is_of_trainer(&reference.elem)).then(|| reference.elem.as_ref().clone())
}

/// The trait that the passes become. Whether a generic trainer has passes no constant can ask, so that they are its `Steps`.
pub(super) fn becomes(generics: &Generics) -> &'static str {
    if generics.params.is_empty() { "AllPassesInOneBlock" } else { "Steps" }
}

/// `Self::Batch`, written out; `of` is what the passes become.
pub(super) fn own_batch(krate: &Krate, of: &str, at: Span) -> Type {
    let (private, of) = (krate.private_at(Span::call_site().located_at(at)), Ident::new(of, at));
    parse_quote_spanned!(at=> <Self as #private::#of>::Batch)
}

/// `Self::Batch`, or `Gan::Batch`.
pub(super) fn is_own_batch(ty: &Type, owner: &Type) -> bool {
    let words = |tokens: TokenStream| tokens.to_string();
    let written = words(ty.to_token_stream());
    written == "Self :: Batch" || written == format!("{} :: Batch", words(owner.to_token_stream()))
}

/// Whether a type says `Self`.
pub(super) fn is_of_trainer(ty: &Type) -> bool {
    fn says_self(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == "Self",
            TokenTree::Group(group) => says_self(group.stream()),
            _ => false,
        })
    }
    says_self(ty.to_token_stream())
}

/// Whether a type is named `Context`.
pub(super) fn is_context(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|name| name.ident == "Context"))
}

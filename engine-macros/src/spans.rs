//! Where generated code points when the compiler complains of it.

use proc_macro2::{Ident, Span, TokenTree};
use quote::ToTokens;

/// At a name for messages, of the macro for lints.
pub(crate) fn quiet(ident: &Ident) -> Span {
    Span::mixed_site().located_at(ident.span())
}

/// The places of the first and the last token.
pub(crate) fn ends(tokens: impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let span = |token: Option<TokenTree>| token.map_or_else(Span::call_site, |token| token.span());
    let first = span(tokens.next());
    (first, tokens.last().map_or(first, |token| token.span()))
}

//! Where generated code points when the compiler complains of it.

use crate::params::Params;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};

/// At a name for messages, of the macro for lints.
pub(crate) fn quiet(ident: &Ident) -> Span {
    Span::mixed_site().located_at(ident.span())
}

/// A struct or an enum without parameters gets empty brackets: `struct Cnn<> { … }`.
///
/// Where a name within the brackets of a field's type is not found, the compiler would propose a parameter of the struct.
/// The copies of the type get no such advice, so the same error would be told twice.
pub(crate) fn without_advice(item: &impl ToTokens, ident: &Ident) -> TokenStream {
    let mut written = TokenStream::new();
    let mut is_name = false;
    let mut tokens = item.to_token_stream().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let word = match &token {
            TokenTree::Ident(word) => Some(word.clone()),
            _ => None,
        };
        written.extend([token]);
        let is_generic = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '<');
        if is_name && word.as_ref() == Some(ident) && !is_generic {
            written.extend(quote_spanned!(Span::mixed_site()=> <>));
        }
        is_name = word.is_some_and(|word| word == "struct" || word == "enum");
    }
    written
}

/// `impl`, behind which the compiler proposes no parameter, as in [`without_advice`]; of a generic type `impl<T: Number>`.
pub(crate) fn impl_without_advice(at: Span, params: &Params) -> TokenStream {
    if !params.is_empty() {
        let declared = params.declared();
        return quote_spanned!(at=> impl #declared);
    }
    let brackets = quote_spanned!(Span::mixed_site()=> <>);
    quote_spanned!(at=> impl #brackets)
}

/// The places of the first and the last token.
pub(crate) fn ends(tokens: impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let span = |token: Option<TokenTree>| token.map_or_else(Span::call_site, |token| token.span());
    let first = span(tokens.next());
    (first, tokens.last().map_or(first, |token| token.span()))
}

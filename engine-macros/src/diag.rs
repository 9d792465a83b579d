//! The collector of a macro's errors: all of them are reported, each on the smallest wrong token.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Errors on their way to the compiler.
///
/// They have to be handed over by [`Diag::into_tokens`]; a collector that is dropped instead panics, so that
/// no path through a macro can lose an error.
pub(crate) struct Diag {
    errors: Option<Vec<syn::Error>>,
}

impl Diag {
    pub(crate) fn new() -> Self {
        Diag { errors: Some(Vec::new()) }
    }

    /// An error that underlines these tokens, from the first to the last.
    pub(crate) fn error(&mut self, tokens: impl ToTokens, message: impl Into<String>) {
        self.add(syn::Error::new_spanned(tokens, message.into()));
    }

    /// An error at one token.
    pub(crate) fn error_at(&mut self, span: Span, message: impl Into<String>) {
        self.add(syn::Error::new(span, message.into()));
    }

    pub(crate) fn add(&mut self, error: syn::Error) {
        if let Some(errors) = &mut self.errors {
            errors.push(error);
        }
    }

    /// Whether anything was wrong so far.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors.as_ref().is_some_and(|errors| !errors.is_empty())
    }

    /// Takes the first error out, as a `compile_error!`; nothing when there is none.
    pub(crate) fn take_first(&mut self) -> TokenStream {
        match &mut self.errors {
            Some(errors) if !errors.is_empty() => errors.remove(0).to_compile_error(),
            _ => TokenStream::new(),
        }
    }

    /// All errors as `compile_error!` items.
    pub(crate) fn into_tokens(mut self) -> TokenStream {
        self.errors.take().unwrap_or_default().iter().map(syn::Error::to_compile_error).collect()
    }

    /// The messages, for tests.
    #[cfg(test)]
    pub(crate) fn into_messages(mut self) -> Vec<String> {
        self.errors.take().unwrap_or_default().iter().map(ToString::to_string).collect()
    }
}

impl Drop for Diag {
    #[expect(clippy::panic, reason = "a lost error would let wrong code compile; this is a defect of the macro itself")]
    fn drop(&mut self) {
        if self.errors.is_some() && !std::thread::panicking() {
            panic!("a macro dropped its errors instead of reporting them");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_errors_are_reported_in_order() {
        let mut diag = Diag::new();
        diag.error_at(Span::call_site(), "first");
        diag.error(quote::quote!(a b), "second");
        let tokens = diag.into_tokens().to_string();
        let (first, second) = (tokens.find("\"first\""), tokens.find("\"second\""));
        assert!(first.is_some() && first < second, "{tokens}");
    }

    #[test]
    #[should_panic(expected = "dropped its errors")]
    fn a_collector_that_is_dropped_panics() {
        drop(Diag::new());
    }
}

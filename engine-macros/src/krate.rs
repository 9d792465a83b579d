//! Where expansions find the engine: under the name that the package gives it, or at the path of `crate = …`.

use crate::args::Args;
use crate::manifest;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Path, parse_quote};

/// `::engine`, or the name that the package has given it.
fn found() -> Path {
    match manifest::renamed().and_then(|name| syn::parse_str::<Ident>(&name).ok()) {
        Some(name) => parse_quote!(::#name),
        None => parse_quote!(::engine),
    }
}

/// The path of the engine in the user's crate.
pub(crate) struct Krate(Path);

impl Krate {
    /// Takes the `crate` argument.
    pub(crate) fn from_args(args: &mut Args) -> Self {
        Krate(args.path("crate").unwrap_or_else(found))
    }

    /// Without an argument.
    pub(crate) fn found() -> Self {
        Krate(found())
    }

    /// The path itself, for the `crate` argument of another macro.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// `::engine::__private`, the only module that expansions name.
    pub(crate) fn private(&self) -> TokenStream {
        let path = &self.0;
        quote!(#path::__private)
    }

    /// [`Krate::private`] whose every token stands at a place of the user's, for errors that are to be there.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        let moved = |mut token: TokenTree| {
            token.set_span(span);
            token
        };
        self.private().into_iter().map(moved).collect()
    }

    /// The path of serde, as `#[serde(crate = "…")]` wants it.
    pub(crate) fn serde(&self) -> String {
        let path: String = self.0.to_token_stream().into_iter().map(|token| token.to_string()).collect();
        format!("{path}::__private::serde")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_serde_has_no_spaces() {
        assert_eq!(Krate(parse_quote!(::engine)).serde(), "::engine::__private::serde");
        assert_eq!(Krate(parse_quote!(crate::inner)).serde(), "crate::inner::__private::serde");
    }
}

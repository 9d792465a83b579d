//! Errors of the engine's `macro_rules!` at the tokens that are wrong.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Token};

/// `"what to do", tokens` → an error at the tokens.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let read = |input: ParseStream<'_>| {
        let message: LitStr = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok((message.value(), input.parse::<TokenStream>()?))
    };
    match read.parse2(input) {
        Ok((message, at)) => syn::Error::new_spanned(bare(at), message).to_compile_error(),
        Err(error) => error.to_compile_error(),
    }
}

/// Without invisible groups, whose place is the whole call.
fn bare(tokens: TokenStream) -> TokenStream {
    let ungrouped = |token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => bare(group.stream()),
        token => token.into(),
    };
    tokens.into_iter().flat_map(ungrouped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn the_error_is_the_message_alone() {
        let told = expand(quote!("write a type", "Digits")).to_string();
        assert_eq!(told, ":: core :: compile_error ! { \"write a type\" }");
    }
}

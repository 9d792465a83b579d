//! Errors of the engine's `macro_rules!` at the tokens that are wrong.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Token};

/// `"what to do", tokens` → an error at the tokens; at the whole call when there are none.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let read = |input: ParseStream<'_>| {
        let message: LitStr = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok((message.value(), input.parse::<TokenStream>()?))
    };
    match read.parse2(input) {
        Ok((message, at)) if at.is_empty() => quote!(::core::compile_error! { #message }),
        Ok((message, at)) => syn::Error::new_spanned(at, message).to_compile_error(),
        Err(error) => error.to_compile_error(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_message_alone() {
        for input in [quote!("write a type", "Digits"), quote!("write a type",)] {
            let told = expand(input).to_string();
            assert_eq!(told, ":: core :: compile_error ! { \"write a type\" }");
        }
    }
}

//! Whether a phase can ask the loop for anything, such as `cx.stop(…)`: several ranks then have to tell each other.

use crate::words::ASKS_NOTHING;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{FnArg, ImplItemFn, Pat};

/// True when the body uses the context only to call methods that ask for nothing. Any other use counts as asking, for example
/// a context that is handed on to a function.
pub(crate) fn asks_nothing(function: &ImplItemFn) -> bool {
    match function.sig.inputs.iter().nth(1) {
        Some(FnArg::Typed(argument)) => match argument.pat.as_ref() {
            Pat::Wild(_) => true,
            Pat::Ident(name) => only_such_calls(function.block.to_token_stream(), &name.ident.to_string()),
            _ => false,
        },
        _ => false,
    }
}

/// Whether each `context` of these tokens is followed by `.method(…)`, with a method of the list.
fn only_such_calls(tokens: TokenStream, context: &str) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.iter().enumerate().all(|(at, token)| match token {
        TokenTree::Group(group) => only_such_calls(group.stream(), context),
        TokenTree::Ident(word) if word == context => is_such_call(&tokens[at + 1..]),
        _ => true,
    })
}

fn is_such_call(behind: &[TokenTree]) -> bool {
    match behind {
        [TokenTree::Punct(dot), TokenTree::Ident(method), TokenTree::Group(arguments), ..] => {
            dot.as_char() == '.'
                && ASKS_NOTHING.iter().any(|known| method == known)
                && arguments.delimiter() == Delimiter::Parenthesis
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn asks_nothing(method: TokenStream) -> bool {
        super::asks_nothing(&syn::parse2(method).unwrap())
    }

    #[test]
    fn calls_that_ask_for_nothing_are_known_wherever_they_are() {
        for body in [
            quote!({ Ok(()) }),
            quote!({ cx.say(&format!("iter {}", cx.iter().get())) }),
            quote!({
                if let (true, Some(norm)) = (cx.is_main(), cx.metric("norm")) {
                    self.values.iter().for_each(|value| self.sum += value * norm);
                }
                cx.output()?.loss().map(|_| ())
            }),
        ] {
            assert!(asks_nothing(quote!(fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> #body)), "{body}");
        }
        assert!(asks_nothing(quote!(
            fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
                self.note()
            }
        )));
    }

    #[test]
    fn a_request_and_all_that_is_not_understood_may_ask() {
        for body in [
            quote!({ cx.stop("enough") }),
            quote!({
                if self.is_enough(cx.iter()) {
                    cx.save(self.save())
                }
                Ok(())
            }),
            quote!({ self.look(cx) }),
            quote!({
                println!("{}", cx.skip_update("no"));
                Ok(())
            }),
            quote!({
                let other = cx;
                other.stop("enough")
            }),
            quote!({ Context::stop(cx, "enough") }),
            quote!({ cx.unknown() }),
            quote!({ cx.iter::<u8>() }),
        ] {
            assert!(!asks_nothing(quote!(fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> #body)), "{body}");
        }
    }
}

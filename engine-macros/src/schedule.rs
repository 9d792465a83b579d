//! `#[schedule]`: a function becomes a schedule that experiment files name.

use crate::args::{self, Args, CRATE, NAME};
use crate::around;
use crate::diag::Diag;
use crate::fallback;
use crate::krate::Krate;
use crate::verified::{block, path, verified};
use crate::words::is_reserved;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Item, ItemFn, LitStr, ReturnType, Type};

/// The whole macro.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    let Ok(function) = syn::parse2::<ItemFn>(item.clone()) else {
        return fallback::misplaced("schedule", "a function", item, hint, diag);
    };
    if around::is_in_impl() {
        let message = "a schedule is a function of its own and none of a type; move it out of the `impl`";
        diag.error(&function.sig.ident, message);
        return fallback::keep(item, diag);
    }
    let mut args = args::parse("schedule", args, &[NAME, CRATE], &mut diag);
    let krate = Krate::from_args(&mut args);
    let name = name(&function.sig.ident, &mut args, &mut diag);
    let schedule = match (name, is_right(&function, &mut diag)) {
        (Some(name), true) => Some(component(&function, &name, &krate)),
        _ => None,
    };
    let errors = diag.into_tokens();
    quote!(#function #schedule #errors)
}

fn hint(item: &Item) -> Option<&'static str> {
    match item {
        Item::Struct(_) | Item::Enum(_) => Some("a schedule with settings is a struct under `#[component(schedule)]`"),
        Item::Impl(_) => {
            Some("a schedule with settings implements `Schedule` for a struct under `#[component(schedule)]`")
        }
        _ => None,
    }
}

/// The name in experiment files; `None` when they have another meaning for it, which is reported.
fn name(function: &Ident, args: &mut Args, diag: &mut Diag) -> Option<String> {
    let given = args.name(diag);
    let name = given.as_ref().map_or_else(|| type_name(function), LitStr::value);
    if !is_reserved(&name) {
        return Some(name);
    }
    let problem = format!("`{name}` is a word of experiment files and can't be a name in them");
    match given {
        Some(given) => diag.error(given, format!("{problem}; take another one")),
        None => {
            diag.error(function, format!("{problem}; write `name = \"…\"` in the attribute, or rename the function"));
        }
    }
    None
}

/// Whether the function can be called with a position and nothing else. Its types are checked by the compiler.
fn is_right(function: &ItemFn, diag: &mut Diag) -> bool {
    let signature = &function.sig;
    let wanted = format!("fn {}(position: WindowPosition) -> f64", signature.ident);
    let mut refuse = |at: TokenStream, problem: &str| diag.error(at, format!("{problem}; expected `{wanted}`"));
    let inputs: Vec<&FnArg> = signature.inputs.iter().collect();
    if let Some(keyword) = &signature.asyncness {
        refuse(keyword.to_token_stream(), "a schedule is not `async`");
    } else if let Some(keyword) = &signature.unsafety {
        refuse(keyword.to_token_stream(), "a schedule is not `unsafe`");
    } else if let Some(abi) = &signature.abi {
        refuse(abi.to_token_stream(), "a schedule has no `extern`");
    } else if !signature.generics.params.is_empty() {
        refuse(signature.generics.params.to_token_stream(), "a schedule is not generic");
    } else if let Some(FnArg::Receiver(receiver)) = inputs.first() {
        refuse(receiver.to_token_stream(), "a schedule is a function and no method");
    } else if let Some(FnArg::Typed(argument)) = inputs.first()
        && matches!(argument.ty.as_ref(), Type::ImplTrait(_))
    {
        refuse(argument.ty.to_token_stream(), "a schedule is not generic");
    } else if inputs.is_empty() {
        refuse(signature.ident.to_token_stream(), "a schedule takes its position in its window");
    } else if let Some(further) = inputs.get(1) {
        let problem =
            "a schedule takes its position alone; one with settings is a struct under `#[component(schedule)]`";
        refuse(further.to_token_stream(), problem);
    } else if matches!(signature.output, ReturnType::Default) {
        refuse(signature.ident.to_token_stream(), "a schedule returns the factor of the initial value");
    } else {
        return true;
    }
    false
}

/// The component: a struct with the fields of a window, which calls the function.
fn component(function: &ItemFn, name: &str, krate: &Krate) -> TokenStream {
    let (private, path, ident) = (krate.private(), krate.path(), &function.sig.ident);
    let owner = format_ident!("{}", type_name(ident), span = ident.span());
    let name = LitStr::new(name, ident.span());
    let (docs, cfgs) = (named(&function.attrs, "doc"), named(&function.attrs, "cfg"));
    // its type is checked here, once, so a wrong one is one error
    let fits = format_ident!("__SCHEDULE_FITS");
    let asked = asked(function, krate);
    let (position, factor) =
        (verified(krate, quote!(#private::WindowPosition), &fits), verified(krate, quote!(f64), &fits));
    let constant = quote_spanned! {ident.span()=>
        const #fits: bool = { #asked true };
        const __SCHEDULE: fn(#position) -> #factor = #ident;
    };
    let items = block(quote! {
        #constant
        #private::windowed! {
            #(#docs)*
            #[#private::component(schedule, name = #name, crate = #path)]
            pub struct #owner {}
        }
        #[automatically_derived]
        impl #private::Schedule for #owner {
            fn window(&self) -> #private::Window<'_> {
                self.fields_window()
            }
            fn factor(&self, position: #private::WindowPosition) -> f64 {
                __SCHEDULE(position)
            }
            fn check(&self) -> ::core::result::Result<(), #private::OptimError> {
                ::core::result::Result::Ok(())
            }
        }
    });
    quote!(#(#cfgs)* #items)
}

/// Statements that ask for the types of the position and of the factor, at these types.
fn asked(function: &ItemFn, krate: &Krate) -> TokenStream {
    let position = function.sig.inputs.first().and_then(|argument| match argument {
        FnArg::Typed(argument) => Some(path(krate, &argument.ty, "PositionArgument", "FITS")),
        FnArg::Receiver(_) => None,
    });
    let factor = match &function.sig.output {
        ReturnType::Type(_, ty) => Some(path(krate, ty, "FactorResult", "FITS")),
        ReturnType::Default => None,
    };
    let asked = position.into_iter().chain(factor);
    quote!(#(let _ = #asked;)*)
}

/// `slow_start` in camel case, as other components are named: `SlowStart`.
fn type_name(function: &Ident) -> String {
    let name = function.unraw().to_string();
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    let found: String = name.split('_').map(capital).collect();
    // `_` alone is no name of a function, `__` is
    if found.is_empty() || found.starts_with(|first: char| first.is_ascii_digit()) { name } else { found }
}

fn named<'a>(attrs: &'a [Attribute], name: &str) -> Vec<&'a Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot;

    #[test]
    fn the_expansion_is_the_one_in_the_snapshot() {
        let expansion = expand(
            quote!(crate = ::some::engine),
            quote! {
                /// Half of it every ten counts.
                #[cfg(feature = "slow")]
                pub fn slow_start(position: WindowPosition) -> f64 {
                    0.5f64.powf((position.at / 10) as f64)
                }
            },
        );
        snapshot::check("schedule/slow_start", &expansion);
    }

    #[test]
    fn every_mistake_is_told_and_the_function_stays() {
        let told = |item: TokenStream| {
            let tokens = expand(TokenStream::new(), item).to_string();
            assert!(!tokens.contains("windowed"), "{tokens}");
            let from = tokens.find("compile_error").map(|at| tokens[at..].to_owned()).unwrap_or_default();
            from.split('"').nth(1).unwrap_or_default().to_owned()
        };
        let wanted = "; expected `fn f(position: WindowPosition) -> f64`";
        for (item, message) in [
            (
                quote!(
                    async fn f(p: WindowPosition) -> f64 {
                        1.0
                    }
                ),
                "a schedule is not `async`",
            ),
            (
                quote!(
                    unsafe fn f(p: WindowPosition) -> f64 {
                        1.0
                    }
                ),
                "a schedule is not `unsafe`",
            ),
            (
                quote!(
                    extern "C" fn f(p: WindowPosition) -> f64 {
                        1.0
                    }
                ),
                "a schedule has no `extern`",
            ),
            (
                quote!(
                    fn f<T>(p: T) -> f64 {
                        1.0
                    }
                ),
                "a schedule is not generic",
            ),
            (
                quote!(
                    fn f(&self, p: WindowPosition) -> f64 {
                        1.0
                    }
                ),
                "a schedule is a function and no method",
            ),
            (
                quote!(
                    fn f() -> f64 {
                        1.0
                    }
                ),
                "a schedule takes its position in its window",
            ),
            (
                quote!(
                    fn f(p: WindowPosition, n: u64) -> f64 {
                        1.0
                    }
                ),
                "a schedule takes its position alone; one with settings is a struct under `#[component(schedule)]`",
            ),
            (
                quote!(
                    fn f(p: WindowPosition) {}
                ),
                "a schedule returns the factor of the initial value",
            ),
        ] {
            assert_eq!(told(item), format!("{message}{wanted}"));
        }
        let misplaced = told(quote!(
            struct Slow {
                every: u64,
            }
        ));
        assert_eq!(
            misplaced,
            "the `schedule` attribute belongs on a function, not on a struct; a schedule with settings is a struct under `#[component(schedule)]`"
        );
    }

    #[test]
    fn a_name_is_that_of_a_type() {
        let name = |name: &str| type_name(&format_ident!("{name}"));
        assert_eq!(["slow_start", "_x", "Halves", "__", "_1"].map(name), ["SlowStart", "X", "Halves", "__", "_1"]);
    }
}

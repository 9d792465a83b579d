//! `priority = "HIGH"`, `priority = HIGH` or `priority = 25`.

use crate::args::{Args, Form, Key};
use crate::diag::Diag;
use crate::elsewhere;
use crate::source::source_of_expr;
use crate::suggest::{did_you_mean, quoted};
use crate::words::LEVELS;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Expr, ExprLit, Lit};

/// The argument of a hook and of a trainer.
pub(crate) const KEY: Key = Key { name: "priority", form: Form::Expr, usage: "priority = \"HIGH\"" };

/// A level that is known to be one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Named(String),
    Number(u8),
}

impl Level {
    /// Takes the `priority` argument; without one, and after an error, it is `NORMAL`.
    pub(crate) fn from_args(args: &mut Args, diag: &mut Diag) -> Level {
        let normal = || Level::Named("NORMAL".to_owned());
        let Some(expr) = args.expr("priority") else { return normal() };
        match read(&expr) {
            Ok(level) => level,
            Err(message) => {
                diag.error(&expr, message);
                normal()
            }
        }
    }

    /// A constant expression of type `Priority`.
    pub(crate) fn expand(&self, private: &TokenStream) -> TokenStream {
        match self {
            Level::Named(name) => {
                let name = Ident::new(name, Span::call_site());
                quote!(#private::Priority::#name)
            }
            Level::Number(number) => quote! {
                match #private::Priority::new(#number) {
                    ::core::option::Option::Some(level) => level,
                    ::core::option::Option::None => #private::Priority::NORMAL,
                }
            },
        }
    }
}

fn read(expr: &Expr) -> Result<Level, String> {
    let name = match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => name.value(),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
            return match number.base10_parse::<u8>() {
                Ok(level) if level <= 100 => Ok(Level::Number(level)),
                _ => Err(format!("a priority is 0 (first) to 100 (last), got {}", number.base10_digits())),
            };
        }
        Expr::Path(path) => match path.path.segments.last() {
            Some(segment) => segment.ident.to_string(),
            None => return Err(not_a_level()),
        },
        // `-1`
        Expr::Unary(_) => return Err(format!("{}, got {}", not_a_level(), source_of_expr(expr))),
        _ => return Err(not_a_level()),
    };
    let names = LEVELS.map(|(name, _)| name);
    if names.contains(&name.as_str()) {
        return Ok(Level::Named(name));
    }
    if name.parse::<u8>().is_ok() {
        return Err(format!("a priority that is a number takes no quotes; write `priority = {name}`"));
    }
    Err(match (elsewhere::level(&name.to_uppercase()), did_you_mean(&name, &names)) {
        (Some(here), _) => format!("unknown priority `{name}`, here it is `{here}`"),
        (None, Some(meant)) => format!("unknown priority `{name}`, did you mean `{meant}`?"),
        (None, None) => format!("unknown priority `{name}`, expected one of {} or an integer 0 to 100", quoted(&names)),
    })
}

fn not_a_level() -> String {
    format!("a priority is one of {} or an integer 0 to 100", quoted(&LEVELS.map(|(name, _)| name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn a_level_is_a_name_or_a_number() {
        let high = Ok(Level::Named("HIGH".to_owned()));
        assert_eq!(read(&parse_quote!("HIGH")), high);
        assert_eq!(read(&parse_quote!(HIGH)), high);
        assert_eq!(read(&parse_quote!(Priority::HIGH)), high);
        assert_eq!(read(&parse_quote!(100)), Ok(Level::Number(100)));
    }

    #[test]
    fn what_is_no_level_is_told_what_is() {
        assert_eq!(read(&parse_quote!("hihg")), Err("unknown priority `hihg`, did you mean `HIGH`?".to_owned()));
        assert_eq!(read(&parse_quote!(101)), Err("a priority is 0 (first) to 100 (last), got 101".to_owned()));
        assert_eq!(read(&parse_quote!("VERY_LOW")), Err("unknown priority `VERY_LOW`, here it is `LOWER`".to_owned()));
        assert!(read(&parse_quote!("40")).is_err_and(|text| text.contains("write `priority = 40`")));
        assert!(read(&parse_quote!(EARLY)).is_err_and(|text| text.contains("expected one of `HIGHEST`")));
        assert!(read(&parse_quote!(-1)).is_err_and(|text| text.contains("an integer 0 to 100")));
    }
}

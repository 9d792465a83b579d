//! `#[config(default = EXPR, example = EXPR, range = A..=B, exists, resets_state, scheduled)]`.

use crate::args::{self, Form, Key, Value};
use crate::diag::Diag;
use crate::krate::Krate;
use crate::source::{source_of_expr, source_of_type};
use crate::verified::path;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, ExprLit, ExprRange, ExprUnary, GenericArgument, Lit, Meta, PathArguments, RangeLimits, Type, UnOp,
};

/// A field that comes from the experiment file.
pub(crate) struct Config {
    /// `None`: the file has to name it.
    pub(crate) default: Option<DefaultValue>,
    /// What `new` writes when there is no default.
    pub(crate) example: Option<DefaultValue>,
    pub(crate) range: Option<Limits>,
    /// The paths of the field have to be there.
    pub(crate) exists: bool,
    /// In a run that goes on with another value, the state of the struct starts anew: the word, where it is written.
    pub(crate) resets_state: Option<Ident>,
    /// A schedule can change it during a training.
    pub(crate) scheduled: bool,
    /// Whether there is an attribute.
    pub(crate) written: bool,
}

/// The value of a key that a file leaves out.
pub(crate) enum DefaultValue {
    /// The `Default` of the type.
    OfType,
    /// An expression.
    Expr(Expr),
}

/// The bounds of `range = A..=B`.
#[derive(Clone)]
pub(crate) struct Limits {
    range: ExprRange,
}

const KEYS: &[Key] = &[
    Key { name: "default", form: Form::FlagOrExpr, usage: "default = value" },
    Key { name: "example", form: Form::Expr, usage: "example = value" },
    Key { name: "range", form: Form::Expr, usage: "range = 1..=8" },
    Key { name: "exists", form: Form::Flag, usage: "exists" },
    Key { name: "resets_state", form: Form::Flag, usage: "resets_state" },
    Key { name: "scheduled", form: Form::Flag, usage: "scheduled" },
];

impl Config {
    /// Reads the attribute; the field is for its type.
    pub(crate) fn parse(attr: &Attribute, field: &syn::Field, diag: &mut Diag) -> Config {
        let tokens = match &attr.meta {
            Meta::Path(_) => TokenStream::new(),
            Meta::List(list) => list.tokens.clone(),
            Meta::NameValue(pair) => {
                let value = source_of_expr(&pair.value);
                diag.error(&pair.value, format!("a default goes into parentheses: `#[config(default = {value})]`"));
                TokenStream::new()
            }
        };
        let mut args = args::parse("config", tokens, KEYS, diag);
        let mut config = Config { written: true, ..Config::required(field) };
        let mut bare = None;
        match args.take("default") {
            Some((_, Value::Expr(expr))) if is_none_of_another(&expr, &field.ty) => {
                let ty = source_of_type(&field.ty);
                diag.error(
                    expr,
                    format!("a setting that may be missing is an `Option`: make the field an `Option<{ty}>`"),
                );
            }
            Some((_, Value::Expr(expr))) => config.default = Some(DefaultValue::Expr(positive(expr, &field.ty, diag))),
            Some((key, _)) => {
                config.default = Some(DefaultValue::OfType);
                bare = Some(key);
            }
            None => {}
        }
        config.example = args.expr("example").map(DefaultValue::Expr);
        if let (Some(DefaultValue::Expr(example)), Some(_)) = (&config.example, &config.default) {
            diag.error(example, "an `example` is for a setting without a default; remove it");
        }
        config.range = args.expr("range").and_then(|expr| Limits::parse(expr, &field.ty, diag));
        config.exists = args.flag("exists").is_some();
        config.resets_state = args.flag("resets_state");
        config.scheduled = match args.flag("scheduled") {
            Some(key) if config.resets_state.is_some() => {
                diag.error(
                    key,
                    "a setting that a schedule changes can't reset the state; keep `scheduled` or `resets_state`",
                );
                false
            }
            Some(_) if last_name(&field.ty).is_some_and(|name| name == "f64") => true,
            Some(key) => {
                diag.error(key, "a schedule multiplies an `f64`; make the setting one, or leave `scheduled` out");
                false
            }
            None => false,
        };
        let values = [("default", &config.default), ("example", &config.example)];
        for (what, value) in values {
            if let (Some(DefaultValue::Expr(value)), Some(limits)) = (value, &config.range) {
                limits.check_value(what, value, diag);
            }
        }
        if let (Some(key), Some(limits), Some(zero)) = (bare, &config.range, zero(&field.ty))
            && !limits.hold(0.0)
        {
            let (ty, range) = (source_of_type(&field.ty), limits.source());
            let message =
                format!("the `Default` of `{ty}`, `{zero}`, lies outside the range `{range}`; write `default = …`");
            diag.error(key, message);
        }
        config
    }

    /// Without an attribute the key is required; but an `Option` is `None` when a file doesn't name it.
    pub(crate) fn required(field: &syn::Field) -> Config {
        Config {
            default: is_option(&field.ty).then_some(DefaultValue::OfType),
            example: None,
            range: None,
            exists: false,
            resets_state: None,
            scheduled: false,
            written: false,
        }
    }

    /// What the state of its owner has to know of it; `None` when that is nothing.
    pub(crate) fn of_state(&self) -> Option<Config> {
        let (resets_state, scheduled) = (self.resets_state.clone(), self.scheduled);
        (resets_state.is_some() || scheduled).then(|| Config {
            default: None,
            example: None,
            range: self.range.clone(),
            exists: false,
            resets_state,
            scheduled,
            written: true,
        })
    }

    /// Whether the default is a path that somebody wrote.
    pub(crate) fn default_is_path(&self, ty: &Type) -> bool {
        matches!(self.default, Some(DefaultValue::Expr(_))) && holds_paths(ty)
    }

    /// Whether the default is the `Default` of the type.
    pub(crate) fn default_is_of_type(&self) -> bool {
        matches!(self.default, Some(DefaultValue::OfType))
    }

    /// Whether a default is to be looked at once the program is compiled, or runs: it is no literal, and has a range.
    pub(crate) fn default_is_open(&self) -> bool {
        let Some(DefaultValue::Expr(default)) = &self.default else { return false };
        self.range.is_some() && number(default).is_none()
    }

    /// What the compiler can tell of an open default: that a constant lies outside the range of its field, a number.
    pub(crate) fn outside(&self, ty: &Type) -> Option<Outside<'_>> {
        let (Some(DefaultValue::Expr(default)), Some(limits)) = (&self.default, &self.range) else { return None };
        let (start, end) = (limits.range.start.as_deref(), limits.range.end.as_deref());
        let known = is_constant(default) && start.is_none_or(is_constant) && end.is_none_or(is_constant);
        if !known || !self.default_is_open() || zero(ty).is_none() {
            return None;
        }
        let text = format!(
            "default `{}` lies outside its range `{}`, change one of them",
            source_of_expr(default),
            limits.source()
        );
        Some(Outside { default, start, end, closed: limits.is_closed(), text })
    }

    /// What is demanded of the value, for the registry.
    pub(crate) fn demand_source(&self) -> Option<String> {
        let exists = || self.exists.then(|| "exists".to_owned());
        self.range.as_ref().map(Limits::source).or_else(exists)
    }
}

/// A default that is a constant, and the ends of its range.
pub(crate) struct Outside<'a> {
    pub(crate) default: &'a Expr,
    pub(crate) start: Option<&'a Expr>,
    pub(crate) end: Option<&'a Expr>,
    /// Whether the upper end belongs to the range.
    pub(crate) closed: bool,
    /// What to say.
    pub(crate) text: String,
}

impl DefaultValue {
    /// The default as an expression of the field's type.
    pub(crate) fn expand(&self, krate: &Krate, ty: &Type) -> TokenStream {
        match self {
            DefaultValue::OfType => {
                let default = path(krate, ty, "HasDefault", "own_default");
                quote!(#default())
            }
            // `default = "val/loss"` reads better than with a conversion
            DefaultValue::Expr(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if is_owned_text(ty) => {
                quote!(<#ty as ::core::convert::From<&str>>::from(#text))
            }
            DefaultValue::Expr(expr) => expr.to_token_stream(),
        }
    }
}

impl Limits {
    fn parse(expr: Expr, ty: &Type, diag: &mut Diag) -> Option<Limits> {
        let Expr::Range(range) = expr else {
            diag.error(&expr, "a `range` has two ends or one: write `1..=8`, `0.0..1.0`, `1..` or `..=8`");
            return None;
        };
        if range.start.is_none() && range.end.is_none() {
            diag.error(&range, "`..` allows every value; leave `range` out or give it an end");
            return None;
        }
        let limits = Limits { range };
        let ends = [&limits.range.start, &limits.range.end];
        if zero(ty) == Some("0.0")
            && let Some(end) = ends.into_iter().flatten().find(|end| is_whole(end))
        {
            let (ty, number) = (source_of_type(ty), source_of_expr(end));
            diag.error(end, format!("the ends of a range of `{ty}` have a point; write `{number}.0`"));
            return None;
        }
        match limits.ends() {
            (Some(start), Some(end)) if start > end || (start == end && !limits.is_closed()) => {
                diag.error(&limits.range, "no value lies in this range; put the lower end first");
                None
            }
            _ => Some(limits),
        }
    }

    /// `1..=1024`.
    pub(crate) fn source(&self) -> String {
        source_of_expr(&Expr::Range(self.range.clone()))
    }

    /// As it was written.
    pub(crate) fn range(&self) -> &ExprRange {
        &self.range
    }

    fn is_closed(&self) -> bool {
        matches!(self.range.limits, RangeLimits::Closed(_))
    }

    fn ends(&self) -> (Option<f64>, Option<f64>) {
        let number = |end: &Option<Box<Expr>>| end.as_deref().and_then(number);
        (number(&self.range.start), number(&self.range.end))
    }

    /// Whether a number lies within, as far as the ends are literals.
    fn hold(&self, value: f64) -> bool {
        let (start, end) = self.ends();
        let below = start.is_some_and(|start| value < start);
        let above = end.is_some_and(|end| value > end || (value == end && !self.is_closed()));
        !below && !above
    }

    /// Refuses a literal outside the range; `what` it is: a default.
    fn check_value(&self, what: &str, written: &Expr, diag: &mut Diag) {
        let Some(value) = number(written) else { return };
        if !self.hold(value) {
            let (value, range) = (source_of_expr(written), self.source());
            diag.error(written, format!("{what} `{value}` lies outside its range `{range}`, change one of them"));
        }
    }
}

/// The number of a literal, with its sign.
fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number(expr).map(|number| -number),
        Expr::Paren(paren) => number(&paren.expr),
        Expr::Group(group) => number(&group.expr),
        _ => None,
    }
}

/// Whether a number is written without a point, an exponent and a type.
fn is_whole(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.suffix().is_empty(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => is_whole(expr),
        _ => false,
    }
}

/// Whether an expression can only be a constant: paths to one, and literals.
fn is_constant(expr: &Expr) -> bool {
    match expr {
        // a text as the default of a number is of the wrong type, and the field's own check says so
        Expr::Lit(literal) => !matches!(literal.lit, Lit::Str(_) | Lit::ByteStr(_) | Lit::CStr(_)),
        // `Self` is another type where it is asked
        Expr::Path(path) => path.path.segments.first().is_some_and(|first| first.ident != "Self"),
        Expr::Unary(unary) => is_constant(&unary.expr),
        Expr::Paren(paren) => is_constant(&paren.expr),
        Expr::Group(group) => is_constant(&group.expr),
        Expr::Cast(cast) => is_constant(&cast.expr),
        Expr::Binary(binary) => is_constant(&binary.left) && is_constant(&binary.right),
        _ => false,
    }
}

/// Refuses `-1` of an unsigned number, and gives back what causes no further error.
fn positive(default: Expr, ty: &Type, diag: &mut Diag) -> Expr {
    let is_unsigned = last_name(ty)
        .is_some_and(|name| ["u8", "u16", "u32", "u64", "u128", "usize"].iter().any(|known| name == known));
    if !is_unsigned || number(&default).is_none_or(|number| number >= 0.0) {
        return default;
    }
    let ty = source_of_type(ty);
    diag.error(
        default,
        format!("a `{ty}` is never negative; write a number from 0 on, or give the field the type `i64`"),
    );
    syn::parse_quote!(::core::unreachable!())
}

/// What the `Default` of a number is, as it is written.
fn zero(ty: &Type) -> Option<&'static str> {
    let name = last_name(ty)?.to_string();
    match name.as_str() {
        "f32" | "f64" => Some("0.0"),
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => Some("0"),
        _ => None,
    }
}

pub(crate) fn is_option(ty: &Type) -> bool {
    last_name(ty).is_some_and(|name| name == "Option")
}

fn is_owned_text(ty: &Type) -> bool {
    last_name(ty).is_some_and(|name| ["String", "PathBuf", "MetricName"].iter().any(|text| name == text))
}

/// `PathBuf`, and `Option` and `Vec` of it.
fn holds_paths(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last().filter(|_| path.qself.is_none()) else { return false };
    match &last.arguments {
        PathArguments::None => last.ident == "PathBuf",
        PathArguments::AngleBracketed(arguments) if last.ident == "Option" || last.ident == "Vec" => {
            matches!(arguments.args.first(), Some(GenericArgument::Type(inner)) if holds_paths(inner))
        }
        _ => false,
    }
}

fn last_name(ty: &Type) -> Option<&syn::Ident> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

/// `None` for a type that is no `Option` under any name.
fn is_none_of_another(expr: &Expr, ty: &Type) -> bool {
    const PLAIN: [&str; 17] = [
        "bool",
        "f32",
        "f64",
        "i8",
        "i16",
        "i32",
        "i64",
        "isize",
        "u8",
        "u16",
        "u32",
        "u64",
        "usize",
        "String",
        "PathBuf",
        "MetricName",
        "Vec",
    ];
    let is_none = matches!(expr, Expr::Path(path) if path.path.is_ident("None"));
    is_none && last_name(ty).is_some_and(|name| PLAIN.iter().any(|plain| name == plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn read(field: syn::Field) -> (Config, Vec<String>) {
        let mut diag = Diag::new();
        let config = Config::parse(&field.attrs[0], &field, &mut diag);
        (config, diag.into_messages())
    }

    #[test]
    fn a_default_outside_its_range_is_refused() {
        for (field, fits) in [
            (parse_quote! { #[config(default = 0, range = 1..=8)] x: i64 }, false),
            (parse_quote! { #[config(default = 8, range = 1..8)] x: i64 }, false),
            (parse_quote! { #[config(default = 8, range = 1..=8)] x: i64 }, true),
            (parse_quote! { #[config(default = -0.5, range = -1.0..)] x: f64 }, true),
            (parse_quote! { #[config(default = -1.5, range = -1.0..)] x: f64 }, false),
            (parse_quote! { #[config(default = WIDTH, range = 1..=8)] x: i64 }, true),
            (parse_quote! { #[config(default, range = 1..)] x: u64 }, false),
            (parse_quote! { #[config(default, range = 0.0..)] x: f64 }, true),
            (parse_quote! { #[config(default, range = -1.0..0.0)] x: f32 }, false),
            (parse_quote! { #[config(default, range = 1..)] x: Option<u64> }, true),
            (parse_quote! { #[config(default, range = 1..)] x: Vec<u64> }, true),
        ] {
            let (config, errors) = read(field);
            assert!(config.default.is_some() && config.range.is_some());
            assert_eq!(errors.is_empty(), fits, "{errors:?}");
        }
    }

    #[test]
    fn a_range_that_holds_nothing_is_refused() {
        for field in [
            parse_quote! { #[config(range = 8..=1)] x: i64 },
            parse_quote! { #[config(range = 8..8)] x: i64 },
            parse_quote! { #[config(range = ..)] x: i64 },
            parse_quote! { #[config(range = 8)] x: i64 },
        ] {
            assert_eq!(read(field).1.len(), 1);
        }
    }

    #[test]
    fn the_ends_of_a_range_of_floats_have_a_point() {
        let (config, errors) = read(parse_quote! { #[config(range = 0..1.0)] x: f64 });
        assert!(config.range.is_none());
        assert_eq!(errors, ["the ends of a range of `f64` have a point; write `0.0`"]);
        let (_, errors) = read(parse_quote! { #[config(range = ..=-1)] x: f32 });
        assert_eq!(errors, ["the ends of a range of `f32` have a point; write `-1.0`"]);
    }

    #[test]
    fn an_option_need_not_be_named() {
        let (config, _) = read(parse_quote! { #[config] x: Option<i64> });
        assert!(matches!(config.default, Some(DefaultValue::OfType)));
        let (config, _) = read(parse_quote! { #[config] x: i64 });
        assert!(config.default.is_none());
    }
}

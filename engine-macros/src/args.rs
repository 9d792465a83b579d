//! The one parser of attribute arguments: `flag`, `key = value`, separated by commas.
//!
//! It never gives up: what is wrong is reported and skipped up to the next comma, so that one bad argument
//! leaves the others in force.

use crate::diag::Diag;
use crate::elsewhere;
use crate::groups::{bare_expr, bare_type};
use crate::suggest::{meant_or_list, quoted};
use crate::words::is_reserved;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, ExprLit, Lit, LitStr, Path, Token, Type, parse_quote, token};

/// An argument that an attribute takes.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// How it is written, for messages: `priority = "HIGH"`.
    pub(crate) usage: &'static str,
}

/// What may follow a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing.
    Flag,
    /// `= expression`.
    Expr,
    /// Nothing or `= expression`.
    FlagOrExpr,
    /// Nothing or `= Type`.
    FlagOrType,
    /// `= path`.
    Path,
}

/// An argument as it was written.
pub(crate) enum Value {
    Flag,
    Expr(Expr),
    Type(Type),
    Path(Path),
}

/// The arguments of one attribute: known keys only, each at most once.
pub(crate) struct Args {
    found: Vec<(Ident, Value)>,
}

/// The argument every macro takes.
pub(crate) const CRATE: Key = Key { name: "crate", form: Form::Path, usage: "crate = path" };

/// The argument that names the component in experiment files.
pub(crate) const NAME: Key = Key { name: "name", form: Form::Expr, usage: "name = \"…\"" };

/// Reads the arguments of the attribute, or of the macro when its name ends in `!`; mistakes go to `diag`.
pub(crate) fn parse(attribute: &str, tokens: TokenStream, keys: &[Key], diag: &mut Diag) -> Args {
    read(attribute, tokens, keys, None, diag)
}

/// As [`parse`], for an attribute that takes names too: words alone that are no keys.
pub(crate) fn parse_with_names(
    attribute: &str,
    tokens: TokenStream,
    keys: &[Key],
    diag: &mut Diag,
) -> (Vec<Ident>, Args) {
    let mut names = Vec::new();
    let args = read(attribute, tokens, keys, Some(&mut names), diag);
    (names, args)
}

fn read(
    attribute: &str,
    tokens: TokenStream,
    keys: &[Key],
    mut names: Option<&mut Vec<Ident>>,
    diag: &mut Diag,
) -> Args {
    let mut args = Args { found: Vec::new() };
    let mut told: Vec<String> = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Some(names) = names.as_deref_mut()
                && let Some(name) = name_alone(input, keys)?
            {
                names.push(name);
                if let Ok(next) = input.fork().call(Ident::parse_any) {
                    diag.error_at(input.span(), format!("expected `,` before `{next}`"));
                    continue;
                }
            } else if let Some(names) = names.as_deref_mut()
                && let Some(name) = name_in_quotes(input)?
            {
                diag.error(&name, format!("write `{name}` without quotes: it is the name of a field"));
                names.push(name);
            } else if let Err(error) = parse_one(attribute, input, keys, &mut args) {
                // `min = 0, max = 1` is one mistake
                if !told.contains(&error.to_string()) {
                    told.push(error.to_string());
                    diag.add(error);
                }
                skip_to_comma(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        diag.add(error);
    }
    args
}

impl Args {
    /// Takes a key without a value; gives it back for its span.
    pub(crate) fn flag(&mut self, name: &str) -> Option<Ident> {
        self.take(name).map(|(key, _)| key)
    }

    /// Takes the value of a key of [`Form::Expr`].
    pub(crate) fn expr(&mut self, name: &str) -> Option<Expr> {
        match self.take(name)?.1 {
            Value::Expr(expr) => Some(expr),
            _ => None,
        }
    }

    /// Takes the value of a key of [`Form::Path`].
    pub(crate) fn path(&mut self, name: &str) -> Option<Path> {
        match self.take(name)?.1 {
            Value::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Takes the name in experiment files: `name = "…"`, else `short`, which the name of the struct gives.
    pub(crate) fn name_or(&mut self, short: &str, ident: &Ident, diag: &mut Diag) -> String {
        let given = self.name(diag);
        let name = given.as_ref().map_or_else(|| short.to_owned(), LitStr::value);
        if is_reserved(&name) {
            let problem = format!("`{name}` is a word of experiment files and can't be a name in them");
            match given {
                Some(given) => diag.error(given, format!("{problem}; take another one")),
                None => {
                    diag.error(ident, format!("{problem}; write `name = \"…\"` in the attribute, or rename the struct"))
                }
            }
        }
        name
    }

    /// Takes `name = "…"`, which has to be a name that an experiment file can hold.
    pub(crate) fn name(&mut self, diag: &mut Diag) -> Option<LitStr> {
        let expr = self.expr("name")?;
        let Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) = &expr else {
            diag.error(&expr, "a name is a string: write `name = \"…\"`");
            return None;
        };
        let text = name.value();
        let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if text.is_empty() || !fits || text.starts_with(|c: char| c.is_ascii_digit()) {
            diag.error(
                name,
                format!("`{text}` can't be a name in an experiment file; use letters, digits and `_`, a letter first"),
            );
            return None;
        }
        Some(name.clone())
    }

    /// Takes a key with its value.
    pub(crate) fn take(&mut self, name: &str) -> Option<(Ident, Value)> {
        let at = self.found.iter().position(|(key, _)| key == name)?;
        Some(self.found.remove(at))
    }
}

/// What takes the arguments, in a message.
fn owner(attribute: &str) -> String {
    match attribute.ends_with('!') {
        true => format!("`{attribute}`"),
        false => format!("the `{attribute}` attribute"),
    }
}

fn parse_one(attribute: &str, input: ParseStream<'_>, keys: &[Key], args: &mut Args) -> syn::Result<()> {
    if !input.peek(syn::Ident::peek_any) {
        let token: TokenTree = input.parse()?;
        let text = syn::parse_str::<LitStr>(&token.to_string()).map(|text| text.value()).unwrap_or_default();
        if let Some(key) = keys.iter().find(|key| key.form == Form::Flag && key.name == text) {
            args.found.push((Ident::new(key.name, token.span()), Value::Flag));
            let message = format!("`{text}` is a word and not a text; write `{text}` without quotes");
            return Err(syn::Error::new(token.span(), message));
        }
        let message = format!("unexpected `{token}`, {} takes {}", owner(attribute), usages(keys));
        return Err(syn::Error::new(token.span(), message));
    }
    let written = input.call(Ident::parse_any)?;
    let name = written.to_string();
    let Some(key) = keys.iter().find(|key| key.name == name) else {
        let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
        let message = match (keys, elsewhere::argument(attribute, &name)) {
            (_, Some(sentence)) => sentence.to_owned(),
            ([], None) => format!("{} takes no arguments", owner(attribute)),
            _ => {
                format!("unknown argument `{name}` of {}{}", owner(attribute), meant_or_list(&name, &names))
            }
        };
        return Err(syn::Error::new(written.span(), message));
    };
    let value = match parse_value(attribute, &written, key, input) {
        Ok(value) => value,
        Err(error) => {
            args.found.extend(unknown(key).map(|value| (written, value)));
            return Err(error);
        }
    };
    if args.found.iter().any(|(known, _)| *known == written) {
        return Err(syn::Error::new(written.span(), format!("`{name}` is given twice, keep one of them")));
    }
    if !input.is_empty() && !input.peek(Token![,]) {
        args.found.push((written, unknown(key).unwrap_or(value)));
        return Err(match input.fork().call(Ident::parse_any) {
            Ok(next) => input.error(format!("expected `,` before `{next}`")),
            Err(_) => input.error(format!("unexpected token after `{name}`; write `{}`", key.usage)),
        });
    }
    args.found.push((written, value));
    Ok(())
}

/// An expression of any type, used instead of a value that can't be read. It causes no further error.
fn unknown(key: &Key) -> Option<Value> {
    (key.form == Form::FlagOrExpr).then(|| Value::Expr(parse_quote!(::core::unreachable!())))
}

/// A word with nothing behind it that is no key.
fn name_alone(input: ParseStream<'_>, keys: &[Key]) -> syn::Result<Option<Ident>> {
    let ahead = input.fork();
    let Ok(name) = ahead.call(Ident::parse_any) else { return Ok(None) };
    // before another word, only the comma is missing
    let alone = ahead.is_empty() || ahead.peek(Token![,]) || ahead.peek(syn::Ident::peek_any);
    if !alone || keys.iter().any(|key| name == key.name) {
        return Ok(None);
    }
    input.call(Ident::parse_any).map(Some)
}

/// `"opt_c"` with nothing behind it, as the name that it holds.
fn name_in_quotes(input: ParseStream<'_>) -> syn::Result<Option<Ident>> {
    let ahead = input.fork();
    let Ok(text) = ahead.parse::<LitStr>() else { return Ok(None) };
    let name = text.parse::<Ident>().ok().filter(|_| ahead.is_empty() || ahead.peek(Token![,]));
    if name.is_some() {
        input.parse::<LitStr>()?;
    }
    Ok(name.map(|name| Ident::new(&name.to_string(), text.span())))
}

fn parse_value(attribute: &str, written: &Ident, key: &Key, input: ParseStream<'_>) -> syn::Result<Value> {
    let name = key.name;
    if input.peek(Token![=]) {
        let equals: Token![=] = input.parse()?;
        if key.form == Form::Flag {
            return Err(syn::Error::new(equals.span, format!("`{name}` takes no value, write `{name}` alone")));
        }
        // after the last token there is nothing to point at, so the error points at the whole attribute
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(equals.span, format!("`{name}` needs a value, write `{}`", key.usage)));
        }
        let at = input.span();
        let is_code = matches!(key.form, Form::FlagOrType | Form::Path);
        let text = input.fork().parse::<LitStr>().ok().filter(|_| is_code);
        let value = match key.form {
            Form::Flag => Ok(Value::Flag),
            Form::Expr | Form::FlagOrExpr => Expr::parse(input).map(|expr| Value::Expr(bare_expr(expr))),
            Form::FlagOrType => Type::parse(input).map(|ty| Value::Type(bare_type(ty))),
            Form::Path => path(input).map(Value::Path),
        };
        return value.map_err(|_| {
            let hint = elsewhere::value(attribute, name).unwrap_or_default();
            let message = match &text {
                Some(text) if key.form == Form::Path => {
                    format!("`{name}` takes no quotes; write `{name} = {}`", text.value())
                }
                Some(text) => format!("`{name}` is a type and not a text; write `{name} = {}`", text.value()),
                None => format!("this can't be a `{name}`; write `{}`{hint}", key.usage),
            };
            syn::Error::new(at, message)
        });
    }
    if input.peek(token::Paren) {
        return Err(input.error(format!("unexpected parentheses; write `{}`", key.usage)));
    }
    match key.form {
        Form::Flag | Form::FlagOrExpr | Form::FlagOrType => Ok(Value::Flag),
        _ => Err(syn::Error::new(written.span(), format!("`{name}` needs a value, write `{}`", key.usage))),
    }
}

/// A path, also one that a `macro_rules!` hands on.
fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    let at = input.span();
    match bare_type(Type::parse(input)?) {
        Type::Path(path) if path.qself.is_none() => Ok(path.path),
        _ => Err(syn::Error::new(at, "expected a path")),
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn usages(keys: &[Key]) -> String {
    match keys {
        [] => "no arguments".to_owned(),
        _ => quoted(&keys.iter().map(|key| key.usage).collect::<Vec<_>>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    const KEYS: &[Key] = &[
        Key { name: "by_epoch", form: Form::Flag, usage: "by_epoch" },
        Key { name: "priority", form: Form::Expr, usage: "priority = \"HIGH\"" },
        Key { name: "model", form: Form::FlagOrType, usage: "model = Cnn" },
        CRATE,
    ];

    fn read(tokens: TokenStream) -> (Args, Vec<String>) {
        let mut diag = Diag::new();
        let args = parse("test", tokens, KEYS, &mut diag);
        (args, diag.into_messages())
    }

    #[test]
    fn every_form_is_read() {
        let (mut args, errors) = read(quote!(by_epoch, priority = "HIGH", model = Cnn<A, B>, crate = ::some::krate,));
        assert!(errors.is_empty(), "{errors:?}");
        assert!(args.flag("by_epoch").is_some());
        assert!(matches!(args.expr("priority"), Some(Expr::Lit(_))));
        assert!(matches!(args.take("model"), Some((_, Value::Type(_)))));
        assert_eq!(args.path("crate").map(|path| path.segments.len()), Some(2));
    }

    #[test]
    fn a_bad_argument_leaves_the_others_in_force() {
        let (mut args, errors) = read(quote!(by_epoch = 3, pririty = 1, "x", crate, priority = 5));
        assert_eq!(
            errors,
            [
                "`by_epoch` takes no value, write `by_epoch` alone",
                "unknown argument `pririty` of the `test` attribute, did you mean `priority`?",
                "unexpected `\"x\"`, the `test` attribute takes `by_epoch`, `priority = \"HIGH\"`, `model = Cnn`, `crate = path`",
                "`crate` needs a value, write `crate = path`",
            ]
        );
        assert!(args.expr("priority").is_some());
    }

    #[test]
    fn names_stand_beside_keys() {
        let mut diag = Diag::new();
        let (names, mut args) =
            parse_with_names("test", quote!(opt_c, priority = 3, opt_g, by_epoch, modle = 4), KEYS, &mut diag);
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["opt_c", "opt_g"]);
        assert!(args.expr("priority").is_some() && args.flag("by_epoch").is_some());
        let messages = diag.into_messages();
        assert_eq!(messages, ["unknown argument `modle` of the `test` attribute, did you mean `model`?"]);
    }

    #[test]
    fn behind_a_name_the_missing_comma_is_told() {
        let mut diag = Diag::new();
        let (names, mut args) = parse_with_names("test", quote!(opt_c priority = 3), KEYS, &mut diag);
        assert!(names.len() == 1 && args.expr("priority").is_some());
        assert_eq!(diag.into_messages(), ["expected `,` before `priority`"]);
    }

    #[test]
    fn the_second_of_a_kind_and_the_missing_comma_are_told() {
        let (_, errors) = read(quote!(by_epoch, by_epoch));
        assert_eq!(errors, ["`by_epoch` is given twice, keep one of them"]);
        let (_, errors) = read(quote!(by_epoch priority = 3));
        assert_eq!(errors, ["expected `,` before `priority`"]);
    }
}

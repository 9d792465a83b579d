//! Which role a field has.

use crate::diag::Diag;
use crate::elsewhere;
use crate::fields::owner::OwnerKind;
use crate::fields::table::{ROLES, roles_of};
use crate::groups::bare_type;
use crate::source::source_of_type;
use crate::suggest::{did_you_mean, quoted};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Lifetime, Type};

/// Attributes of the language and of its tools; they are never a misspelt role.
const NO_ROLES: &[&str] =
    &["doc", "cfg", "cfg_attr", "allow", "warn", "deny", "forbid", "expect", "deprecated", "serde", "must_use"];

impl OwnerKind {
    fn word(self) -> &'static str {
        match self {
            OwnerKind::Hook => "hook",
            OwnerKind::Metric => "metric",
            OwnerKind::Sink => "sink",
            OwnerKind::Component => "component",
            OwnerKind::Trainer => "trainer",
        }
    }

    /// The names of the roles that its fields can have.
    pub(crate) fn roles(self) -> Vec<&'static str> {
        roles_of(self).map(|role| role.name).collect()
    }

    /// How its roles are written: "`#[config]`, `#[state]` or `#[transient]`".
    fn usages(self) -> String {
        let usages: Vec<String> = roles_of(self).map(|role| format!("`{}`", role.usage)).collect();
        match &usages[..] {
            [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            _ => usages.concat(),
        }
    }

    fn without_role(self, field: &Ident) -> Option<String> {
        match self {
            OwnerKind::Hook | OwnerKind::Metric | OwnerKind::Sink => Some(format!(
                "field `{field}` of a {} is neither configured, saved nor transient; mark it {}",
                self.word(),
                self.usages()
            )),
            OwnerKind::Trainer => Some(format!("field `{field}` of a trainer has no role; mark it {}", self.usages())),
            OwnerKind::Component => None,
        }
    }

    /// Why a role of others is none here.
    fn foreign_role(self, role: &str) -> String {
        match (self, role) {
            (OwnerKind::Component, "state" | "transient") => format!(
                "a component is settings only; `#[{role}]` belongs in a struct under `#[hook]`, `#[component(metric)]` or `#[component(sink)]`"
            ),
            (OwnerKind::Component, _) => {
                format!("`#[{role}]` is a role of a trainer's fields; a field of a component can be `#[config(…)]`")
            }
            _ => format!(
                "`#[{role}]` is a role of a trainer's fields; mark a field of a {} {}",
                self.word(),
                self.usages()
            ),
        }
    }
}

/// What was found on a field.
pub(crate) enum Taken {
    /// One role, with its attribute.
    Role { name: &'static str, attr: Box<Attribute> },
    /// None, or a wrong one; where a role is needed, the error is reported.
    Unknown,
    /// The field can have no role; the error is reported.
    Refused,
}

/// Takes the role's attribute off the field; what is wrong with it goes to `diag`.
pub(crate) fn take_role(field: &mut syn::Field, owner: OwnerKind, diag: &mut Diag) -> Taken {
    field.ty = bare_type(field.ty.clone());
    if owner != OwnerKind::Component && refuse_serde(field, diag) {
        return Taken::Refused;
    }
    let taken = find_role(field, owner, diag);
    match with_lifetimes(&field.ty) {
        None => taken,
        Some(complete) => {
            let owned = owned(&field.ty).unwrap_or_else(|| "`String` for a text".to_owned());
            diag.error(&field.ty, format!("a field owns its value; write {owned}"));
            field.ty = complete;
            Taken::Refused
        }
    }
}

/// `Mlp` of `&Mlp`; of a borrowed text, nothing.
fn owned(ty: &Type) -> Option<String> {
    let Type::Reference(reference) = ty else { return None };
    match reference.elem.as_ref() {
        Type::Path(path) if !path.path.is_ident("str") => Some(format!("`{}`", source_of_type(&reference.elem))),
        _ => None,
    }
}

/// Takes `#[serde(…)]` off a field that serde does not read, and reports it. Whether the field has no role besides.
fn refuse_serde(field: &mut syn::Field, diag: &mut Diag) -> bool {
    let found: Vec<Attribute> = field.attrs.extract_if(.., |attr| attr.path().is_ident("serde")).collect();
    let Some(first) = found.first() else { return false };
    diag.error(
        first.path(),
        "`#[serde(…)]` says nothing here; a setting is `#[config]`, with `default`, `range` or `example` in parentheses",
    );
    !field.attrs.iter().any(|attr| ROLES.iter().any(|role| attr.path().is_ident(role.name)))
}

/// `&str` as `&'static str`, for which the compiler has nothing to say; `None` when no lifetime is missing.
///
/// What stands in parentheses may be the parameters of a function, and needs none.
fn with_lifetimes(ty: &Type) -> Option<Type> {
    let is = |token: &TokenTree, sign: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign);
    let (mut complete, mut missing) = (TokenStream::new(), false);
    let mut tokens = ty.to_token_stream().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let lacks = is(&token, '&') && tokens.peek().is_some_and(|next| !is(next, '\''));
        token.to_tokens(&mut complete);
        if lacks {
            Lifetime::new("'static", Span::call_site()).to_tokens(&mut complete);
            missing = true;
        }
    }
    if missing { syn::parse2(complete).ok() } else { None }
}

fn find_role(field: &mut syn::Field, owner: OwnerKind, diag: &mut Diag) -> Taken {
    let Some(ident) = field.ident.clone() else { return Taken::Unknown };
    let mut found: Option<(&'static str, Attribute)> = None;
    let mut wrong = false;
    field.attrs.retain(|attr| {
        let Some(name) = attr.path().get_ident().map(ToString::to_string) else { return true };
        let known = ROLES.iter().map(|role| role.name).find(|role| *role == name);
        let role = match known {
            Some(role) => role,
            None if NO_ROLES.contains(&name.as_str()) => return true,
            None => match elsewhere::role(&name) {
                Some(here) if owner.roles().contains(&here) => {
                    diag.error(attr.path(), format!("unknown role `{name}`, here it is `{here}`"));
                    here
                }
                _ => match did_you_mean(&name, &owner.roles()) {
                    Some(meant) => {
                        diag.error(attr.path(), format!("unknown role `{name}`, did you mean `{meant}`?"));
                        meant
                    }
                    // perhaps a helper of a derive; the compiler knows
                    None => return true,
                },
            },
        };
        if !owner.roles().contains(&role) {
            diag.error(attr.path(), owner.foreign_role(role));
            wrong = true;
        } else if let Some((first, _)) = &found {
            let message = match *first == role {
                true => format!("field `{ident}` is marked `#[{role}]` twice, keep one of them"),
                false => format!("field `{ident}` is `#[{first}]` already; a field has one role"),
            };
            diag.error(attr.path(), message);
        } else {
            found = Some((role, attr.clone()));
        }
        false
    });
    match found {
        Some((name, attr)) => return Taken::Role { name, attr: Box::new(attr) },
        None if wrong => return Taken::Refused,
        None => no_role(field, &ident, owner, diag),
    }
    Taken::Unknown
}

/// Reports a field without a role: at an attribute that can only be meant as one, else at its name.
fn no_role(field: &mut syn::Field, ident: &Ident, owner: OwnerKind, diag: &mut Diag) {
    let Some(message) = owner.without_role(ident) else { return };
    let stranger = field
        .attrs
        .iter()
        .position(|attr| attr.path().get_ident().is_some_and(|name| !NO_ROLES.iter().any(|known| name == known)));
    match stranger {
        Some(at) => {
            let attr = field.attrs.remove(at);
            let name = attr.path().get_ident().map(ToString::to_string).unwrap_or_default();
            let known = quoted(&owner.roles());
            diag.error_at(attr.path().span(), format!("unknown role `{name}`, expected one of {known}"));
        }
        None => diag.error(ident, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn take(mut field: syn::Field, owner: OwnerKind) -> (Option<&'static str>, usize, Vec<String>) {
        let mut diag = Diag::new();
        let name = match take_role(&mut field, owner, &mut diag) {
            Taken::Role { name, .. } => Some(name),
            Taken::Unknown | Taken::Refused => None,
        };
        (name, field.attrs.len(), diag.into_messages())
    }

    #[test]
    fn the_role_is_taken_off_and_other_attributes_stay() {
        let (name, left, errors) =
            take(parse_quote! { #[doc = " text"] #[state] #[cfg(test)] seen: u64 }, OwnerKind::Hook);
        assert_eq!((name, left, errors), (Some("state"), 2, vec![]));
    }

    #[test]
    fn a_misspelt_role_counts_as_the_one_that_was_meant() {
        let (name, left, errors) = take(parse_quote! { #[optimiser] opt: O }, OwnerKind::Trainer);
        assert_eq!((name, left), (Some("optimizer"), 0));
        assert_eq!(errors, ["unknown role `optimiser`, did you mean `optimizer`?"]);
    }

    #[test]
    fn a_word_of_another_engine_counts_as_the_role_here() {
        let (name, _, errors) = take(parse_quote! { #[callback] ema: Ema }, OwnerKind::Trainer);
        assert_eq!(name, Some("hook"));
        assert_eq!(errors, ["unknown role `callback`, here it is `hook`"]);
    }

    #[test]
    fn one_mistake_gives_one_error() {
        for field in [
            parse_quote! { seen: u64 },
            parse_quote! { #[frozen] seen: u64 },
            parse_quote! { #[optimizer] seen: u64 },
            parse_quote! { #[state] #[transient] seen: u64 },
            parse_quote! { #[state] #[state] seen: u64 },
        ] {
            let (_, left, errors) = take(field, OwnerKind::Hook);
            assert_eq!((left, errors.len()), (0, 1), "{errors:?}");
        }
    }
}

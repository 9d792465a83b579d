//! The roles of fields: `#[config(…)]`, `#[state]`, `#[transient]`, and those of a trainer.
//!
//! Reading a role takes its attribute off the field. A wrong one is reported once, and the field goes on with
//! the role that was meant, so that no second error follows from the first.

mod config;
mod owner;
mod roles;
mod table;

pub(crate) use config::{Config, Outside, is_option};
pub(crate) use owner::OwnerKind;
pub(crate) use roles::{Taken, take_role};
pub(crate) use table::{PartInfo, ROLES, Section, part_of};

use crate::diag::Diag;
use proc_macro2::TokenTree;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, GenericArgument, Ident, Lit, Meta, PathArguments, Type};

/// A field of a hook, a metric or a component.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// `#[cfg(…)]`, repeated wherever the field is named.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) docs: String,
    pub(crate) role: Role,
}

/// What a field is for.
pub(crate) enum Role {
    /// From the experiment file.
    Config(Box<Config>),
    /// Saved in checkpoints; `per_rank`: of each rank of a group.
    State { per_rank: bool },
    /// Rebuilt, never saved.
    Transient,
    /// Configured, and read as its author tells serde; `skipped`: not at all.
    BySerde { skipped: bool },
    /// Its role is wrong; the error is reported.
    Unknown,
}

impl Field {
    /// Takes the role off a field of a hook or a metric.
    pub(crate) fn with_role(field: &mut syn::Field, owner: OwnerKind, diag: &mut Diag) -> Option<Field> {
        let role = match take_role(field, owner, diag) {
            Taken::Unknown | Taken::Refused => Role::Unknown,
            Taken::Role { name: "config", attr } => Role::Config(Box::new(Config::parse(&attr, field, diag))),
            Taken::Role { name: "state", attr } => Role::State { per_rank: per_rank(&attr, owner, diag) },
            Taken::Role { name, attr } => {
                no_arguments(&attr, name, diag);
                Role::Transient
            }
        };
        Field::new(field, role, diag)
    }

    /// A field that does not parse, of which the compiler has told.
    pub(crate) fn unfinished(field: &mut syn::Field) -> Option<Field> {
        field.attrs.retain(|attr| attr.path().is_ident("doc"));
        Some(Field {
            ident: field.ident.clone()?,
            ty: field.ty.clone(),
            cfgs: Vec::new(),
            docs: String::new(),
            role: Role::Unknown,
        })
    }

    /// A field that needs no attribute: it is configured.
    pub(crate) fn of_component(field: &mut syn::Field, diag: &mut Diag) -> Option<Field> {
        let role = match take_role(field, OwnerKind::Component, diag) {
            Taken::Role { attr, .. } => {
                let config = Config::parse(&attr, field, diag);
                if let Some(word) = &config.resets_state {
                    diag.error(
                        word,
                        "a component keeps no state to reset; `resets_state` belongs in a struct with `#[state]` fields: a hook, a metric, a sink or the trainer",
                    );
                }
                if config.scheduled {
                    diag.error(
                        attr,
                        "a component is read once; `scheduled` belongs on a setting of a hook, a metric or the trainer",
                    );
                }
                Role::Config(Box::new(config))
            }
            Taken::Unknown => Role::Config(Box::new(Config::required(field))),
            Taken::Refused => Role::Unknown,
        };
        Field::new(field, role, diag)
    }

    /// `None` for a field without a name.
    pub(crate) fn new(field: &syn::Field, role: Role, diag: &mut Diag) -> Option<Field> {
        let role = match role {
            Role::Config(_) if borrows(&field.ty) => {
                diag.error(
                    &field.ty,
                    "a setting owns its value, no experiment file can lend it; write `String` for a text",
                );
                Role::Unknown
            }
            Role::Config(_) => match no_setting(&field.ty) {
                Some(message) => {
                    diag.error(&field.ty, message);
                    Role::Unknown
                }
                None => role,
            },
            role => role,
        };
        Some(Field {
            ident: field.ident.clone()?,
            ty: field.ty.clone(),
            cfgs: field.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect(),
            docs: docs(&field.attrs),
            role,
        })
    }

    /// The key in experiment files and checkpoints.
    pub(crate) fn key(&self) -> String {
        self.ident.unraw().to_string()
    }

    pub(crate) fn config(&self) -> Option<&Config> {
        match &self.role {
            Role::Config(config) => Some(config),
            _ => None,
        }
    }
}

/// What to write instead of a type of libtorch's that a file can't hold, also within `Option<Tensor>`.
fn no_setting(ty: &Type) -> Option<&'static str> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => no_setting(ty),
            _ => None,
        }),
        _ => None,
    };
    match last.ident.to_string().as_str() {
        "Tensor" => {
            Some("an experiment file holds no tensor; write numbers, `Vec<f64>`, or the path of a file, `PathBuf`")
        }
        "Device" => Some(
            "the device is a setting of the whole experiment, `device: …`; steps and hooks read it with `cx.device()`",
        ),
        _ => inner,
    }
}

/// Whether a field has one of these names.
pub(crate) fn is_one_of(names: &[Ident], field: &syn::Field) -> bool {
    field.ident.as_ref().is_some_and(|ident| names.contains(ident))
}

/// `&'static str`, also within `Option<&'static str>`; functions in parentheses may borrow.
pub(crate) fn borrows(ty: &Type) -> bool {
    ty.to_token_stream().into_iter().any(|token| matches!(token, TokenTree::Punct(sign) if sign.as_char() == '&'))
}

/// Refuses `resets_state` where there is no state, which would do nothing.
pub(crate) fn refuse_reset_of_nothing<'a>(fields: impl Iterator<Item = &'a Field> + Clone, diag: &mut Diag) {
    let may_have_state = |field: &Field| matches!(field.role, Role::State { .. } | Role::Unknown);
    if fields.clone().any(may_have_state) {
        return;
    }
    for word in fields.filter_map(|field| field.config()?.resets_state.as_ref()) {
        diag.error(
            word,
            "there is no state to reset; mark the fields that depend on this setting `#[state]`, or leave `resets_state` out",
        );
    }
}

/// Whether it is `#[state(per_rank)]`.
pub(crate) fn per_rank(attr: &Attribute, owner: OwnerKind, diag: &mut Diag) -> bool {
    let argument = match &attr.meta {
        Meta::List(list) if list.tokens.to_string() == "per_rank" => &list.tokens,
        _ => {
            no_arguments(attr, "state", diag);
            return false;
        }
    };
    let fits = matches!(owner, OwnerKind::Hook | OwnerKind::Trainer);
    if !fits {
        diag.error(
            argument,
            "`per_rank` is for the state of hooks and trainers: states of metrics are joined, and sinks write on rank 0 alone",
        );
    }
    fits
}

/// Reports arguments of an attribute that takes none.
pub(crate) fn no_arguments(attr: &Attribute, role: &str, diag: &mut Diag) {
    let arguments = match &attr.meta {
        Meta::Path(_) => return,
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(pair) => pair.value.to_token_stream(),
    };
    let why = match role {
        "state" | "transient" => "; the field starts from the `Default` of its type",
        "model" | "metric" | "hook" | "scheduler" => "; write its settings into the experiment file",
        _ => "",
    };
    let at = if arguments.is_empty() { attr.path().to_token_stream() } else { arguments };
    let but = if role == "state" { "argument but `per_rank`" } else { "arguments" };
    diag.error(at, format!("`#[{role}]` takes no {but}{why}"));
}

/// The lines of `///` comments, without the space after the slashes and without code blocks: they are shown on the
/// command line, where an example in Rust would only be in the way.
pub(crate) fn docs(attrs: &[Attribute]) -> String {
    let line = |attr: &Attribute| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                let text = text.value();
                Some(text.strip_prefix(' ').unwrap_or(&text).to_owned())
            }
            _ => None,
        },
        _ => None,
    };
    let texts: Vec<String> = attrs.iter().filter_map(line).collect();
    let mut in_code = false;
    let mut shown: Vec<&str> = Vec::new();
    for text in texts.iter().flat_map(|text| text.split('\n')) {
        let fence = text.trim_start().starts_with("```");
        in_code ^= fence;
        // where a block is left out, one empty line is enough
        let second_empty = text.is_empty() && shown.last().is_none_or(|last| last.is_empty());
        if !fence && !in_code && !second_empty {
            shown.push(text);
        }
    }
    while shown.last().is_some_and(|last| last.is_empty()) {
        shown.pop();
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn doc_comments_are_joined_by_lines() {
        let field: syn::Field = parse_quote! {
            /// How many.
            ///
            /// At least one.
            keep: usize
        };
        assert_eq!(docs(&field.attrs), "How many.\n\nAt least one.");
    }

    #[test]
    fn code_in_a_doc_comment_is_left_out() {
        let field: syn::Field = parse_quote! {
            /// How many.
            ///
            /// ```
            /// let keep = 3;
            /// ```
            ///
            /// At least one.
            ///
            /// ```
            /// assert!(keep > 0);
            /// ```
            keep: usize
        };
        assert_eq!(docs(&field.attrs), "How many.\n\nAt least one.");
    }
}

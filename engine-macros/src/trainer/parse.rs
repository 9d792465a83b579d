//! From tokens to a trainer, field by field.

use crate::args::{self, Args, CRATE, Form, Key, NAME};
use crate::diag::Diag;
use crate::fields::{Config, Field, OwnerKind, Role, Taken, docs, is_one_of, no_arguments, per_rank, take_role};
use crate::krate::Krate;
use crate::priority::{self, Level};
use crate::recover;
use crate::suggest::meant_or_list;
use crate::trainer::model::{Clock, LoaderRole, Trainer, TrainerField, TrainerRole};
use crate::{params, twice};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Fields, Meta, Token};

pub(super) const KEYS: &[Key] = &[
    Key { name: "by_epoch", form: Form::Flag, usage: "by_epoch" },
    Key { name: "by_iter", form: Form::Flag, usage: "by_iter" },
    priority::KEY,
    Key { name: "hooks", form: Form::Path, usage: "hooks = Bundle" },
    Key { name: "phases", form: Form::Flag, usage: "phases" },
    NAME,
    CRATE,
];

/// `None`: the item is none that can be a trainer.
pub(crate) fn parse(args: TokenStream, item: TokenStream, diag: &mut Diag) -> Option<Trainer> {
    let mut found = recover::item_struct(item)?;
    let mut item = found.item.clone();
    if !matches!(item.fields, Fields::Named(_)) || params::borrow(&item.generics) {
        return None;
    }
    let mut args = args::parse("trainer", args, KEYS, diag);
    found.mistakes.drain(..).for_each(|mistake| diag.add(mistake));
    twice::only("trainer", &mut item.attrs, diag);
    refuse_derives(&mut item.attrs, diag);
    let clock = clock(&mut args, diag);
    let level = Level::from_args(&mut args, diag);
    let name = args.name(diag).map_or_else(|| item.ident.unraw().to_string(), |name| name.value());
    let bundle = args.path("hooks");
    let has_phases = args.flag("phases");
    if let Some(flag) = has_phases.as_ref().filter(|_| item.generics.params.is_empty()) {
        diag.error(
            flag,
            "`phases` is for a generic trainer; of this one the `#[phases]` block is found, leave `phases` out",
        );
    }
    let fields = item.fields.iter_mut().filter_map(|field| match is_one_of(&found.unfinished, field) {
        true => unfinished_field(field),
        false => trainer_field(field, diag),
    });
    let fields = fields.collect();
    Some(Trainer {
        name,
        level,
        clock,
        bundle,
        has_phases: has_phases.is_some() && !item.generics.params.is_empty(),
        fields,
        krate: Krate::from_args(&mut args),
        is_whole: found.unfinished.is_empty(),
        item,
        written: found,
    })
}

/// Takes derives off the trainer that no loader and no optimizer has: each field would be an error.
fn refuse_derives(attrs: &mut Vec<Attribute>, diag: &mut Diag) {
    const NONE: [&str; 10] =
        ["Clone", "Copy", "Default", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash", "Serialize", "Deserialize"];
    attrs.retain_mut(|attr| {
        if !attr.path().is_ident("derive") {
            return true;
        }
        let Ok(paths) = attr.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated) else { return true };
        let is_none = |path: &syn::Path| path.segments.last().is_some_and(|last| NONE.iter().any(|name| last.ident == name));
        let (none, kept): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_none);
        let Some(first) = none.first() else { return true };
        diag.error(
            first,
            "a trainer can't derive this: loaders, optimizers and hooks are one of a kind; what a file sets is `#[config]`, what a checkpoint holds is `#[state]`",
        );
        *attr = syn::parse_quote!(#[derive(#(#kept),*)]);
        true
    });
}

fn clock(args: &mut Args, diag: &mut Diag) -> Clock {
    match (args.flag("by_epoch"), args.flag("by_iter")) {
        (Some(_), None) => Clock::Epoch,
        (None, Some(_)) => Clock::Iter,
        (Some(_), Some(second)) => {
            diag.error(second, "`by_epoch` and `by_iter` exclude each other, keep one of them");
            Clock::Epoch
        }
        // what was not understood is most likely the clock, misspelt
        (None, None) if diag.has_errors() => Clock::Epoch,
        (None, None) => {
            let message = "the training has no clock; write `#[trainer(by_epoch)]` or `#[trainer(by_iter)]`";
            diag.error_at(Span::call_site(), message);
            Clock::Epoch
        }
    }
}

fn trainer_field(field: &mut syn::Field, diag: &mut Diag) -> Option<TrainerField> {
    if let Some(cfg) = field.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
        diag.error(cfg, "a field of a trainer can't be under `#[cfg]`; put the attribute on the whole trainer");
    }
    let ident = field.ident.clone()?;
    let mut at = ident.span();
    let role = match take_role(field, OwnerKind::Trainer, diag) {
        Taken::Unknown | Taken::Refused => TrainerRole::Unknown,
        Taken::Role { name, attr } => {
            at = attr.path().span();
            read_role(name, &attr, field, &mut at, diag)
        }
    };
    Some(TrainerField { ident, ty: field.ty.clone(), role, docs: docs(&field.attrs), at })
}

/// A field that does not parse, of which the compiler has told.
fn unfinished_field(field: &mut syn::Field) -> Option<TrainerField> {
    let Field { ident, ty, docs, .. } = Field::unfinished(field)?;
    let at = ident.span();
    Some(TrainerField { ident, ty, role: TrainerRole::Unknown, docs, at })
}

fn read_role(name: &str, attr: &Attribute, field: &syn::Field, at: &mut Span, diag: &mut Diag) -> TrainerRole {
    match name {
        "optimizer" => {
            return match optimizer_models(attr, diag) {
                Some(models) => TrainerRole::Optimizer { models },
                None => TrainerRole::Unknown,
            };
        }
        "loader" => {
            return match loader_role(attr, field, diag) {
                Some((role, span)) => {
                    *at = span;
                    TrainerRole::Loader(role)
                }
                None => TrainerRole::Unknown,
            };
        }
        "config" => {
            let role = Role::Config(Box::new(Config::parse(attr, field, diag)));
            return own(field, role, diag);
        }
        "state" => {
            let role = Role::State { per_rank: per_rank(attr, OwnerKind::Trainer, diag) };
            return own(field, role, diag);
        }
        _ => no_arguments(attr, name, diag),
    }
    match name {
        "model" => TrainerRole::Model,
        "scheduler" => TrainerRole::Scheduler,
        "metric" => TrainerRole::Metric,
        "hook" => TrainerRole::Hook,
        "transient" => own(field, Role::Transient, diag),
        _ => TrainerRole::Unknown,
    }
}

fn own(field: &syn::Field, role: Role, diag: &mut Diag) -> TrainerRole {
    match Field::new(field, role, diag) {
        Some(own) if !matches!(own.role, Role::Unknown) => TrainerRole::Own(Box::new(own)),
        _ => TrainerRole::Unknown,
    }
}

/// `#[optimizer(net, disc)]`.
fn optimizer_models(attr: &Attribute, diag: &mut Diag) -> Option<Vec<Ident>> {
    const USAGE: &str = "`optimizer` takes the names of model fields: `#[optimizer(net, disc)]`";
    let tokens = match &attr.meta {
        Meta::Path(_) => return Some(Vec::new()),
        Meta::NameValue(pair) => {
            diag.error(&pair.value, USAGE);
            return None;
        }
        Meta::List(list) => list.tokens.clone(),
    };
    match Punctuated::<Ident, Token![,]>::parse_terminated.parse2(tokens.clone()) {
        Ok(models) => Some(models.into_iter().collect()),
        Err(error) => {
            let named = names_before(tokens.clone());
            match setting(tokens) {
                Some(setting) => diag.error(
                    &setting,
                    format!("the settings of an optimizer belong in the experiment: `optimizer: AdamW({setting}: …)`"),
                ),
                None => diag.error_at(error.span(), USAGE),
            }
            // with the names before the mistake, the field is an optimizer that passes can name
            (!named.is_empty()).then_some(named)
        }
    }
}

/// `net, disc` of `net, disc, lr = 0.1`.
fn names_before(tokens: TokenStream) -> Vec<Ident> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let named = tokens.chunks(2).map_while(|pair| match pair {
        [TokenTree::Ident(name), TokenTree::Punct(sign)] if sign.as_char() == ',' => Some(name.clone()),
        _ => None,
    });
    named.collect()
}

/// The first key of `lr = 0.1, …`, also behind names.
fn setting(tokens: TokenStream) -> Option<Ident> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.windows(2).find_map(|pair| match pair {
        [TokenTree::Ident(key), TokenTree::Punct(sign)] if matches!(sign.as_char(), '=' | ':') => Some(key.clone()),
        _ => None,
    })
}

/// `val` of `split = val` and of `split = "val"`.
fn role_as_value(tokens: &TokenStream) -> Option<LoaderRole> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let [TokenTree::Ident(_), TokenTree::Punct(sign), value] = &tokens[..] else { return None };
    if !matches!(sign.as_char(), '=' | ':') {
        return None;
    }
    let value = value.to_string();
    LoaderRole::ALL.into_iter().find(|role| value.trim_matches('"') == role.word())
}

/// `val, test`.
fn two_words(tokens: &TokenStream) -> Option<(Ident, Ident)> {
    let words = Punctuated::<Ident, Token![,]>::parse_terminated.parse2(tokens.clone()).ok()?;
    let mut words = words.into_iter();
    Some((words.next()?, words.next()?))
}

/// `#[loader(train)]`; the span is that of the word.
fn loader_role(attr: &Attribute, field: &syn::Field, diag: &mut Diag) -> Option<(LoaderRole, Span)> {
    const USAGE: &str =
        "say what the loader is for: `#[loader(train)]`, `#[loader(val)]`, `#[loader(test)]` or `#[loader(predict)]`";
    let tokens = match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    if tokens.is_empty() {
        // of `#[data]` it is told what the role is called
        if attr.path().is_ident("loader") {
            diag.error(attr.path(), USAGE);
        }
        return None;
    }
    let word: Ident = match syn::parse2(tokens.clone()) {
        Ok(word) => word,
        Err(_) if let Some(role) = role_as_value(&tokens) => {
            let message = format!("what the loader is for stands alone: `#[loader({})]`", role.word());
            let at = tokens.into_iter().next().map_or_else(Span::call_site, |first| first.span());
            diag.error_at(at, message);
            return Some((role, at));
        }
        Err(_) if let Some(key) = setting(tokens.clone()) => {
            let field = field.ident.as_ref().map_or_else(|| "train".to_owned(), |name| name.unraw().to_string());
            let message =
                format!("the settings of a loader belong in the experiment: `loaders: ({field}: (…, {key}: …))`");
            diag.error(key, message);
            // the role is the word before it
            syn::parse2(tokens.into_iter().take(1).collect()).ok()?
        }
        Err(_) if let Some((first, second)) = two_words(&tokens) => {
            let message = format!(
                "a loader is for one thing; write a field for each: `#[loader({first})]`, `#[loader({second})]`"
            );
            diag.error(second, message);
            return None;
        }
        Err(error) => {
            diag.error_at(error.span(), USAGE);
            return None;
        }
    };
    let known = LoaderRole::ALL.iter().find(|role| word == role.word());
    if known.is_none() {
        let words = LoaderRole::ALL.map(LoaderRole::word);
        diag.error(&word, format!("unknown loader role `{word}`{}", meant_or_list(&word.to_string(), &words)));
    }
    known.map(|role| (*role, word.span()))
}

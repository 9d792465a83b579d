//! From tokens to a checked batch.

use crate::args::{self, CRATE, Form, Key, Value};
use crate::diag::Diag;
use crate::krate::Krate;
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Expr, Generics, Index, Member, Meta, Type};

/// A struct under `#[derive(Batch)]`, checked.
pub(crate) struct Batch {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) fields: Vec<Field>,
    /// The place of the field that counts the samples.
    pub(crate) size: usize,
    pub(crate) weight: Weight,
    pub(crate) krate: Krate,
}

/// A field and what it is.
pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) role: Role,
}

/// What a field is to its batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A batch itself, with a row for each sample.
    Part,
    /// A tensor for all samples.
    Shared,
    /// A value for all samples.
    Whole,
    /// It states the weight.
    Weight,
    /// What is said of it is not known; the error is reported.
    Unknown,
}

/// Where the weight of the batch comes from.
pub(crate) enum Weight {
    /// The number of samples.
    Samples,
    /// The field at this place.
    Field(usize),
    /// A function of the batch.
    Function(Expr),
}

const KEYS: [Key; 5] = [
    Key { name: "shared", form: Form::Flag, usage: "shared" },
    Key { name: "whole", form: Form::Flag, usage: "whole" },
    Key { name: "size", form: Form::Flag, usage: "size" },
    Key { name: "weight", form: Form::FlagOrExpr, usage: "weight = Self::tokens" },
    CRATE,
];

/// `None`: the item is none that can be a batch.
pub(crate) fn parse(item: TokenStream, diag: &mut Diag) -> Option<Batch> {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => {
            diag.add(error);
            return None;
        }
    };
    let data = match item.data {
        Data::Struct(data) => data,
        Data::Enum(data) => return refuse(data.enum_token, "an enum", diag),
        Data::Union(data) => return refuse(data.union_token, "a union", diag),
    };
    let mut args = args::parse("batch", arguments(&item.attrs, "crate = path", diag), &KEYS, diag);
    let mut function = None;
    match args.take("weight") {
        Some((_, Value::Expr(expr))) => function = Some(expr),
        Some((key, _)) => diag.error(
            key,
            "`weight` of a whole batch needs a value here, write `weight = Self::tokens`; or mark the field that states it",
        ),
        None => {}
    }
    for name in ["shared", "whole", "size"] {
        if let Some(key) = args.flag(name) {
            diag.error(key, format!("`{name}` marks a field; write it above the field"));
        }
    }
    let krate = Krate::from_args(&mut args);
    let mut found = Found { function, size: None, weight: None };
    let fields: Vec<Field> = data
        .fields
        .into_iter()
        .enumerate()
        .map(|(place, field)| {
            let role = found.role(place, &field, diag);
            let index = Index { index: place as u32, span: field.ty.span() };
            let member = field.ident.map_or(Member::Unnamed(index), Member::Named);
            Field { member, ty: field.ty, role }
        })
        .collect();
    let first = |role: Role| fields.iter().position(|field| field.role == role);
    let size = found.size.or_else(|| first(Role::Part)).or_else(|| first(Role::Unknown));
    let Some(size) = size else {
        // what is wrong with the roles has been said, and may be why there is none
        if !diag.has_errors() {
            let name = &item.ident;
            let message = format!(
                "no field of `{name}` counts the samples; it needs one that is neither `shared` nor `whole`: a tensor `[n, …]` or a list"
            );
            diag.error(name, message);
        }
        return None;
    };
    let weight = match (found.function, found.weight) {
        (Some(function), _) => Weight::Function(function),
        (None, Some(place)) => Weight::Field(place),
        (None, None) => Weight::Samples,
    };
    Some(Batch { ident: item.ident, generics: item.generics, fields, size, weight, krate })
}

/// What was found on the way through the fields.
struct Found {
    function: Option<Expr>,
    size: Option<usize>,
    weight: Option<usize>,
}

impl Found {
    fn role(&mut self, place: usize, field: &syn::Field, diag: &mut Diag) -> Role {
        let usage = "#[batch(shared)]`, `#[batch(whole)]`, `#[batch(size)]` or `#[batch(weight)]";
        let mut args = args::parse("batch", arguments(&field.attrs, usage, diag), &KEYS, diag);
        if let Some(path) = args.path("crate") {
            diag.error(path, "`crate` is said of the whole batch; write it above the struct");
        }
        let weight = args.take("weight").map(|(key, value)| {
            if !matches!(value, Value::Flag) {
                diag.error(&key, "`weight` takes no value at a field, write `weight` alone");
            }
            key
        });
        let size = args.flag("size");
        let roles = [(Role::Shared, args.flag("shared")), (Role::Whole, args.flag("whole")), (Role::Weight, weight)];
        let mut role: Option<(Role, Ident)> = None;
        for (of, key) in roles {
            let Some(key) = key else { continue };
            match &role {
                Some((_, first)) => {
                    diag.error(&key, format!("`{key}` and `{first}` can't be said of one field, keep one of them"));
                }
                None => role = Some((of, key)),
            }
        }
        if let Some(key) = size {
            match &role {
                Some((Role::Shared | Role::Whole, first)) => {
                    diag.error(&key, format!("`size` and `{first}` can't be said of one field, keep one of them"));
                }
                _ if self.size.is_some() => diag.error(&key, "`size` is said of two fields, keep one of them"),
                _ => self.size = Some(place),
            }
        }
        if let Some((Role::Weight, key)) = &role {
            match self.weight.is_some() || self.function.is_some() {
                true => diag.error(key, "the weight is stated twice, keep one of them"),
                false => self.weight = Some(place),
            }
        }
        let is_said = field.attrs.iter().any(|attr| attr.path().is_ident("batch"));
        match role {
            Some((role, _)) => role,
            None if is_said && self.size != Some(place) => Role::Unknown,
            None => Role::Part,
        }
    }
}

/// What the `#[batch(…)]` attributes hold, one after the other; `#[weight]` is told and read as `#[batch(weight)]`.
fn arguments(attrs: &[Attribute], usage: &str, diag: &mut Diag) -> TokenStream {
    let mut tokens = TokenStream::new();
    for attr in attrs {
        // above the struct, it may be that of another derive
        let is_bare = matches!(attr.meta, Meta::Path(_)) && usage.starts_with('#');
        let alone = ["shared", "whole", "size", "weight"].into_iter().find(|name| attr.path().is_ident(name));
        if let Some(name) = alone.filter(|_| is_bare) {
            diag.error(attr.path(), format!("this is written `#[batch({name})]`"));
            let name = Ident::new(name, attr.path().span());
            tokens.extend(if tokens.is_empty() { quote::quote!(#name) } else { quote::quote!(, #name) });
            continue;
        }
        if !attr.path().is_ident("batch") {
            continue;
        }
        match &attr.meta {
            Meta::List(list) if !list.tokens.is_empty() => {
                if !tokens.is_empty() {
                    tokens.extend(quote::quote!(,));
                }
                tokens.extend(list.tokens.clone());
            }
            other => {
                let usage = match usage.starts_with('#') {
                    true => usage.to_owned(),
                    false => format!("#[batch({usage})]"),
                };
                diag.error(other, format!("the `batch` attribute says nothing here; write `{usage}`, or remove it"));
            }
        }
    }
    tokens
}

fn refuse(token: impl ToTokens, what: &str, diag: &mut Diag) -> Option<Batch> {
    diag.error(token, format!("`Batch` can be derived for a struct, not for {what}"));
    None
}

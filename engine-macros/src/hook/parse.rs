//! From tokens to a checked hook.

use crate::args::{self, CRATE, Key, NAME};
use crate::diag::Diag;
use crate::fields::{Field, OwnerKind, Role, docs, is_one_of, refuse_reset_of_nothing};
use crate::krate::Krate;
use crate::priority::{self, Level};
use crate::recover;
use crate::{params, twice};
use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::{Fields, ItemStruct};

/// A hook, checked.
pub(crate) struct Hook {
    /// The struct without helper attributes.
    pub(crate) item: ItemStruct,
    pub(crate) name: String,
    pub(crate) level: Level,
    pub(crate) docs: String,
    pub(crate) fields: Vec<Field>,
    /// `#[phases]` is on the struct; the error is reported.
    pub(crate) phases_misplaced: bool,
    pub(crate) krate: Krate,
}

pub(super) const KEYS: &[Key] = &[priority::KEY, NAME, CRATE];

/// `None`: the item is none that can be a hook.
pub(crate) fn parse(args: TokenStream, item: TokenStream, diag: &mut Diag) -> Option<Hook> {
    let mut found = recover::item_struct(item)?;
    let mut item = found.item.clone();
    if matches!(item.fields, Fields::Unnamed(_)) || params::borrow(&item.generics) {
        return None;
    }
    let mut args = args::parse("hook", args, KEYS, diag);
    found.mistakes.drain(..).for_each(|mistake| diag.add(mistake));
    let others = twice::only("hook", &mut item.attrs, diag);
    let level = Level::from_args(&mut args, diag);
    let name = args.name_or(&item.ident.unraw().to_string(), &item.ident, diag);
    let fields = item.fields.iter_mut().filter_map(|field| match is_one_of(&found.unfinished, field) {
        true => Field::unfinished(field),
        false => Field::with_role(field, OwnerKind::Hook, diag),
    });
    let fields = fields.collect();
    let phases_misplaced = others.iter().any(|name| name == "phases");
    let krate = Krate::from_args(&mut args);
    let mut hook =
        Hook { name, level, docs: docs(&item.attrs), fields, phases_misplaced, krate, item: found.as_written(item) };
    refuse_reset_of_nothing(hook.fields.iter(), diag);
    reserve_level(&mut hook.fields, diag);
    Some(hook)
}

/// `level` is a key of every hook.
fn reserve_level(fields: &mut [Field], diag: &mut Diag) {
    for field in fields {
        if field.config().is_some() && field.key() == "level" {
            diag.error(
                &field.ident,
                "`level` is the key by which a file overrides the priority of a hook; give this field another name",
            );
            field.role = Role::Unknown;
        }
    }
}

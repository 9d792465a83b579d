//! Plain `#[component]` on a struct with state: a metric, a sink or a hook, most likely.
//!
//! The one error is that the kind is missing. Nothing is to follow from it, whichever kind is meant: the struct can be a field
//! of a trainer, and has a state.

use crate::component::stub::stub;
use crate::diag::Diag;
use crate::fields::{OwnerKind, take_role};
use crate::krate::Krate;
use crate::params::Owner;
use crate::phases;
use crate::stubs;
use crate::verified::block;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Item, ItemStruct};

/// Whether fields have roles of state.
pub(super) fn has_state(item: &ItemStruct) -> bool {
    of_state(item).is_some()
}

fn of_state(item: &ItemStruct) -> Option<&Attribute> {
    let is_of_state = |attr: &&Attribute| attr.path().is_ident("state") || attr.path().is_ident("transient");
    item.fields.iter().flat_map(|field| &field.attrs).find(is_of_state)
}

/// Takes the roles off the fields; the one error is at the first that speaks of state.
pub(super) fn refuse(item: &mut ItemStruct, diag: &mut Diag) {
    if let Some(attr) = of_state(item)
        && !diag.has_errors()
    {
        diag.error(
            attr.path(),
            "settings have no state; a metric is a struct under `#[component(metric)]`, a sink under `#[component(sink)]`, a hook under `#[hook]`",
        );
    }
    // what else is wrong with the fields is told when the kind is known
    let mut told = Diag::new();
    item.fields.iter_mut().for_each(|field| drop(take_role(field, OwnerKind::Metric, &mut told)));
    drop(told.into_tokens());
}

pub(super) fn expand(krate: &Krate, item: &ItemStruct) -> TokenStream {
    let owner = Owner::new(&item.ident, &item.generics);
    let (is_owner, state) = (phases::owner(krate, &owner), stubs::state(krate, &owner));
    let (hook, metric) = (stubs::hook_field(krate, &owner), stubs::metric_field(krate, &owner));
    let settings = stub(&Item::Struct(item.clone()), &[]);
    let block = block(quote!(#is_owner #state #hook #metric #settings));
    quote!(#item #block)
}

//! What the impls of an expansion ask of the parameters of a generic struct.

use crate::fields::{Field, Role, is_option};
use crate::krate::Krate;
use crate::params::Params;
use proc_macro2::TokenStream;
use quote::quote;

/// What fields of these roles need of their types, where those contain a parameter.
pub(crate) fn demands(
    krate: &Krate,
    params: &Params,
    fields: &[Field],
    of: impl Fn(&Role) -> bool,
) -> Vec<TokenStream> {
    let private = krate.private();
    let demand = |field: &Field| {
        let Field { ty, role, .. } = field;
        if !params.are_in(ty) || !of(role) {
            return None;
        }
        Some(match role {
            Role::Config(config) if config.default_is_of_type() && !is_option(ty) => {
                quote!(#ty: #private::ConfigValue + ::core::default::Default)
            }
            Role::Config(_) => quote!(#ty: #private::ConfigValue),
            Role::State { .. } => quote!(#ty: #private::Saved + #private::Fresh),
            Role::Transient => quote!(#ty: #private::Fresh),
            Role::BySerde { .. } | Role::Unknown => return None,
        })
    };
    fields.iter().filter_map(demand).collect()
}

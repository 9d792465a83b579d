//! Replacements for settings that have a mistake. The mistake is reported, and code that uses the settings still compiles.

use crate::component::serde_attrs;
use crate::krate::Krate;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Item;

/// The derives that a setting needs.
pub(super) const NEEDED: [&str; 4] = ["Clone", "Debug", "Serialize", "Deserialize"];

/// What a setting needs and does not have from the derives `above` or its own, for a struct that is none because of a mistake that is reported: it may be named as the settings
/// of a model, and that would be the same mistake once more.
pub(super) fn stub(item: &Item, above: &[String]) -> Option<TokenStream> {
    let (owner, generics, attrs) = match item {
        Item::Struct(item) => (&item.ident, &item.generics, &item.attrs),
        Item::Enum(item) => (&item.ident, &item.generics, &item.attrs),
        _ => return None,
    };
    if !generics.params.is_empty() {
        return None;
    }
    let has = serde_attrs::derived(attrs);
    let is_above = |at: usize| above.iter().any(|name| name == NEEDED[at]);
    let has = serde_attrs::Derived {
        clone: has.clone || is_above(0),
        debug: has.debug || is_above(1),
        serialize: has.serialize || is_above(2),
        deserialize: has.deserialize || is_above(3),
    };
    let private = Krate::found().private();
    let clone = (!has.clone).then(|| {
        quote! {
            impl ::core::clone::Clone for #owner {
                fn clone(&self) -> Self { ::core::unreachable!() }
            }
        }
    });
    let debug = (!has.debug).then(|| {
        quote! {
            impl ::core::fmt::Debug for #owner {
                fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { ::core::unreachable!() }
            }
        }
    });
    let serialize = (!has.serialize).then(|| {
        quote! {
            impl #private::serde::Serialize for #owner {
                fn serialize<S: #private::serde::Serializer>(&self, _: S) -> ::core::result::Result<S::Ok, S::Error> {
                    ::core::unreachable!()
                }
            }
        }
    });
    let deserialize = (!has.deserialize).then(|| {
        quote! {
            impl<'de> #private::serde::Deserialize<'de> for #owner {
                fn deserialize<D: #private::serde::Deserializer<'de>>(_: D) -> ::core::result::Result<Self, D::Error> {
                    ::core::unreachable!()
                }
            }
        }
    });
    Some(quote!(#clone #debug #serialize #deserialize))
}

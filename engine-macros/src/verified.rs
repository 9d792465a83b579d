//! Questions about types, asked once each.
//!
//! A constant asks whether a type has a trait, and the compiler's complaint stands at the type. Whatever needs the answer
//! takes the type through the constant (`Known` of the engine): where the constant does not compile, the compiler takes
//! the type for reported and is silent, so that nothing follows from the one error.

use crate::krate::Krate;
use crate::spans::{ends, quiet};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

/// The name of a constant: `CHECKED_net`.
pub(crate) fn constant(what: &str, field: &Ident) -> Ident {
    format_ident!("{what}_{}", field.unraw(), span = quiet(field))
}

/// Its value, which there is when the type has the trait: `{ let _ = <Cnn as Model>::build; true }`.
pub(crate) fn has(krate: &Krate, ty: impl ToTokens, of: &str, member: &str) -> TokenStream {
    let path = path(krate, ty, of, member);
    quote!({ let _ = #path; true })
}

/// The type, through the constant.
pub(crate) fn verified(krate: &Krate, ty: impl ToTokens, constant: &Ident) -> TokenStream {
    let private = krate.private();
    quote!(#private::Known<#ty, #constant>)
}

/// `<Cnn as Model>::build`, which stands where the type stands, from its first token to its last: what is said of the
/// type and what is said of the path are then the same, and said once.
pub(crate) fn path(krate: &Krate, ty: impl ToTokens, of: &str, member: &str) -> TokenStream {
    path_with(krate, ty, of, TokenStream::new(), member)
}

/// As [`path`], for a trait with parameters: `<Tensor as PassBatch<(Tensor, Tensor)>>::of`.
pub(crate) fn path_with(
    krate: &Krate,
    ty: impl ToTokens,
    of: &str,
    parameters: TokenStream,
    member: &str,
) -> TokenStream {
    let (first, last) = ends(&ty);
    let (private, of, member) = (krate.private_at(last), Ident::new(of, last), Ident::new(member, last));
    let open = quote_spanned!(first=> <);
    quote_spanned!(last=> #open #ty as #private::#of #parameters>::#member)
}

/// The block of an expansion that no name gets out of. A struct may have no field of a kind, so that a local is not used.
pub(crate) fn block(items: TokenStream) -> TokenStream {
    quote! {
        #[allow(
            non_camel_case_types,
            non_upper_case_globals,
            unreachable_code,
            unused_imports,
            unused_mut,
            unused_variables,
            clippy::diverging_sub_expression
        )]
        const _: () = { #items };
    }
}

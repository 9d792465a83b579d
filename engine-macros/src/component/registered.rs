//! How a file finds a component among those of its kind.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// An impl of a trait that typetag knows.
pub(crate) fn registered(
    private: &TokenStream,
    name: &str,
    of: TokenStream,
    ident: &Ident,
    methods: TokenStream,
) -> TokenStream {
    quote! {
        // the attribute of `typetag` names its crate by this word
        #[allow(unused_imports)]
        use #private::typetag;
        #[typetag::serde(name = #name)]
        impl #private::#of for #ident {
            #methods
        }
    }
}

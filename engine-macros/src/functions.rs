//! The functions that an expansion writes for one field with settings: its default, and what is demanded of its value.

use crate::fields::{Config, Field, Outside};
use crate::krate::Krate;
use crate::spans::{ends, quiet};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;

/// `fn __default_x() -> T`, in which a default of a wrong type is an error at the default.
pub(crate) fn default_function(krate: &Krate, field: &Field, config: &Config) -> Option<TokenStream> {
    let Field { ty, cfgs, .. } = field;
    let (name, value) = (function("default", field), config.default.as_ref()?.expand(krate, ty));
    let outside = config.outside(ty).map(|outside| refuse_outside(ty, &outside));
    Some(quote_spanned! {Span::mixed_site()=>
        #(#cfgs)*
        fn #name() -> #ty {
            #outside
            #value
        }
    })
}

/// An error at a constant default that lies outside the range.
fn refuse_outside(ty: &Type, outside: &Outside<'_>) -> TokenStream {
    let Outside { default, start, end, closed, text } = outside;
    let above = start.map(|start| quote!(DEFAULT >= #start)).into_iter();
    let below = end.map(|end| if *closed { quote!(DEFAULT <= #end) } else { quote!(DEFAULT < #end) }).into_iter();
    let (first, _) = ends(default);
    let refuse = quote_spanned!(first=> ::core::panic!(#text));
    quote! {
        const _: () = {
            const DEFAULT: #ty = #default;
            #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
            if !(true #(&& #above)* #(&& #below)*) {
                #refuse
            }
        };
    }
}

/// `fn __absolute_x() -> T` of a default that is a path: the place that it means from the current folder. What is saved
/// stands in a folder of its own, and a relative path would mean another place there.
pub(crate) fn absolute_function(krate: &Krate, field: &Field, config: &Config, of: TokenStream) -> Option<TokenStream> {
    let Field { ty, cfgs, .. } = field;
    let (name, default, private) = (function("absolute", field), function("default", field), krate.private());
    config.default_is_path(ty).then(|| {
        quote! {
            #(#cfgs)*
            fn #name() -> #ty { <#ty as #private::Paths>::absolute(#of #default()) }
        }
    })
}

/// `fn __check_x(value: &T) -> Result<(), String>`, when something is demanded of the field's value.
pub(crate) fn check_function(krate: &Krate, field: &Field, config: &Config) -> Option<TokenStream> {
    let private = krate.private();
    let Field { ty, cfgs, .. } = field;
    let (name, key) = (function("check", field), field.key());
    let range = config.range.as_ref().map(|limits| {
        let (range, source) = (limits.range(), limits.source());
        quote_spanned!(Span::mixed_site()=> #private::check_range::<#ty, _>(value, #key, #range, #source))
    });
    let exists = config.exists.then(|| quote_spanned!(Span::mixed_site()=> #private::check_exists::<#ty>(value)));
    let mut demands: Vec<TokenStream> = range.into_iter().chain(exists).collect();
    let last = demands.pop()?;
    Some(quote_spanned! {Span::mixed_site()=>
        #(#cfgs)*
        fn #name(value: &#ty) -> ::core::result::Result<(), ::std::string::String> {
            #(#demands?;)*
            #last
        }
    })
}

/// `__read_width`.
pub(crate) fn function(verb: &str, field: &Field) -> Ident {
    format_ident!("__{verb}_{}", field.ident, span = quiet(&field.ident))
}

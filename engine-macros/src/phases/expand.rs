//! What a block of phases expands to: a mask and a `match`.

use crate::phases::names;
use crate::phases::parse::{Method, Phases};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned;

pub(crate) fn expand(phases: &Phases) -> TokenStream {
    let private = phases.krate.private();
    let (item, owner) = (&phases.item, &phases.item.self_ty);
    let (generics, _, bounds) = item.generics.split_for_impl();
    let cx = Ident::new("cx", Span::mixed_site());
    let variants = |methods: &mut dyn Iterator<Item = &Method>| -> Vec<TokenStream> {
        let variant = |method: &Method| {
            let (cfgs, variant) = (&method.cfgs, names::variant(&method.name.unraw().to_string()));
            quote!(#(#cfgs)* #private::Phase::#variant)
        };
        methods.map(variant).collect()
    };
    let mask = variants(&mut phases.methods.iter());
    let only_ok = variants(&mut phases.methods.iter().filter(|method| method.only_ok));
    let only_ok = (!only_ok.is_empty())
        .then(|| quote!(const ONLY_OK: #private::PhaseMask = #private::PhaseMask::of(&[#(#only_ok),*]);));
    let arms = phases.methods.iter().map(|method| {
        let Method { name, only_ok, cfgs, context, output } = method;
        let variant = names::variant(&name.unraw().to_string());
        // the compiler's complaint about a type is to stand at that type
        let cx = Ident::new("cx", cx.span().located_at(smallest(context)));
        let call = quote_spanned!(Span::call_site().located_at(smallest(context))=> Self::#name(self, #cx));
        let at = smallest(output);
        let result = Ident::new("result", Span::mixed_site().located_at(at));
        let here = phases.krate.private_at(Span::call_site().located_at(at));
        let expected = quote_spanned!(Span::call_site().located_at(at)=> #here::Result<()>);
        let skipped = only_ok.then(|| {
            let cx = Ident::new("cx", Span::mixed_site());
            quote!(#(#cfgs)* #private::Phase::#variant if !#private::is_well(#cx) => ::core::result::Result::Ok(()),)
        });
        quote! {
            #skipped
            #(#cfgs)*
            #private::Phase::#variant => {
                let #result = #call;
                let #result: #expected = #result;
                #result
            }
        }
    });
    quote! {
        #item
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #generics #private::Phases for #owner #bounds {
            const PHASES: #private::PhaseMask = #private::PhaseMask::of(&[#(#mask),*]);
            #only_ok
            #[inline(always)]
            #[allow(unused_variables)]
            fn call(
                &mut self,
                phase: #private::Phase,
                #cx: &mut #private::Context<'_>,
            ) -> #private::Result<()> {
                match phase {
                    #(#arms)*
                    _ => ::core::result::Result::Ok(()),
                }
            }
        }
    }
}

/// The token of a type that says most: the last name of its path.
fn smallest(ty: &Type) -> Span {
    match ty {
        Type::Path(path) => path.path.segments.last().map_or(path.span(), |segment| segment.ident.span()),
        Type::Reference(reference) => smallest(&reference.elem),
        other => other.span(),
    }
}

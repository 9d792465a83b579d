//! What a block of phases expands to: a mask and a `match`.

use crate::krate::Krate;
use crate::params::Owner;
use crate::phases::names;
use crate::phases::parse::{Method, Phases};
use crate::source::source_of_type;
use crate::words::PHASES;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned;
use syn::{Item, Type, parse_quote};

pub(crate) fn expand(phases: &Phases) -> TokenStream {
    let private = phases.krate.private();
    let (item, owner) = (&phases.item, &phases.item.self_ty);
    let (parameters, _, conditions) = item.generics.split_for_impl();
    // where a parameter is not declared, the compiler says the same of both blocks, and once
    let open = quote_spanned!(item.impl_token.span=> impl #parameters);
    let cx = Ident::new("cx", Span::mixed_site());
    let variants = |methods: &mut dyn Iterator<Item = &Method>| -> Vec<TokenStream> {
        let variant = |method: &Method| {
            let (cfgs, variant) = (&method.cfgs, names::variant(&method.name.unraw().to_string()));
            quote!(#(#cfgs)* #private::Phase::#variant)
        };
        methods.map(variant).collect()
    };
    // otherwise these methods would be reported as phases outside of a `#[phases]` block
    let mistaken = phases.mistaken.iter().map(|name| {
        let variant = names::variant(&name.to_string());
        quote!(#private::Phase::#variant)
    });
    let mask = variants(&mut phases.methods.iter()).into_iter().chain(mistaken);
    let only_ok = variants(&mut phases.methods.iter().filter(|method| method.only_ok));
    let only_ok = (!only_ok.is_empty())
        .then(|| quote!(const ONLY_OK: #private::PhaseMask = #private::PhaseMask::of(&[#(#only_ok),*]);));
    let asks_nothing = variants(&mut phases.methods.iter().filter(|method| method.asks_nothing));
    let asks_nothing = (!asks_nothing.is_empty())
        .then(|| quote!(const ASKS_NOTHING: #private::PhaseMask = #private::PhaseMask::of(&[#(#asks_nothing),*]);));
    let arms = phases.methods.iter().map(|method| {
        let Method { name, only_ok, cfgs, context, output, .. } = method;
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
        #open #private::AllPhasesInOneBlock for #owner #conditions {
            const PHASES: #private::PhaseMask = #private::PhaseMask::of(&[#(#mask),*]);
            #only_ok
            #asks_nothing
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

/// That somebody calls the phases of a type.
pub(crate) fn owner(krate: &Krate, owner: &Owner) -> TokenStream {
    let (private, parameters, conditions) = (krate.private(), owner.params.declared(), owner.params.conditions(&[]));
    quote! {
        #[automatically_derived]
        impl #parameters #private::PhasesOwner for #owner #conditions {}
    }
}

/// As [`owner`], for a struct that is no hook or trainer because of a mistake that is reported.
pub(crate) fn owner_of_item(krate: &Krate, item: &Item) -> Option<TokenStream> {
    let private = krate.private();
    let (ident, generics) = match item {
        Item::Struct(item) => (&item.ident, &item.generics),
        Item::Enum(item) => (&item.ident, &item.generics),
        _ => return None,
    };
    let (parameters, arguments, conditions) = generics.split_for_impl();
    Some(quote!(impl #parameters #private::PhasesOwner for #ident #arguments #conditions {}))
}

/// A block which asks that no method outside of the `#[phases]` block has the name of a phase that nothing would call.
pub(crate) fn none_outside(krate: &Krate, owner: &Owner, of_hook: bool) -> TokenStream {
    let (private, at) = (krate.private(), owner.ident.span());
    let phases = PHASES.iter().map(|name| {
        let (variant, name) = (names::variant(name), Ident::new(name, Span::call_site()));
        quote!(#variant #name,)
    });
    // a hook without a block is told that it has none
    let or_all = of_hook.then(|| quote!(.or_all(),));
    // at the name of the type: a macro cannot see where the method is
    let refuse = quote_spanned!(at=> ::core::panic!("{}", text));
    let (text, written) = (Ident::new("text", at), source_of_type(&parse_quote!(#owner)));
    quote! {
        {
            if let ::core::option::Option::Some(#text) = #private::phase_outside!(#owner, #written, #or_all #(#phases)*) {
                #refuse
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

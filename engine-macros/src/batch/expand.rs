//! From a checked batch to its implementation.

use crate::batch::parse::{Batch, Field, Role, Weight};
use crate::verified;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

pub(crate) fn expand(batch: &Batch) -> TokenStream {
    let Batch { ident, generics, fields, krate, .. } = batch;
    let private = krate.private();
    let (impl_generics, types, clause) = generics.split_for_impl();
    // one path for each type, used for every check, so that a missing trait is reported once
    let path = |place: usize, method: &str| {
        let of = match fields[place].role {
            Role::Part => "Batch",
            Role::Shared => "SharedField",
            Role::Whole => "WholeField",
            Role::Weight => "StatedWeight",
            Role::Unknown => "Batch",
        };
        verified::path(krate, &fields[place].ty, of, method)
    };
    let is_known = |(_, field): &(usize, &Field)| field.role != Role::Unknown;
    let shown = fields.iter().enumerate().filter(is_known).map(|(place, field)| {
        let (member, visit) = (&field.member, path(place, "visit"));
        quote!(#visit(&mut self.#member, each)?;)
    });
    let cloned = fields.iter().enumerate().map(|(place, field)| {
        let (member, clone) = (&field.member, path(place, "shallow_clone"));
        match field.role {
            Role::Unknown => quote!(#member: ::core::unreachable!()),
            _ => quote!(#member: #clone(&self.#member)),
        }
    });
    let counting = &fields[batch.size].member;
    let size = verified::path(krate, &fields[batch.size].ty, "Batch", "size");
    let weight = match &batch.weight {
        Weight::Samples => TokenStream::new(),
        Weight::Field(place) => {
            let (member, stated) = (&fields[*place].member, path(*place, "stated"));
            quote! {
                const STATES_WEIGHT: bool = true;

                fn stated_weight(&self) -> ::core::option::Option<f64> {
                    ::core::option::Option::Some(#stated(&self.#member))
                }
            }
        }
        Weight::Function(function) => quote! {
            const STATES_WEIGHT: bool = true;

            fn stated_weight(&self) -> ::core::option::Option<f64> {
                let stated: fn(&Self) -> f64 = #function;
                ::core::option::Option::Some(stated(self))
            }
        },
    };
    let unreachable =
        fields.iter().any(|field| field.role == Role::Unknown).then(|| quote!(#[allow(unreachable_code)]));
    // where the name of a type is not found, the compiler proposes a parameter of the struct, at its name: here too, so that
    // it is told once
    let open = quote_spanned!(ident.span()=> impl);
    quote! {
        #[automatically_derived]
        #open #impl_generics #private::Batch for #ident #types #clause {
            fn visit<'__a>(&'__a mut self, each: &mut #private::EachPart<'_, '__a>) -> #private::Result<()> {
                #(#shown)*
                ::core::result::Result::Ok(())
            }
            #unreachable
            fn shallow_clone(&self) -> Self {
                Self { #(#cloned),* }
            }
            fn size(&self) -> usize {
                #size(&self.#counting)
            }
            #weight
        }
    }
}

//! The parameters of a generic item, `Worst<T: Number>`, and a type with them.
//!
//! Code for a generic item can't ask the compiler about its types in a constant, since a constant has no parameters. What
//! it needs of a type that contains a parameter is a condition of its impls instead. The compiler asks it where the program
//! names the type: in `engine::main!`, in `engine::register!`, or at a field.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics};

/// The parameters of an item, none of which is a lifetime.
#[derive(Clone, Default)]
pub(crate) struct Params {
    generics: Generics,
}

impl Params {
    pub(crate) fn of(generics: &Generics) -> Params {
        Params { generics: generics.clone() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.generics.params.is_empty()
    }

    /// `<T: Number>`.
    pub(crate) fn declared(&self) -> impl ToTokens {
        self.generics.split_for_impl().0.into_token_stream()
    }

    /// `<T>`.
    pub(crate) fn named(&self) -> impl ToTokens {
        self.generics.split_for_impl().1.into_token_stream()
    }

    /// `::<T>`, as the text of a path.
    pub(crate) fn turbofish(&self) -> String {
        self.generics.split_for_impl().1.as_turbofish().into_token_stream().to_string().replace(' ', "")
    }

    /// The conditions of the item, and more: `where T: Number, T: Saved`.
    pub(crate) fn conditions(&self, more: &[TokenStream]) -> TokenStream {
        let own = self.generics.where_clause.as_ref().map(|conditions| conditions.predicates.iter());
        let own: Vec<TokenStream> = own.into_iter().flatten().map(ToTokens::to_token_stream).collect();
        match own.is_empty() && more.is_empty() {
            true => TokenStream::new(),
            false => quote!(where #(#own,)* #(#more),*),
        }
    }

    /// What every type parameter has to be of a thing that lives as long as a run: `T: 'static`.
    pub(crate) fn lasting(&self) -> Vec<TokenStream> {
        let lasting = self.generics.type_params().map(|param| &param.ident);
        lasting.map(|ident| quote!(#ident: 'static)).collect()
    }

    /// The type of a field that holds nothing, so that a struct makes use of every parameter.
    pub(crate) fn nothing(&self) -> TokenStream {
        let types = self.generics.type_params().map(|param| &param.ident);
        quote!(::core::marker::PhantomData<fn() -> (#(#types,)*)>)
    }

    /// Whether a type contains a parameter.
    pub(crate) fn are_in(&self, tokens: impl ToTokens) -> bool {
        !self.is_empty() && self.occur(tokens.to_token_stream())
    }

    fn occur(&self, tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == "Self" || self.has(&ident),
            TokenTree::Group(group) => self.occur(group.stream()),
            _ => false,
        })
    }

    fn has(&self, ident: &Ident) -> bool {
        self.generics.params.iter().any(|param| match param {
            GenericParam::Type(param) => param.ident == *ident,
            GenericParam::Const(param) => param.ident == *ident,
            GenericParam::Lifetime(_) => false,
        })
    }
}

/// Whether an item has a lifetime, which nothing that lasts as long as a run can have.
pub(crate) fn borrow(generics: &Generics) -> bool {
    generics.lifetimes().next().is_some()
}

/// A type by its name and parameters: `Worst<T>`.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) ident: Ident,
    pub(crate) params: Params,
}

impl Owner {
    pub(crate) fn new(ident: &Ident, generics: &Generics) -> Owner {
        Owner { ident: ident.clone(), params: Params::of(generics) }
    }
}

impl ToTokens for Owner {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.ident.to_tokens(tokens);
        self.params.named().to_tokens(tokens);
    }
}

//! What `experiment!` and `check_experiments!` hand over: where the engine is, a trainer, and a path or a pattern of files.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token, Type};

/// `engine, Trainer, "experiments/digits.ron"`.
pub(crate) struct TrainerAndFiles {
    pub(crate) krate: syn::Path,
    /// `None`: that of `engine::main!`.
    pub(crate) trainer: Option<Type>,
    /// A path, or a pattern of paths, relative to the package's `Cargo.toml`.
    pub(crate) files: LitStr,
}

impl Parse for TrainerAndFiles {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate = input.call(syn::Path::parse_mod_style)?;
        input.parse::<Token![,]>()?;
        let trainer = match input.peek(LitStr) {
            true => None,
            false => {
                let trainer = input.parse()?;
                input.parse::<Token![,]>()?;
                Some(trainer)
            }
        };
        Ok(TrainerAndFiles { krate, trainer, files: input.parse()? })
    }
}

impl TrainerAndFiles {
    /// A value of which the engine takes the trainer: the function `main`, which `engine::main!` makes, or a stand-in of the
    /// same type for a trainer that is named.
    pub(crate) fn of(&self) -> TokenStream {
        let krate = &self.krate;
        match &self.trainer {
            Some(trainer) => quote!(&#krate::__private::named::<#trainer>),
            None => {
                let at = Span::mixed_site().located_at(self.files.span());
                let main = proc_macro2::Ident::new("main", Span::call_site().located_at(self.files.span()));
                quote_spanned!(at=> &#main)
            }
        }
    }

    /// Statements among which `main` is that of the module; else that of the crate; else that of `elsewhere`, a module of
    /// `__private`.
    pub(crate) fn among(&self, elsewhere: &str, statements: &TokenStream) -> TokenStream {
        if self.trainer.is_some() {
            return quote!({ #statements });
        }
        let (krate, elsewhere) = (&self.krate, proc_macro2::Ident::new(elsewhere, Span::call_site()));
        let all = quote!(*);
        let quiet = quote!(#[allow(unused_imports, clippy::wildcard_imports)]);
        quote! {{
            #quiet
            use #krate::__private::#elsewhere::#all;
            {
                #quiet
                use crate::#all;
                {
                    #quiet
                    use self::#all;
                    #statements
                }
            }
        }}
    }
}

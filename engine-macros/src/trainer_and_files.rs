//! What `experiment!` and `check_experiments!` hand over: where the engine is, a trainer, and a path or a pattern of files.

use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token, Type};

/// `engine, Trainer, "experiments/digits.ron"`.
pub(crate) struct TrainerAndFiles {
    pub(crate) krate: syn::Path,
    pub(crate) trainer: Type,
    /// A path, or a pattern of paths, relative to the package's `Cargo.toml`.
    pub(crate) files: LitStr,
}

impl Parse for TrainerAndFiles {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate = input.call(syn::Path::parse_mod_style)?;
        input.parse::<Token![,]>()?;
        let trainer = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(TrainerAndFiles { krate, trainer, files: input.parse()? })
    }
}

//! What the macro knows of a block of passes.

use crate::krate::Krate;
use proc_macro2::Ident;
use syn::{Expr, ItemImpl, Type};

/// A block of passes.
pub(crate) struct Passes {
    /// The block without `#[pass]`.
    pub(crate) item: ItemImpl,
    pub(crate) passes: Vec<Pass>,
    /// `type Batch = …;`, if the block has it.
    pub(crate) batch: Option<Type>,
    pub(crate) krate: Krate,
}

/// A method under `#[pass]`.
pub(crate) struct Pass {
    pub(crate) name: Ident,
    /// The `#[optimizer]` fields that it steps; empty when the attribute names none, which is reported.
    pub(crate) optimizers: Vec<Ident>,
    pub(crate) times: Option<Expr>,
    pub(crate) every: Option<Expr>,
    /// `Fresh` or `Same`.
    pub(crate) batches: Option<Ident>,
    /// The type of the batch without `&`, if the pass names one; without, it takes `Self::Batch`.
    pub(crate) batch: Option<Type>,
    /// What is needed to call it; `None` when its signature is wrong, which is reported.
    pub(crate) call: Option<Call>,
}

/// The types of a right signature, for the places of mismatches.
pub(crate) struct Call {
    /// The type of the context, without `&mut`.
    pub(crate) context: Type,
    /// The return type.
    pub(crate) output: Type,
}

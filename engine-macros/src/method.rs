//! Methods that the engine calls: phases and passes. What their signatures share.

use crate::diag::Diag;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, FnArg, GenericParam, ImplItemFn, ReturnType, Type, parse_quote};

/// What a method has to be.
pub(crate) struct Wanted<'a> {
    /// `a phase`, for messages.
    pub(crate) what: &'a str,
    /// `its hook`: whose method it is.
    pub(crate) owner: &'a str,
    /// The whole signature as it should be.
    pub(crate) signature: String,
}

impl Wanted<'_> {
    /// Reports what is wrong.
    pub(crate) fn refuse(&self, at: impl ToTokens, problem: &str, diag: &mut Diag) {
        diag.error(at, format!("{problem}; expected `{}`", self.signature));
    }

    /// Checks what stands before the parameters, and `self`. Gives the parameters behind it; `None` when the error is
    /// reported.
    pub(crate) fn parameters<'f>(&self, function: &'f ImplItemFn, diag: &mut Diag) -> Option<Vec<&'f FnArg>> {
        let (signature, what) = (&function.sig, self.what);
        let keyword = [
            (signature.asyncness.to_token_stream(), "is not `async`"),
            (signature.constness.to_token_stream(), "is not `const`"),
            (signature.unsafety.to_token_stream(), "is not `unsafe`"),
            (signature.abi.to_token_stream(), "has no `extern`"),
        ]
        .into_iter()
        .find(|(tokens, _)| !tokens.is_empty());
        let generic = signature.generics.params.iter().find(|param| !matches!(param, GenericParam::Lifetime(_)));
        let mut inputs = signature.inputs.iter();
        let (at, problem): (TokenStream, String) = match (keyword, generic, inputs.next()) {
            (Some((tokens, problem)), _, _) => (tokens, format!("{what} {problem}")),
            (None, Some(param), _) => (param.to_token_stream(), format!("{what} is not generic")),
            (None, None, Some(FnArg::Receiver(receiver))) if is_mutable_borrow(&receiver.ty) => {
                return Some(inputs.collect());
            }
            (None, None, Some(FnArg::Receiver(receiver))) => {
                (receiver.to_token_stream(), format!("{what} borrows {} as `&mut self`", self.owner))
            }
            (None, None, _) => (signature.ident.to_token_stream(), format!("{what} is a method")),
        };
        self.refuse(at, &problem, diag);
        None
    }

    /// The type of a context parameter, without `&mut`; `None` when the error is reported.
    pub(crate) fn context(&self, parameter: Option<&FnArg>, function: &ImplItemFn, diag: &mut Diag) -> Option<Type> {
        let what = self.what;
        match parameter {
            Some(FnArg::Typed(argument)) => match argument.ty.as_ref() {
                Type::Reference(reference) if is_foreign_context(&reference.elem) => {
                    self.refuse(&reference.elem, &format!("{what} takes the context as `&mut Context<'_>`"), diag);
                    None
                }
                Type::Reference(reference) if outlives_the_call(&reference.elem) => {
                    self.refuse(&reference.elem, &format!("{what} borrows the context for one call"), diag);
                    None
                }
                Type::Reference(reference) if reference.mutability.is_some() => Some(reference.elem.as_ref().clone()),
                other => {
                    self.refuse(other, &format!("{what} takes the context as `&mut Context<'_>`"), diag);
                    None
                }
            },
            _ => {
                self.refuse(&function.sig.ident, &format!("{what} takes the context"), diag);
                None
            }
        }
    }

    /// The return type, which is `result`; `None` when the error is reported.
    pub(crate) fn output(&self, function: &ImplItemFn, result: &str, diag: &mut Diag) -> Option<Type> {
        let problem = format!("{} returns `{result}`", self.what);
        match &function.sig.output {
            ReturnType::Type(_, output) if !returns_nothing(&function.sig.output) => Some(output.as_ref().clone()),
            ReturnType::Type(_, output) => {
                self.refuse(output, &problem, diag);
                None
            }
            ReturnType::Default => {
                self.refuse(&function.sig.ident, &problem, diag);
                None
            }
        }
    }
}

/// What lints may say of a signature that its author can't choose is not said.
pub(crate) fn quiet_signature() -> Attribute {
    parse_quote! {
        #[allow(
            clippy::missing_const_for_fn,
            clippy::missing_errors_doc,
            clippy::needless_pass_by_ref_mut,
            clippy::ptr_arg,
            clippy::trivially_copy_pass_by_ref,
            clippy::unnecessary_wraps,
            clippy::unused_self
        )]
    }
}

/// What other engines hand to a method in the place of the context.
pub(crate) fn is_foreign_context(ty: &Type) -> bool {
    const NAMES: [&str; 4] = ["Runner", "Trainer", "Engine", "LightningModule"];
    matches!(ty, Type::Path(path) if path.path.get_ident().is_some_and(|name| NAMES.iter().any(|known| name == known)))
}

/// `Context<'static>`.
fn outlives_the_call(ty: &Type) -> bool {
    ty.to_token_stream().to_string().contains("'static")
}

/// Whether a method returns nothing, or says so.
pub(crate) fn returns_nothing(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => matches!(ty.as_ref(), Type::Tuple(tuple) if tuple.elems.is_empty()),
    }
}

fn is_mutable_borrow(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if reference.mutability.is_some())
}

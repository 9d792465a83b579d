//! What a block of passes must have.

use crate::diag::Diag;
use crate::passes::model::{Pass, Passes};
use syn::{Expr, ExprLit, Lit};

/// Reports what is wrong with the passes together.
pub(crate) fn validate(passes: &Passes, diag: &mut Diag) {
    let Some(first) = passes.passes.first() else { return };
    // without a batch and without another error, the passes take `Self::Batch` and nothing says what it is
    if passes.batch().is_none() && !diag.has_errors() {
        let message = "nothing says what `Self::Batch` is; add `type Batch = …;` to this block, with what the train loader hands over";
        diag.error(&passes.item.self_ty, message);
    }
    // a number that is no literal is known later, when the experiment is read
    if passes.passes.iter().all(|pass| is_above_one(pass.every.as_ref())) {
        let message = "no pass runs in every iter, so some iters would do nothing; leave `every` out of one of them";
        diag.error(&first.every, message);
    }
}

fn is_above_one(every: Option<&Expr>) -> bool {
    match every {
        Some(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => {
            number.base10_parse::<u64>().is_ok_and(|number| number > 1)
        }
        _ => false,
    }
}

impl Passes {
    /// The type of the batch: that of `type Batch = …;`, or of the first pass that names one.
    pub(crate) fn batch(&self) -> Option<&syn::Type> {
        self.batch.as_ref().or_else(|| self.passes.iter().find_map(|pass: &Pass| pass.batch.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::parse::parse;
    use proc_macro2::TokenStream;
    use quote::quote;

    #[test]
    fn one_pass_takes_its_turn_in_each_iter() {
        let errors = |second: TokenStream| {
            let signature = quote!((&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> { Ok(x) });
            let block = quote!(impl Gan {
                #[pass(a, every = 2)] fn one #signature
                #[pass(b #second)] fn two #signature
            });
            let mut diag = Diag::new();
            validate(&parse(TokenStream::new(), block, &mut diag).unwrap(), &mut diag);
            diag.into_messages()
        };
        assert_eq!(errors(quote!(, every = 3)).len(), 1);
        assert!(errors(quote!()).is_empty() && errors(quote!(, every = 1)).is_empty());
        assert!(errors(quote!(, every = N)).is_empty());
    }
}

//! `#[derive(Batch)]`: a struct of tensors becomes what a step is given.

mod expand;
mod parse;

use crate::diag::Diag;
use proc_macro2::TokenStream;

/// The whole macro. The item stays where it is: a derive only adds to it.
pub(crate) fn expand(_: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    let mut tokens = match parse::parse(item, &mut diag) {
        Some(batch) => expand::expand(&batch),
        None => TokenStream::new(),
    };
    tokens.extend(diag.into_tokens());
    tokens
}

#[cfg(test)]
mod tests {
    use crate::snapshot;
    use proc_macro2::TokenStream;
    use quote::quote;

    fn messages(item: TokenStream) -> Vec<String> {
        let mut diag = crate::diag::Diag::new();
        let _ = super::parse::parse(item, &mut diag);
        diag.into_messages()
    }

    #[test]
    fn the_expansion_is_the_one_in_the_snapshot() {
        let expansion = super::expand(
            TokenStream::new(),
            quote! {
                /// Images with boxes.
                #[batch(crate = ::some::engine)]
                pub struct Scenes {
                    images: Tensor,
                    boxes: Vec<Tensor>,
                    #[batch(shared)]
                    anchors: Tensor,
                    #[batch(whole)]
                    folder: PathBuf,
                    #[batch(weight)]
                    objects: Vec<usize>,
                }
            },
        );
        snapshot::check("batch/scenes", &expansion);
    }

    #[test]
    fn a_tuple_struct_with_parameters_and_a_method_for_its_weight_expands() {
        let expansion = super::expand(
            TokenStream::new(),
            quote! {
                #[batch(weight = Self::tokens)]
                struct Pair<A: Batch, B>(#[batch(whole)] i64, A, #[batch(size)] B) where B: Batch;
            },
        );
        snapshot::check("batch/pair", &expansion);
    }

    #[test]
    fn every_mistake_is_told_and_none_hides_another() {
        let told = messages(quote! {
            #[batch(weight, shared)]
            struct Wrong {
                #[batch(shared, whole)]
                a: Tensor,
                #[batch(weight = 3)]
                b: f64,
                #[batch(sized)]
                c: Tensor,
                #[batch]
                d: Tensor,
                #[batch(weight)]
                e: f64,
            }
        });
        assert_eq!(
            told,
            [
                "`weight` of a whole batch needs a value here, write `weight = Self::tokens`; or mark the field that states it",
                "`shared` marks a field; write it above the field",
                "`whole` and `shared` can't be said of one field, keep one of them",
                "`weight` takes no value at a field, write `weight` alone",
                "unknown argument `sized` of the `batch` attribute, did you mean `size`?",
                "the `batch` attribute says nothing here; write `#[batch(shared)]`, `#[batch(whole)]`, `#[batch(size)]` or `#[batch(weight)]`, or remove it",
                "the weight is stated twice, keep one of them",
            ]
        );
    }
}

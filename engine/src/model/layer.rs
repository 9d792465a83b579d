//! Tensors whose values are exchanged or written, whatever memory they lie in.

use tch::{TchError, Tensor};

/// The result of [`ModelEntry::swap_in`](crate::model::ModelEntry::swap_in), to be passed to `swap_out`.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the weights stay in the model until `swap_out`"]
pub struct SwappedIn(pub(super) u64);

/// Weights that a model works with for a while, in place of those below them.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) number: u64,
    /// Whose they are, for messages.
    pub(super) by: String,
    /// The tensors that were given. While the layer is the upmost, they hold what the model had before.
    pub(super) tensors: Vec<(String, Tensor)>,
}

/// Exchanges the storage of two lists of the same names. A tensor that has several names is exchanged once, under its
/// first one.
pub(super) fn exchange(these: &mut [(String, Tensor)], those: &mut [(String, Tensor)], first: &[usize]) {
    tch::no_grad(|| {
        for (place, ((_, this), (_, that))) in these.iter_mut().zip(those).enumerate() {
            if first[place] == place {
                let before = this.detach();
                this.set_data(that);
                that.set_data(&before);
            }
        }
    });
}

/// The dimensions along which a tensor repeats one value, as `expand` makes them.
pub(super) fn repeats(tensor: &Tensor) -> impl Iterator<Item = i64> {
    let dimensions = (0i64..).zip(tensor.size().into_iter().zip(tensor.stride()));
    dimensions.filter(|(_, (length, stride))| *length > 1 && *stride == 0).map(|(dimension, _)| dimension)
}

/// Whether values of the same shape fit into a tensor: wherever it repeats one value, they do too.
pub(super) fn fit_into(to: &Tensor, values: &Tensor) -> Result<bool, TchError> {
    match repeats(to).next() {
        None => Ok(true),
        Some(_) => one_each(to, values)?.f_expand_as(values)?.f_allclose(values, 0.0, 0.0, true),
    }
}

/// Copies values that fit into a tensor, each once.
pub(super) fn write_into(to: &Tensor, values: &Tensor) -> Result<(), TchError> {
    one_each(to, &to.f_detach()?)?.f_copy_(&one_each(to, values)?).map(drop)
}

/// The first of the values that `like` repeats.
fn one_each(like: &Tensor, tensor: &Tensor) -> Result<Tensor, TchError> {
    repeats(like).try_fold(tensor.shallow_clone(), |tensor, dimension| tensor.f_narrow(dimension, 0, 1))
}

//! Weights that a model works with for a while.

use tch::Tensor;

/// What [`ModelEntry::swap_in`](crate::model::ModelEntry::swap_in) gives: which weights are to be taken out again.
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

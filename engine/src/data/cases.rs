//! The samples of a batch, one by one.

use crate::base::{Output, Result};
use crate::data::batch::Batch;

/// Evaluates the samples of a batch one by one, after one forward pass for all of them: `evaluate` gets each sample as a batch
/// of one with its tensors and texts of `output`, and its results are averaged.
///
/// For scores that are defined for a single case, such as a registration error or the Dice of one scan: the mean over
/// cases is not that over their elements.
///
/// ```
/// use engine::data::by_case;
/// use engine::prelude::*;
///
/// # struct Scans;
/// # impl Scans { fn net(&self, scans: &Tensor) -> Tensor { scans.shallow_clone() } }
/// # impl Scans {
/// fn test_step(&mut self, batch: &(Tensor, Tensor), _: &mut Context<'_>) -> Result<Output> {
///     let found = self.net(&batch.0).gt(0.5); // [n, h, w]
///     by_case(batch, &Output::without_loss().tensor("found", &found), |(_, target), case| {
///         let found = case.get("found").ok_or_else(|| Error::msg("no mask was found"))?; // [1, h, w]
///         let both = found.logical_and(target).sum(Kind::Float);
///         Ok(Output::without_loss().value("dice", 2.0 * both / (found.sum(Kind::Float) + target.sum(Kind::Float))))
///     })
/// }
/// # }
/// ```
///
/// # Errors
/// Those of `evaluate`; when a part of `output` has not one entry for each sample, and when the cases give different parts.
pub fn by_case<B: Batch>(
    batch: &B,
    output: &Output,
    mut evaluate: impl FnMut(&B, &Output) -> Result<Output>,
) -> Result<Output> {
    let samples = batch.size();
    let cases = (0..samples).map(|index| evaluate(&batch.samples(index..index + 1)?, &output.case(index, samples)?));
    Output::joined(cases.collect::<Result<Vec<_>>>()?)
}

//! What a sampler is: a pure function of (seed, pass).

use crate::base::error::Result;
use crate::data::sampler::order::Order;
use crate::data::sampler::pass::Pass;
use crate::data::sampler::population::{Fact, Population};
use std::fmt::Debug;

/// Chooses the samples of a pass and their order.
///
/// A sampler has no state: the order of a pass depends only on its settings, the data and the [`Pass`], so that a
/// resumed run needs no replay. The order is for the whole run: when several processes share a run, they read from the
/// same order in turn, so that it does not change with their number.
///
/// ```
/// use engine::data::{Order, Pass, Population, Sampler};
/// use engine::prelude::*;
///
/// /// Every second sample, beginning with the first one in even passes.
/// #[component(sampler)]
/// struct Alternating {}
///
/// impl Sampler for Alternating {
///     fn samples(&self, data: &Population<'_>) -> usize {
///         data.len / 2
///     }
///     fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
///         Ok(Order::List((0..data.len / 2).map(|n| 2 * n + (pass.number % 2) as usize).collect()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sampler",
    label = "this type does not implement `Sampler`",
    note = "implement `engine::data::Sampler` for `{Self}`"
)]
pub trait Sampler: Debug + Send + Sync {
    /// The number of samples in one pass; by default the number of samples in the dataset.
    fn samples(&self, data: &Population<'_>) -> usize {
        data.len
    }

    /// True when passes follow each other without an end, so that a batch may contain samples of two passes.
    fn endless(&self) -> bool {
        false
    }

    /// Another sampler, as a file writes it, with the same order in every pass: a run of one may be resumed with the
    /// other. `None` when no other sampler has this order.
    fn order_name(&self) -> Option<String> {
        None
    }

    /// What the order depends on beside the number of samples. A sampler that ignores some of it leaves it out, so that a
    /// run may be resumed in the middle of a pass when only that has changed.
    fn uses(&self) -> &'static [Fact] {
        Fact::ALL
    }

    /// The order of one pass: exactly [`Sampler::samples`] indices, each below the number of samples in the dataset.
    ///
    /// # Errors
    /// When the data can't be sampled this way.
    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order>;
}

/// A sampler that a file can choose. `#[component(sampler)]` implements and registers it.
#[typetag::serde]
pub trait SamplerConfig: Sampler {
    /// The same settings again.
    fn clone_sampler(&self) -> Box<dyn SamplerConfig>;
}

impl Clone for Box<dyn SamplerConfig> {
    fn clone(&self) -> Self {
        self.clone_sampler()
    }
}

//! The recipe of an optimizer, as an experiment file writes it.

use crate::optim::algorithm::Algorithm;
use crate::optim::error::OptimError;
use crate::optim::groups::GroupRules;
use crate::optim::minimizer::Minimizer;
use crate::optim::settings::Settings;
use std::fmt::Debug;

/// The settings of an optimizer, without parameters. [`Optim::new`](crate::optim::Optim::new) makes an optimizer of
/// it.
///
/// ```
/// use engine::optim::{Algorithm, GroupRules, OptimError, Settings};
/// use engine::prelude::*;
///
/// /// AdamW with the momentum that this project always uses.
/// #[component(optimizer)] // `optimizer: Ours(lr: 1e-3)` in experiments
/// pub struct Ours {
///     #[config(range = 0.0..)]
///     pub lr: f64,
/// }
///
/// impl Ours {
///     fn recipe(&self) -> AdamW {
///         AdamW { betas: (0.95, 0.999), ..AdamW::new(self.lr) }
///     }
/// }
///
/// impl Optimizer for Ours {
///     fn name(&self) -> &'static str {
///         "Ours"
///     }
///     fn check(&self) -> Result<(), OptimError> {
///         self.recipe().check()
///     }
///     fn settings(&self) -> Settings {
///         self.recipe().settings()
///     }
///     fn groups(&self) -> GroupRules<'_> {
///         GroupRules::default()
///     }
///     fn algorithm(&self) -> Box<dyn Algorithm> {
///         self.recipe().algorithm()
///     }
/// }
/// # fn main() {
/// assert_eq!(Ours { lr: 1e-3 }.settings().get("beta1"), Some(0.95));
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an optimizer",
    label = "not an optimizer",
    note = "`Adam`, `AdamW` and `Sgd` are; implement `Optimizer` for a recipe of your own"
)]
pub trait Optimizer: Debug + Send + Sync {
    /// Its name in checkpoints and messages.
    fn name(&self) -> &'static str;

    /// Checks the values of the settings.
    ///
    /// # Errors
    /// The first field with an invalid value.
    fn check(&self) -> Result<(), OptimError>;

    /// The settings of a group without a rule. Rules can change all of them.
    fn settings(&self) -> Settings;

    /// The parameter groups of the file.
    fn groups(&self) -> GroupRules<'_>;

    /// How an update is computed.
    fn algorithm(&self) -> Box<dyn Algorithm>;

    /// How an update is computed that needs the loss at several points; it takes the place of [`Optimizer::algorithm`].
    fn minimizer(&self) -> Option<Box<dyn Minimizer>> {
        None
    }
}

/// An optimizer that a file can choose. `#[component(optimizer)]` implements and registers it.
#[typetag::serde]
pub trait OptimizerConfig: Optimizer {}

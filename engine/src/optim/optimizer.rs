//! The recipe of an optimizer, as an experiment file writes it.

use crate::optim::algorithm::Algorithm;
use crate::optim::error::OptimError;
use crate::optim::groups::GroupRules;
use crate::optim::settings::Settings;
use std::fmt::Debug;

/// An optimizer before it has parameters. [`Optim::new`](crate::optim::Optim::new) makes it live.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no optimizer",
    label = "not an optimizer",
    note = "`Adam`, `AdamW` and `Sgd` are; implement `Optimizer` for a recipe of your own"
)]
pub trait Optimizer: Debug + Send + Sync {
    /// Its name, as checkpoints and messages tell it.
    fn name(&self) -> &'static str;

    /// Whether the numbers make sense.
    ///
    /// # Errors
    /// The first field that does not.
    fn check(&self) -> Result<(), OptimError>;

    /// The settings of a group that no rule says anything about. `lr` and `weight_decay` are what rules change.
    fn settings(&self) -> Settings;

    /// The parameter groups that the file asks for.
    fn groups(&self) -> GroupRules<'_>;

    /// How an update is computed.
    fn algorithm(&self) -> Box<dyn Algorithm>;
}

/// An optimizer that a file can choose. `#[component(optimizer)]` implements and registers it.
#[typetag::serde]
pub trait OptimizerConfig: Optimizer {}

//! `plan.json`: what a training is going to do, written at its begin for those who look at the run's folder.

use serde::{Deserialize, Serialize};

/// What a training is going to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunPlan {
    /// Updates of the whole training.
    pub max_iters: u64,
    /// Epochs of the whole training; `None` in a training counted in iters.
    pub max_epochs: Option<u64>,
    /// Finished updates at the moments of which scheduled values are told, in order.
    pub moments: Vec<u64>,
    /// The parameter groups of all optimizers.
    pub groups: Vec<PlannedSettings>,
    /// The settings of hooks, metrics and the trainer that schedules can change, by their paths: `hooks.ema.decay`. Their
    /// values are as those of a group. Plans of earlier versions have none.
    #[serde(default)]
    pub parts: Vec<(String, Vec<Option<f64>>)>,
    /// The phases that call any hook, with their hooks in the order in which they are called.
    pub phases: Vec<PlannedCalls>,
}

/// The settings of a parameter group over the training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedSettings {
    /// The optimizer and the group: `opt/default`.
    pub name: String,
    /// How many tensors it has.
    pub tensors: usize,
    /// How many of them are frozen from the start.
    pub frozen: usize,
    /// Each setting with its value at each moment, or with a single value where it has no schedule. What is not finite is
    /// `None`.
    pub settings: Vec<(String, Vec<Option<f64>>)>,
}

/// The hooks of a phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedCalls {
    /// `before_train_epoch`.
    pub phase: String,
    /// Its hooks.
    pub hooks: Vec<PlannedCall>,
}

/// A hook of a phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedCall {
    /// The field's or component's name.
    pub name: String,
    /// The level that counts, from 0 (first) to 100.
    pub level: u8,
    /// Where it comes from, and what the file has changed.
    pub origin: String,
}

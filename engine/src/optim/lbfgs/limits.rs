//! What bounds an update.

use engine_macros::component;

/// How the length of a step is found.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum LineSearch {
    /// The loss has to fall enough and its slope to become flat enough (Nocedal and Wright, 2006, algorithms 3.5 and 3.6, with
    /// 1e-4 and 0.9), along cubic interpolations. A point whose loss is no finite number counts as too far.
    StrongWolfe,
}

/// The settings of an update but for the learning rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) max_iter: u64,
    pub(super) max_eval: u64,
    pub(super) tolerance_grad: f64,
    pub(super) tolerance_change: f64,
    pub(super) history: u64,
    pub(super) line_search: Option<LineSearch>,
}

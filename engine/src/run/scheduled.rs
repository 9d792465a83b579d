//! Settings of hooks, metrics and the trainer that schedules change.

/// A setting with a schedule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scheduled {
    /// The part and the setting, `hooks.ema.decay`.
    pub(crate) path: String,
    /// The value of the experiment, which schedules multiply.
    pub(crate) initial: f64,
    /// The value now.
    pub(crate) value: f64,
}

//! Whose fields have roles.

/// Whose field it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnerKind {
    Hook,
    Metric,
    Sink,
    Component,
    Trainer,
}

//! What a function under `#[schedule]` takes and returns: each a trait, so that another type is one error at that type.

use crate::optim::schedule::WindowPosition;

/// What such a function takes.
#[diagnostic::on_unimplemented(
    message = "a schedule takes its position in its window, a `WindowPosition`, and not `{Self}`",
    label = "expected `WindowPosition`",
    note = "the position has the counts since the begin, `at`, the `length` of the window, and `fraction()`, from 0 to 1"
)]
pub trait PositionArgument {
    /// It is one.
    const FITS: bool = true;
}

impl PositionArgument for WindowPosition {}

/// What such a function returns.
#[diagnostic::on_unimplemented(
    message = "a schedule returns the factor of the initial value, an `f64`, and not `{Self}`",
    label = "expected `f64`",
    note = "the setting is its initial value times this factor, which is 1.0 where nothing changes"
)]
pub trait FactorResult {
    /// It is one.
    const FITS: bool = true;
}

impl FactorResult for f64 {}

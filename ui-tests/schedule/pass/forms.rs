//! The forms that a schedule can have.

use engine::prelude::*;

/// Half of it every ten counts.
#[schedule]
pub fn slow_start(position: WindowPosition) -> f64 {
    0.5f64.powf((position.at / 10) as f64)
}

/// With a name of its own, and a position that nothing reads.
#[engine::schedule(name = "Whole")]
pub(crate) const fn r#use(_: engine::optim::schedule::WindowPosition) -> f64 {
    1.0
}

/// With an expression in the place of a name.
#[schedule(crate = ::engine)]
pub fn by_pattern(WindowPosition { at, length, .. }: WindowPosition) -> f64 {
    at as f64 / length as f64
}

#[cfg(any())]
#[schedule]
fn absent(position: Missing) -> f64 {}

/// Uses what is not public.
pub fn uses() -> f64 {
    r#use(WindowPosition { begin: 0, at: 0, length: 1 })
}

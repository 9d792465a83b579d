//! What a schedule's function has to be.

use engine::prelude::*;
// mistake: async
#[schedule]
async fn later(_: WindowPosition) -> f64 {
    1.0
}
// mistake: unsafe
#[schedule]
unsafe fn dangerous(_: WindowPosition) -> f64 {
    1.0
}
// mistake: generic
#[schedule]
fn any<T>(_: T) -> f64 {
    1.0
}
// mistake: no position
#[schedule]
fn nowhere() -> f64 {
    1.0
}
// mistake: a setting
#[schedule]
fn with_setting(_: WindowPosition, _every: u64) -> f64 {
    1.0
}
// mistake: no factor
#[schedule]
fn nothing(_: WindowPosition) {}
// mistake: another kind of position
#[schedule]
fn of_iter(_: u64) -> f64 {
    1.0
}
// mistake: another kind of factor
#[schedule]
fn narrow(_: WindowPosition) -> f32 {
    1.0
}
// mistake: any type
#[schedule]
fn whatever(_: impl Copy) -> f64 {
    1.0
}
fn main() {}

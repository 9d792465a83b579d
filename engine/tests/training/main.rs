//! Training as the engine's loops do it: phases, updates, validation, checkpoints, and the optimizers below them.
//!
//! The programs are small and written by hand (`support`). What draws from libtorch's generator or asks where it
//! stands belongs into the tests of `serial`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod ahead;
mod aids;
mod averages;
mod background;
mod backward;
mod context;
mod early_stopping;
mod ended;
mod failures;
mod gradients;
mod lbfgs;
mod non_finite;
mod optimizers;
mod order;
mod passes;
mod peers;
mod plan;
mod plateau;
mod porting;
mod precision;
mod sanity;
mod saving;
mod schedules;
mod slow_disk;
mod staged;
mod stops;
mod updates;
mod validation;
mod weights;

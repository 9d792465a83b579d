//! What an update and an iter may not cost: memory on the engine's side, reads of the device, calls of hooks that are
//! not there. The allocator of this program counts. (What libtorch allocates does not pass through it.)

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod allocations;
mod batches;
mod iters;
mod orders;
#[path = "../support/mod.rs"]
mod support;
mod updates;

//! Tests that share what libtorch has once in a process, its generators and switches: each runs `alone`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod changed;
mod draws;
mod dumps;
mod resume;
mod rollback;
mod switches;

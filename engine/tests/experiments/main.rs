//! Experiments as they are read: by the macros' expansions, by rules across fields, from files and from Rust.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, missing_docs, reason = "the trainers are programs of tests")]

mod batch_norm;
mod bundle;
mod compiled;
mod costs;
mod endings;
mod fuzz;
mod generic;
mod in_rust;
mod joined;
mod loops;
mod macros;
mod many_hooks;
mod optional_loader;
mod precision;
mod predictor;
mod preprocessor;
mod pretrained;
mod processors;
mod program;
#[allow(dead_code, reason = "the tests of `config` use the rest")]
#[path = "../../src/config/tests/generated/random.rs"]
mod random;
mod round_trip;
mod rules;
mod scheduled;
mod streams;
mod tasks;
mod traced;
mod weights;

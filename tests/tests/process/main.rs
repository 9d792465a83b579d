//! Real runs in real processes: what a person at a terminal, or a scheduler of jobs, can rely on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "the parts of one test program share what they need")]

mod batch_find;
mod bench;
mod board;
mod left;

mod changed;
mod commands;
mod completion;
mod disk;
mod early;
mod endings;
mod explain;
mod files;
mod folder;
mod going_on;
mod halving;
mod hooks;
mod hostile;
mod lr_find;
mod mistakes;
mod names;
mod outputs;
mod overfit;
mod panics;
mod passes;
mod peers;
mod ranks;
mod repeatable;
mod replay;
mod resume;
mod rows;
mod runs;
mod samples;
mod schema;
mod signals;
mod slow_disk;
mod smoke;
mod sweep;
mod torture;
mod trials;
mod weights;

//! What the documents and the folders promise is what is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod circles;
mod documents;
mod floors;
mod from_pages;
mod twins;

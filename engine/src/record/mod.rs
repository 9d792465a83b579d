//! What is seen of a run: numbers by name, rows of them, and the sinks that rows go to.
//!
//! What it promises: logging a number reads nothing from the device; all that was logged since the last row is
//! fetched together, in one read for each device; a line once written is whole. What it never does: decide
//! when a row is due, or which numbers are in it. That is the business of hooks.

mod console;
mod error;
mod format;
mod json_lines;
mod log_file;
mod row;
mod sink;
mod timing;
mod window;

pub use console::{Console, Verbosity};
pub use error::RecordError;
pub use format::{clock, row_text, value_text};
pub use json_lines::JsonLines;
pub use log_file::LogFile;
pub use row::{Row, RowPhase};
pub use sink::{Progress, Sink, Sinks};
pub use timing::{Timed, Timing};
pub use window::Record;

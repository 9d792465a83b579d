//! Where what is recorded goes: the console, `log.txt`, `metrics.jsonl`, and what an experiment names in `sinks`.
//!
//! What is promised: a line once written is whole, and a resumed run goes on where the checkpoint stood, so that its
//! files hold what those of a run hold that was never stopped.

mod console;
mod format;
mod json_lines;
mod log_file;
mod row_line;
#[cfg(feature = "tensorboard")]
mod tensorboard;

pub use console::{Console, ConsoleOptions, Verbosity};
pub use format::{clock, row_text, value_text};
pub use json_lines::JsonLines;
pub use log_file::LogFile;
#[cfg(feature = "tensorboard")]
pub use tensorboard::TensorBoard;

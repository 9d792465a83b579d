//! The sinks of the engine: the console, `log.txt`, `metrics.jsonl`, and those that an experiment names in `sinks`.
//!
//! Promised: a written line is always whole, and a resumed run continues at the position of the checkpoint, so that
//! its files have the same content as those of a run that was never stopped.

mod console;
mod format;
mod json_lines;
mod log_file;
#[cfg(feature = "mlflow")]
mod mlflow;
mod row_line;
#[cfg(feature = "tensorboard")]
mod tensorboard;

pub use console::{Console, ConsoleOptions, Verbosity};
pub use format::{clock, row_text, value_text};
pub use json_lines::JsonLines;
pub use log_file::LogFile;
pub(crate) use log_file::date;
#[cfg(feature = "mlflow")]
pub use mlflow::{Artifacts, Mlflow};
#[cfg(feature = "tensorboard")]
pub use tensorboard::TensorBoard;
#[cfg(feature = "tensorboard")]
pub(crate) use tensorboard::event_files;

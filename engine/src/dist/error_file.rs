//! The file in which a process leaves its error for its launcher, as `torchrun` reads it: `TORCHELASTIC_ERROR_FILE`.

use crate::base::disk::write_atomic;
use crate::base::{Error, ErrorContext as _, Result};
use crate::dist::group::lost_of;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug, Serialize, Deserialize)]
struct ErrorFile {
    message: Message,
}

#[derive(Debug, Serialize, Deserialize)]
struct Message {
    message: String,
    #[serde(rename = "extraInfo")]
    extra_info: ExtraInfo,
}

#[derive(Debug, Serialize, Deserialize)]
struct ExtraInfo {
    py_callstack: String,
    /// Whole seconds since 1970, as a text.
    timestamp: String,
    /// Whether the error came because another rank was gone; only this engine writes it.
    #[serde(default)]
    follows: bool,
    /// All texts of the error, the outermost first; only this engine writes them.
    #[serde(default)]
    texts: Vec<String>,
}

/// Where the launcher wants the error of this process.
pub(super) const ERROR_FILE: &str = "TORCHELASTIC_ERROR_FILE";

/// Leaves an error for the launcher, where it wants one.
///
/// # Errors
/// When the file can't be written.
#[expect(
    clippy::disallowed_methods,
    reason = "the launcher sorts errors by their date, and nothing is computed with it"
)]
pub fn write_error_file(error: &Error) -> Result<()> {
    let Some(path) = std::env::var_os(ERROR_FILE).map(PathBuf::from) else { return Ok(()) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let extra_info = ExtraInfo {
        py_callstack: error.chain().join("\n"),
        timestamp: now.as_secs().to_string(),
        follows: lost_of(error).is_some(),
        texts: error.chain(),
    };
    let file = ErrorFile { message: Message { message: format!("{error:#}"), extra_info } };
    Ok(write_atomic(&path, serde_json::to_string(&file).context("the error can't be written")?.as_bytes())?)
}

/// The error that a process has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeftError {
    /// All texts, the outermost first.
    pub(super) texts: Vec<String>,
    /// Whether it came because another rank was gone.
    pub(super) follows: bool,
}

impl LeftError {
    /// Reads such a file; `None` when there is none.
    pub(super) fn read(path: &Path) -> Option<LeftError> {
        let file: ErrorFile = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let ExtraInfo { texts, follows, .. } = file.message.extra_info;
        Some(LeftError { texts, follows })
    }
}

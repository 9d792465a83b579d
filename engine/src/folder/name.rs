//! Which names a run can have.

use super::error::FolderError;

/// A folder's name has at most 255 bytes, and a run that is moved aside gets a longer one.
const LONGEST_NAME: usize = 200;

/// Whether a run can have this name.
pub(crate) fn check_name(name: &str) -> Result<(), FolderError> {
    let why = match name {
        "" => "is empty",
        _ if name.contains('/') => "contains a `/`",
        _ if name.contains("..") => "contains `..`",
        _ if name.starts_with('.') => "begins with a `.`",
        _ if name.chars().any(char::is_control) => "contains a control character",
        _ if name.len() > LONGEST_NAME => "is longer than 200 bytes",
        _ if name.trim() != name => "begins or ends with a space",
        _ => return Ok(()),
    };
    Err(FolderError::Name { name: name.to_owned(), why })
}

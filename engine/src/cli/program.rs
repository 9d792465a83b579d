//! The name of this program.

/// What this program is called, for messages that tell what to type.
pub(super) fn program() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&called).file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

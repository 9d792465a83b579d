//! The bytes of one file, and the tree in them.

use super::diagnostic::Diagnostic;
use super::parse;
use super::sources::Sources;
use super::tree::{Node, Span};
use std::io::Read;
use std::path::Path;

/// Files above this many bytes are refused: 1 MiB.
pub const MAX_FILE: u64 = 1 << 20;

/// The file in a run's folder that holds its experiment: where a file is named, the folder can be.
pub(crate) const SAVED: &str = "experiment.ron";

/// A file's bytes, one more than allowed at most, so that a larger file is told from one that just fits.
pub(super) fn read_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    // opening a pipe would wait for its writer, a device may never end
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() { "a folder" } else { "a device or pipe" };
        return Err(std::io::Error::other(format!("it is {what}, not a file")));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Parses bytes and adds them to the sources.
pub(super) fn parse_into(
    sources: &mut Sources,
    name: &str,
    bytes: &[u8],
    folder: &Path,
) -> Result<Node, Vec<Diagnostic>> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(vec![too_large(Span::NONE, name)]);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            // an editor does not show the byte order mark, so no position counts it
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            let file = sources.add_file(name, text, folder);
            parse::parse(file, text)
        }
        Err(error) => {
            let file = sources.add_file(name, String::from_utf8_lossy(bytes), folder);
            // up to here the replaced text is the same, so the position is right
            let start = u32::try_from(error.valid_up_to()).unwrap_or(u32::MAX);
            let span = Span { file, start, end: start.saturating_add(1) };
            let not_utf8 = Diagnostic::new(span, "the file is not UTF-8 from here on");
            Err(vec![not_utf8.help("save it again with the encoding UTF-8")])
        }
    }
}

pub(super) fn too_large(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(span, format!("`{name}` is larger than {} KiB, the limit for an experiment", MAX_FILE / 1024))
}

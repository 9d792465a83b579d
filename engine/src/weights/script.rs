//! A TorchScript program as a file: there whole or not at all.

use crate::base::disk::{DiskContext as _, make_folder, parent, write_atomic};
use crate::base::{ErrorContext as _, Result};
use crate::weights::facts::Exported;
use crate::weights::free::{check_free, named};
use std::path::Path;
use tch::CModule;

/// Writes a program; `{hash}` in the file's name becomes the first eight digits of the blake3 hash of its content.
///
/// # Errors
/// When the file is there already and `force` is not given, libtorch can't write the program, or the disk fails.
pub fn write_script(module: &CModule, to: &Path, force: bool) -> Result<Exported> {
    make_folder(parent(to))?;
    // libtorch writes to a path and in no order that a kill leaves whole
    let draft = to.with_file_name(format!(".export-{}.pt", std::process::id()));
    let saved = module.save(&draft);
    let bytes = saved
        .context("the program can't be written")
        .and_then(|()| Ok(std::fs::read(&draft).while_trying("read", &draft)?));
    // best effort: the result says whether the file itself could be written
    let _ = std::fs::remove_file(&draft);
    let bytes = bytes?;
    let hash = blake3::hash(&bytes).to_hex().to_string();
    let path = named(to, &hash);
    check_free(&path, force, false)?;
    write_atomic(&path, &bytes)?;
    Ok(Exported { path, card: None, hash, bytes: bytes.len() as u64, averaged: false, unconverted: Vec::new() })
}

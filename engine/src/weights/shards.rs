//! `model.safetensors.index.json`: which file holds each tensor of a model that is spread over several.

use crate::base::disk::DiskContext as _;
use crate::base::plain;
use crate::weights::error::WeightsError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most bytes of an index: a line for each tensor.
const LONGEST: u64 = 100 << 20;

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The files that an index names, in order, each with the names of its tensors.
///
/// # Errors
/// When it can't be read, is not an index, or names a file that is not beside it.
pub(super) fn read(index: &Path) -> Result<Vec<(PathBuf, Vec<String>)>, WeightsError> {
    let failed = |why: String| WeightsError::Index { path: index.to_owned(), why };
    let bytes = plain::read(index, LONGEST).while_trying("read", index)?;
    let read: Index = serde_json::from_slice(&bytes).map_err(|error| {
        failed(format!("is not an index: {error}; it has to map names of tensors to files in `weight_map`"))
    })?;
    if read.weight_map.is_empty() {
        return Err(failed("names no tensor".to_owned()));
    }
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tensor, file) in read.weight_map {
        files.entry(file).or_default().push(tensor);
    }
    let beside = |(file, tensors): (String, Vec<String>)| {
        let is_plain = !file.is_empty() && !file.contains(['/', '\\']) && file != "..";
        match is_plain && file.ends_with(".safetensors") {
            true => Ok((index.with_file_name(file), tensors)),
            false => Err(failed(format!("names the file `{file}`; each has to be a `.safetensors` file beside it"))),
        }
    };
    files.into_iter().map(beside).collect()
}

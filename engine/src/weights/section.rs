//! The section `weights` of an experiment.

use crate::weights::error::WeightsError;
use engine_macros::component;
use regex_lite::Regex;
use std::path::PathBuf;

/// Weights that a model starts with: one of `file` and `hf` says where they are.
#[component(name = "weights")]
#[derive(Default, PartialEq, Eq)]
pub struct WeightsFrom {
    /// A `.safetensors` file, the `model.safetensors.index.json` of a sharded one, a folder that holds either, or the
    /// folder of a checkpoint.
    #[config(default)]
    pub file: Option<PathBuf>,
    /// A model in the local cache of the Hugging Face hub, `"org/name"` or `"org/name@revision"`; no network is used.
    #[config(default)]
    pub hf: Option<String>,
    /// `[("^backbone\\.", "net.")]`: regular expressions and what takes the place of each match, `$1` for a group. The
    /// names in the file go through all of them, one after the other, before they are looked for in the model.
    #[config(default)]
    pub rename: Vec<(String, String)>,
    /// Only the variables of the model that fit one of these patterns: `["net.*"]`. All others start as they would
    /// without `weights`. By default all are loaded.
    #[config(default)]
    pub only: Vec<String>,
    /// Whether every variable of the model has to be in the file, and every tensor of the file in the model, as far as
    /// `only` selects. With `false` the others are left as they are, and reported.
    #[config(default = true)]
    pub strict: bool,
    /// With `true`, a variable whose shape is not that of the file's tensor starts as it would without `weights`, and is
    /// reported; otherwise that is an error.
    #[config(default = false)]
    pub skip_shape_mismatch: bool,
}

impl WeightsFrom {
    /// All weights of a file or checkpoint, which have to be those of the model.
    pub fn file(path: impl Into<PathBuf>) -> WeightsFrom {
        WeightsFrom { file: Some(path.into()), strict: true, ..WeightsFrom::default() }
    }

    /// All weights of a model in the cache of the hub, which have to be those of the model.
    pub fn hf(name: impl Into<String>) -> WeightsFrom {
        WeightsFrom { hf: Some(name.into()), strict: true, ..WeightsFrom::default() }
    }

    /// What the section alone tells to be wrong: the field, and what and how to mend it.
    pub(crate) fn mistakes(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        match (&self.file, &self.hf) {
            (None, None) => found.push((
                String::new(),
                "no weights are named: give `file: \"model.safetensors\"`, or `hf: \"org/name\"` for a model in the cache of the hub"
                    .to_owned(),
            )),
            (Some(_), Some(_)) => {
                found.push(("hf".to_owned(), "`file` and `hf` both say where the weights are: remove one".to_owned()));
            }
            _ => {}
        }
        if let Err(error) = self.renames() {
            found.push((error.field(), error.to_string()));
        }
        found
    }

    /// The renames, ready to be applied.
    pub(super) fn renames(&self) -> Result<Vec<(Regex, &str)>, WeightsError> {
        let compiled = self.rename.iter().enumerate().map(|(place, (pattern, name))| {
            let regex = Regex::new(pattern);
            let regex = regex.map_err(|error| WeightsError::Rename {
                place,
                pattern: pattern.clone(),
                why: format!("is not a regular expression: {error}"),
            })?;
            Ok((regex, name.as_str()))
        });
        compiled.collect()
    }
}

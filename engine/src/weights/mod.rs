//! Weights from elsewhere that a training starts with, and weights that are given away.
//!
//! A model takes what an experiment names under `weights`: from one `.safetensors` file, a sharded one, a checkpoint, or
//! the cache of the Hugging Face hub. No network is used, and no code of a file is run. Everything is looked at before
//! the first value is copied, so that weights which don't fit leave every model as it was; and what was asked for and
//! could not be loaded is an error, or a line of the [`Report`].

mod card;
mod error;
mod export;
mod facts;
mod fit;
mod free;
mod hub;
mod report;
mod script;
mod section;
mod shards;
mod source;

pub use error::WeightsError;
pub use export::{Export, ExportKind, export};
pub use facts::Exported;
pub use report::Report;
pub use script::write_script;
pub use section::WeightsFrom;

use crate::model::ModelEntry;

/// Loads the weights that an experiment names for a model.
///
/// ```
/// use engine::model::ModelEntry;
/// use engine::prelude::*;
/// use engine::weights::{WeightsFrom, load};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("pretrained.safetensors");
/// let ones = |shape: &[i64]| Tensor::ones(shape, (Kind::Float, Device::Cpu));
/// let file = [("backbone.weight", ones(&[2, 4])), ("backbone.bias", ones(&[2])), ("head.weight", ones(&[9, 2]))];
/// Tensor::write_safetensors(&file, &path)?;
///
/// let store = nn::VarStore::new(Device::Cpu);
/// let net = nn::linear(store.root() / "net", 4, 2, Default::default());
/// let head = nn::linear(store.root() / "head", 2, 3, Default::default());
/// let mut model = ModelEntry::new("model", store);
///
/// let rename = vec![("^backbone\\.".to_owned(), "net.".to_owned())];
/// let from = WeightsFrom { rename, only: vec!["net.*".to_owned()], ..WeightsFrom::file(path) };
/// let report = load(&mut model, &from)?;
/// assert_eq!(f64::try_from(net.ws.sum(Kind::Double))?, 8.0);
/// assert_eq!((report.loaded.len(), report.renamed.len(), report.left_out.len()), (2, 2, 1));
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When the weights are not there, can't be read, or don't fit; the model is then as it was. An error of the disk while
/// values are read comes before the first one is copied too.
pub fn load(model: &mut ModelEntry, from: &WeightsFrom) -> Result<Report, WeightsError> {
    let source = source::open(from, model.name())?;
    let plan = fit::plan(model, from, &source)?;
    plan.load(model, &source)
}

#[cfg(test)]
mod tests;

//! Files of predictions, and reading them back: JSON lines, `.safetensors`, and images beside them.

mod images;
mod lines;
mod read_lines;
mod tensors;

use crate::base::disk::parent;
use crate::base::{Output, Prediction, Result};
use images::ImagePredictions;
use lines::{LinePredictions, first_dimension};
use std::path::Path;
use tensors::TensorPredictions;

/// Predictions while they are written: under temporary names until they are complete, and gone when they never are.
pub(super) struct Predictions {
    file: Format,
    images: Vec<ImagePredictions>,
}

enum Format {
    Lines(LinePredictions),
    Tensors(TensorPredictions),
}

impl Predictions {
    /// Opens the file: `.safetensors`, or lines of JSON under any other name. Beside it a folder for each of the tensors
    /// that are written as images too.
    ///
    /// # Errors
    /// When it can't be made, or a folder of images is there already.
    pub(super) fn create(path: &Path, images: &[String]) -> Result<Self> {
        let file = match is_of_tensors(path) {
            true => Format::Tensors(TensorPredictions::create(path)?),
            false => Format::Lines(LinePredictions::create(path)?),
        };
        let images = images.iter().map(|name| ImagePredictions::create(parent(path), name)).collect::<Result<_>>()?;
        Ok(Predictions { file, images })
    }

    /// Adds the samples of a batch.
    ///
    /// # Errors
    /// When the disk fails, or the prediction does not fit the file.
    pub(super) fn write(&mut self, prediction: &Prediction) -> Result<()> {
        let of_tensors = prediction.named_tensors().iter().map(|(_, tensor)| first_dimension(tensor));
        let of_texts = prediction.named_texts().iter().map(|(_, texts)| texts.len());
        let samples = of_tensors.chain(of_texts).max().unwrap_or(0);
        self.images.iter_mut().try_for_each(|images| images.write(prediction))?;
        match &mut self.file {
            Format::Lines(lines) => lines.write(prediction, samples),
            Format::Tensors(tensors) => tensors.write(prediction, samples),
        }
    }

    /// Gives everything its name, and back the number of samples.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn finish(self) -> Result<u64> {
        let written = match self.file {
            Format::Lines(lines) => lines.finish()?,
            Format::Tensors(tensors) => tensors.finish()?,
        };
        self.images.into_iter().try_for_each(ImagePredictions::finish)?;
        Ok(written)
    }
}

/// Outputs one after the other, each with the number of its samples.
type Outputs = Box<dyn Iterator<Item = Result<(Output, usize)>>>;

/// The outputs in a file of predictions, each with the number of its samples.
///
/// # Errors
/// When it can't be read.
pub(super) fn outputs(path: &Path) -> Result<Outputs> {
    Ok(match is_of_tensors(path) {
        true => Box::new(tensors::read(path)?),
        false => Box::new(read_lines::Outputs::open(path)?),
    })
}

fn is_of_tensors(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "safetensors")
}

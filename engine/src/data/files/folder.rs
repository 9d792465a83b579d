//! Images in folders, one folder for each class.

use super::error::FileError;
use super::picture::{ENDINGS, FORMAT, Fit, decoded, fitted};
use crate::base::error::{Error, ErrorContext as _, Result};
use crate::base::plain;
use crate::data::augment::{Augmentation, Resize, augment};
use crate::data::collate::Collate as _;
use crate::data::dataset::{BatchOf, Dataset, Samples};
use crate::random::SampleRng;
use engine_macros::component;
use std::fs::OpenOptions;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use tch::Tensor;

/// Images in folders, one folder for each class: `cats/1.jpg`, `dogs/1.png`, … The classes are numbered in the order of the
/// folders' names. Samples are images `[3, height, width]` of floats from 0 to 1, and their classes.
///
/// A file whose name ends in `.jpg`, `.jpeg` or `.png` is an image; other files are passed over. Folders within the folder of a
/// class are not entered. Grey images become coloured ones, transparency is dropped, and a rotation that a camera has noted in
/// the file is not applied.
#[derive(Debug)]
pub struct ImageFolder {
    files: Vec<PathBuf>,
    classes: Vec<i64>,
    names: Vec<String>,
    size: Resize,
    fit: Fit,
    augment: Vec<Augmentation>,
}

/// Images in folders, one folder for each class: `ImageFolder(folder: "pets/train", height: 224, width: 224)`.
#[component(dataset)]
pub struct ImageFolderConfig {
    /// The folder of the classes' folders.
    #[config(exists)]
    pub folder: PathBuf,
    /// Rows of pixels of every image.
    #[config(range = 1..=32_768, example = 224)]
    pub height: i64,
    /// Columns of pixels of every image.
    #[config(range = 1..=32_768, example = 224)]
    pub width: i64,
    /// How an image comes to this size.
    #[config(default = Fit::Cover)]
    pub fit: Fit,
    /// What happens to each image after that, in this order.
    #[config(default)]
    pub augment: Vec<Augmentation>,
}

impl ImageFolder {
    /// The names of the classes, by their numbers.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The files, by the index of the sample.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

#[diagnostic::do_not_recommend]
impl Dataset for ImageFolder {
    type Config = ImageFolderConfig;
    type Item = (Tensor, i64);

    fn open(config: &ImageFolderConfig) -> Result<Self> {
        let folder = &config.folder;
        let (mut files, mut classes, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for of_class in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
            let images: Vec<PathBuf> = sorted(&of_class)?.into_iter().filter(|path| is_image(path)).collect();
            if images.is_empty() {
                let text = format!("`{}` has no images, whose names end in .jpg, .jpeg or .png", of_class.display());
                return Err(Error::msg(text));
            }
            classes.resize(classes.len() + images.len(), names.len() as i64);
            files.extend(images);
            names.push(of_class.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
        if names.is_empty() {
            let text = format!("`{}` has no folders; it needs one for each class, with its images", folder.display());
            return Err(Error::msg(text));
        }
        let size = Resize { height: config.height, width: config.width };
        Ok(ImageFolder { files, classes, names, size, fit: config.fit, augment: config.augment.clone() })
    }

    fn len(&self) -> usize {
        self.files.len()
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Tensor, i64)> {
        let path = &self.files[index];
        let image = decoded_file(path)?;
        let fitted = fitted(&image, self.size, self.fit);
        Ok((fitted.with_context(|| format!("`{}`", path.display()))?, self.classes[index]))
    }

    fn batch(&self, samples: &Samples) -> Result<BatchOf<Self>> {
        let items = samples.map(|index, rng| self.get(index, rng))?;
        let (images, classes) = <(Tensor, i64)>::collate(items)?;
        Ok((augment(&self.augment, images, &mut samples.rngs("augment"))?, classes))
    }

    fn classes(&self) -> Option<&[i64]> {
        Some(&self.classes)
    }
}

/// What is in a folder, in the order of the names, which is the same on every machine.
fn sorted(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let refused = FileError::read(folder);
    let entries = std::fs::read_dir(folder).map_err(&refused)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(&refused)?;
    paths.sort();
    Ok(paths)
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// The image of a file.
fn decoded_file(path: &Path) -> Result<Tensor> {
    let file = plain::open(path, OpenOptions::new().read(true)).map_err(FileError::read(path))?;
    Ok(decoded(BufReader::new(file)).map_err(|error| FileError::content(path, FORMAT, error.to_string()))?)
}

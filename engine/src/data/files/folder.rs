//! Images in folders, one folder for each class.

use super::error::FileError;
use crate::base::error::{Error, ErrorContext as _, Result};
use crate::base::plain;
use crate::data::augment::{Augmentation, Resize, augment};
use crate::data::collate::Collate as _;
use crate::data::dataset::{BatchOf, Dataset, Samples};
use crate::random::SampleRng;
use engine_macros::component;
use image::{ImageReader, Limits};
use std::fs::OpenOptions;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

const FORMAT: &str = "an image";

/// The ends of names that are taken for images.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// The most pixels along a side, and the most bytes of a decoded image: a small file may unpack without an end.
const LONGEST_SIDE: u32 = 1 << 15;
const MOST_BYTES: u64 = 1 << 30;

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

/// How an image of another shape is brought to a size.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Fit {
    /// Scaled alike in both directions until it covers the size; what is outside of the middle is cut off.
    Cover,
    /// Scaled in each direction for itself, so that nothing is lost and shapes change.
    Stretch,
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
        let image = decoded(path)?;
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

/// The image of a file: `[1, 3, h, w]` of floats from 0 to 1.
fn decoded(path: &Path) -> Result<Tensor> {
    let file = plain::open(path, OpenOptions::new().read(true)).map_err(FileError::read(path))?;
    let refused = |what: String| FileError::content(path, FORMAT, what);
    // by its content: a name may be wrong
    let mut reader = ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(FileError::read(path))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| refused(error.to_string()))?.into_rgb8();
    let shape = [1, i64::from(image.height()), i64::from(image.width()), 3];
    let bytes = Tensor::f_from_slice(image.as_raw())?.f_reshape(shape)?;
    Ok(bytes.f_permute([0, 3, 1, 2])?.f_to_kind(Kind::Float)?.f_div_scalar(255.0)?.f_contiguous()?)
}

/// `[1, 3, h, w]` to `[3, height, width]`.
fn fitted(image: &Tensor, size: Resize, fit: Fit) -> Result<Tensor> {
    let (_, _, h, w) = image.size4()?;
    let scaled = match fit {
        Fit::Stretch => size,
        Fit::Cover => {
            let scale = (size.height as f64 / h as f64).max(size.width as f64 / w as f64);
            let along = |from: i64, to: i64| ((from as f64 * scale).round() as i64).max(to);
            Resize { height: along(h, size.height), width: along(w, size.width) }
        }
    };
    let image = scaled.apply(image)?.f_squeeze_dim(0)?.f_clamp(0.0, 1.0)?;
    let middle = |along: i64, from: i64, to: i64, image: &Tensor| image.f_narrow(along, (from - to) / 2, to);
    let image = middle(1, scaled.height, size.height, &image)?;
    Ok(middle(2, scaled.width, size.width, &image)?.f_contiguous()?)
}

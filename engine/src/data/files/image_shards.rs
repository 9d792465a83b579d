//! Images and their classes in tar archives.

use super::list::Place;
use super::picture::{ENDINGS, Fit, decoded, fitted};
use super::shards::{ShardReader, ShardSample, Shards, ShardsConfig};
use crate::base::error::{Error, ErrorContext as _, Result};
use crate::data::augment::{Augmentation, Resize, augment};
use crate::data::collate::Collate as _;
use crate::data::dataset::Samples;
use crate::data::stream::{RecordStream, Round};
use crate::random::SampleRng;
use engine_macros::component;
use std::io::Cursor;
use std::path::PathBuf;
use tch::Tensor;

/// Images and their classes in tar archives, in the format of WebDataset: `017.jpg` and `017.cls` are a sample. Samples are images
/// `[3, height, width]` of floats from 0 to 1, and their classes, which are whole numbers from 0 on.
///
/// The image of a sample is its file `jpg`, `jpeg` or `png`. Grey images become coloured ones, transparency is dropped, and a
/// rotation that a camera has noted in the file is not applied.
#[derive(Debug)]
pub struct ImageShards {
    shards: Shards,
    label: String,
    size: Resize,
    fit: Fit,
    augment: Vec<Augmentation>,
}

/// Images and their classes in tar archives: `ImageShards(paths: ["train"], height: 224, width: 224)`.
#[component(dataset)]
pub struct ImageShardsConfig {
    /// The archives, in this order; a folder stands for its files whose names end in `.tar`.
    #[config(exists)]
    pub paths: Vec<PathBuf>,
    /// Whether each round reads the archives in an order of its own.
    #[config(default = true)]
    pub shuffle_files: bool,
    /// A sample of more bytes is refused, so that a damaged archive takes no memory without an end.
    #[config(default = 1_073_741_824, range = 1..)]
    pub largest: u64,
    /// The file of a sample that has its class, a whole number.
    #[config(default = "cls")]
    pub label: String,
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

#[diagnostic::do_not_recommend]
impl RecordStream for ImageShards {
    type Config = ImageShardsConfig;
    type Reader = ShardReader;
    type Item = (Tensor, i64);

    fn open(config: &ImageShardsConfig) -> Result<Self> {
        let ImageShardsConfig { paths, shuffle_files, largest, .. } = config.clone();
        Ok(ImageShards {
            shards: Shards::open(&ShardsConfig { paths, shuffle_files, largest })?,
            // names of files in a sample are in small letters
            label: config.label.to_lowercase(),
            size: Resize { height: config.height, width: config.width },
            fit: config.fit,
            augment: config.augment.clone(),
        })
    }

    fn read(&self, round: &Round, from: &Place) -> Result<ShardReader> {
        self.shards.read(round, from)
    }

    fn get(&self, sample: &ShardSample, _: &mut SampleRng) -> Result<(Tensor, i64)> {
        let Some((name, bytes)) = ENDINGS.iter().find_map(|name| Some((*name, sample.find(name)?))) else {
            let names: Vec<&str> = sample.names().collect();
            let text = format!(
                "sample `{}` has no image, which is its file `jpg`, `jpeg` or `png`; it has `{}`",
                sample.key(),
                names.join("`, `")
            );
            return Err(Error::msg(text));
        };
        let image = decoded(Cursor::new(bytes)).and_then(|image| fitted(&image, self.size, self.fit));
        let image = image.with_context(|| format!("sample `{}`: `{name}` can't be read as an image", sample.key()))?;
        let class = sample.number(&self.label)?;
        match class {
            0.. => Ok((image, class)),
            _ => Err(Error::msg(format!("sample `{}`: the class has to be at least 0, got {class}", sample.key()))),
        }
    }

    fn batch(&self, items: Vec<(Tensor, i64)>, samples: &Samples) -> Result<(Tensor, Tensor)> {
        let (images, classes) = <(Tensor, i64)>::collate(items)?;
        Ok((augment(&self.augment, images, &mut samples.rngs("augment"))?, classes))
    }

    fn fingerprint(&self) -> String {
        self.shards.fingerprint()
    }
}

//! The images: Fashion-MNIST, 28 × 28 grey pixels of ten kinds of clothes.

use engine::data::augment::{Augmentation, Mixing, augment};
use engine::data::files::read_idx;
use engine::prelude::*;
use std::path::{Path, PathBuf};

/// The kinds of clothes.
pub const CLASSES: i64 = 10;

/// Fashion-MNIST: `Fashion(split: Train, augment: [Flip(), Crop(padding: 2)], mix: Mixup(alpha: 0.1))`.
#[component(dataset)]
pub struct FashionConfig {
    /// Which part of the data.
    pub split: Split,
    /// The folder of the four IDX files, packed by gzip or not. The default is that of Debian's package
    /// `dataset-fashion-mnist`.
    #[config(default = PathBuf::from("/usr/share/datasets/fashion-mnist"))]
    pub folder: PathBuf,
    /// What happens to each image, in this order.
    #[config(default)]
    pub augment: Vec<Augmentation>,
    /// How the images of a batch are mixed.
    #[config(default)]
    pub mix: Option<Mixing>,
}

/// The two parts of the data.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Split {
    /// 60,000 images to learn from.
    Train,
    /// 10,000 images to be judged by.
    Test,
}

impl Split {
    /// How the names of its files begin.
    fn prefix(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Test => "t10k",
        }
    }
}

/// One part of the data, in memory.
pub struct Fashion {
    /// `[n, 1, 28, 28]`, bytes.
    images: SharedTensor,
    /// `[n]`
    labels: SharedTensor,
    classes: Vec<i64>,
    augment: Vec<Augmentation>,
    mix: Option<Mixing>,
}

impl Dataset for Fashion {
    type Config = FashionConfig;
    /// An image `[1, 28, 28]` from 0 to 1, and the probability of each class: `[10]`.
    type Item = (Tensor, Tensor);

    fn open(config: &FashionConfig) -> Result<Self> {
        let prefix = config.split.prefix();
        let images = read_idx(&find(&config.folder, &format!("{prefix}-images-idx3-ubyte"))?)?;
        let labels = read_idx(&find(&config.folder, &format!("{prefix}-labels-idx1-ubyte"))?)?;
        let (size, count) = (images.size(), labels.size());
        if size.len() != 3 || size[..1] != count {
            return Err(Error::msg(format!("images {size:?} and labels {count:?} do not belong together")));
        }
        let labels = labels.to_kind(Kind::Int64);
        let classes: Vec<i64> = Vec::try_from(&labels)?;
        if let Some(place) = classes.iter().position(|class| !(0..CLASSES).contains(class)) {
            return Err(Error::msg(format!("label {place} is {}, expected 0 to {}", classes[place], CLASSES - 1)));
        }
        Ok(Fashion {
            images: images.unsqueeze(1).into(),
            labels: labels.into(),
            classes,
            augment: config.augment.clone(),
            mix: config.mix,
        })
    }

    fn len(&self) -> usize {
        self.classes.len()
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Tensor, Tensor)> {
        let (image, label) = (self.images.get().get(index as i64), self.labels.get().get(index as i64));
        Ok((image.to_kind(Kind::Float) / 255.0, label.one_hot(CLASSES).to_kind(Kind::Float)))
    }

    /// A batch by a few operations on all of its images. Each image is augmented by the numbers of its own sample, and mixed
    /// by those of the batch: the batches are the same with any number of workers, and after a resume.
    fn batch(&self, samples: &Samples) -> Result<(Tensor, Tensor)> {
        let indices: Vec<i64> = samples.indices().iter().map(|index| *index as i64).collect();
        let indices = Tensor::from_slice(&indices);
        let images = self.images.get().index_select(0, &indices).to_kind(Kind::Float) / 255.0;
        let labels = self.labels.get().index_select(0, &indices);
        let images = augment(&self.augment, images, &mut samples.rngs("augment"))?;
        match self.mix {
            Some(mix) => mix.apply(&images, &labels, CLASSES, &mut samples.batch_rng()),
            None => Ok((images, labels.one_hot(CLASSES).to_kind(Kind::Float))),
        }
    }

    fn classes(&self) -> Option<&[i64]> {
        Some(&self.classes)
    }
}

/// The file of this name, packed or not.
fn find(folder: &Path, name: &str) -> Result<PathBuf> {
    let places = [folder.join(format!("{name}.gz")), folder.join(name)];
    places.into_iter().find(|path| path.exists()).ok_or_else(|| {
        Error::msg(format!(
            "`{name}.gz` is not in `{}`; on Debian and Ubuntu `apt install dataset-fashion-mnist` brings the data, elsewhere download the four files from https://github.com/zalandoresearch/fashion-mnist and name their folder: --set loaders.train.dataset.folder='\"PATH\"' --set loaders.val.dataset.folder='\"PATH\"'",
            folder.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::write_data;
    use engine::data::augment::Mixup;

    fn config(folder: &Path) -> FashionConfig {
        FashionConfig { split: Split::Test, folder: folder.to_owned(), augment: Vec::new(), mix: None }
    }

    #[test]
    fn a_batch_without_augmentation_is_its_samples_read_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        write_data(folder.path(), 12);
        let set = Fashion::open(&config(folder.path())).unwrap();
        let samples = Samples::new(7, vec![3, 11, 3]);
        let (images, targets) = set.batch(&samples).unwrap();
        assert_eq!((images.size(), targets.size()), (vec![3, 1, 28, 28], vec![3, 10]));
        for (place, index) in [3, 11, 3].into_iter().enumerate() {
            let (image, target) = set.get(index, &mut samples.rng(place)).unwrap();
            assert_eq!((images.get(place as i64), targets.get(place as i64)), (image, target));
        }
    }

    #[test]
    fn mixed_targets_are_probabilities() {
        let folder = tempfile::tempdir().unwrap();
        write_data(folder.path(), 12);
        let mix = Some(Mixing::Mixup(Mixup { alpha: 1.0 }));
        let set = Fashion::open(&FashionConfig { mix, ..config(folder.path()) }).unwrap();
        let (_, targets) = set.batch(&Samples::new(7, (0..12).collect())).unwrap();
        assert!(targets.sum_dim_intlist(1, false, Kind::Float).allclose(
            &Tensor::ones([12], (Kind::Float, Device::Cpu)),
            1e-5,
            1e-6,
            false
        ));
        assert!(f64::try_from(targets.amax([1i64], false).min()).unwrap() < 0.999);
    }

    #[test]
    fn without_the_data_one_is_told_where_they_come_from() {
        let folder = tempfile::tempdir().unwrap();
        let error = Fashion::open(&config(folder.path())).err().unwrap().to_string();
        assert!(
            error.contains("`t10k-images-idx3-ubyte.gz` is not in") && error.contains("dataset-fashion-mnist"),
            "{error}"
        );
    }

    #[test]
    fn labels_that_do_not_fit_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        write_data(folder.path(), 3);
        let labels = folder.path().join("t10k-labels-idx1-ubyte");
        for (content, expected) in [
            ([0, 0, 8, 1, 0, 0, 0, 3, 1, 10, 2], "label 1 is 10"),
            ([0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 255], "label 2 is 255"),
        ] {
            std::fs::write(&labels, content).unwrap();
            let error = Fashion::open(&config(folder.path())).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
        }
        std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 1, 1]).unwrap();
        assert!(Fashion::open(&config(folder.path())).err().unwrap().to_string().contains("do not belong together"));
    }
}

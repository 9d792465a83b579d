//! A tensor of predictions as a folder of PNG images.

use crate::base::disk::{DiskContext as _, make_folder};
use crate::base::{Error, ErrorContext as _, Prediction, Result};
use crate::record::Image;
use std::path::{Path, PathBuf};

/// The images while they are made: in a folder with a temporary name, which is gone when they are not finished.
pub(super) struct ImagePredictions {
    name: String,
    temporary: PathBuf,
    folder: PathBuf,
    written: u64,
    is_placed: bool,
}

impl ImagePredictions {
    /// A folder of the name of the tensor, in this one.
    ///
    /// # Errors
    /// When it is there already, or can't be made.
    pub(super) fn create(within: &Path, name: &str) -> Result<Self> {
        if !cfg!(feature = "png") {
            return Err(Error::msg(
                "`--images` needs the feature `png` of the engine, which this program is built without",
            ));
        }
        if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
            return Err(Error::msg(format!(
                "`--images {name}` can't name a folder; it takes the name of a tensor of the prediction"
            )));
        }
        let folder = within.join(name);
        if folder.symlink_metadata().is_ok() {
            return Err(Error::msg(format!(
                "`{}` is there already; delete it, or write elsewhere with `--out`",
                folder.display()
            )));
        }
        let temporary = within.join(format!(".{name}.tmp-{}", std::process::id()));
        make_folder(&temporary)?;
        Ok(ImagePredictions { name: name.to_owned(), temporary, folder, written: 0, is_placed: false })
    }

    /// Writes an image for each sample of a batch, `00000017.png` for that with the index 17.
    ///
    /// # Errors
    /// When there is no such tensor, its samples are no images, or the disk fails.
    pub(super) fn write(&mut self, prediction: &Prediction) -> Result<()> {
        let tensor = prediction.get(&self.name)?;
        let samples = if tensor.dim() == 0 { 0 } else { tensor.size()[0] };
        for sample in 0..samples {
            let image = Image::from_tensor(&tensor.f_get(sample)?)
                .with_context(|| format!("`{}` of sample {} is no image", self.name, self.written))?;
            let path = self.temporary.join(format!("{:08}.png", self.written));
            std::fs::write(&path, encoded(&image)?).while_trying("write", &path)?;
            self.written += 1;
        }
        Ok(())
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn finish(mut self) -> Result<()> {
        std::fs::rename(&self.temporary, &self.folder).while_trying("write", &self.folder)?;
        self.is_placed = true;
        Ok(())
    }
}

impl Drop for ImagePredictions {
    fn drop(&mut self) {
        if !self.is_placed {
            // what can't be deleted is in nobody's way: its name begins with a point
            let _ = std::fs::remove_dir_all(&self.temporary);
        }
    }
}

#[cfg(feature = "png")]
fn encoded(image: &Image) -> Result<Vec<u8>> {
    image.png()
}

#[cfg(not(feature = "png"))]
fn encoded(_: &Image) -> Result<Vec<u8>> {
    Err(Error::msg("images need the feature `png` of the engine"))
}

#[cfg(test)]
#[cfg(feature = "png")]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor};

    fn masks(samples: i64) -> Prediction {
        let masks = Tensor::zeros([samples, 1, 2, 3], (Kind::Float, Device::Cpu));
        Prediction::new()
            .tensor("mask", &(masks + 0.5))
            .tensor("class", &Tensor::zeros([samples], (Kind::Int64, Device::Cpu)))
    }

    #[test]
    fn every_sample_is_a_png_under_its_index_once_all_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let mut images = ImagePredictions::create(dir.path(), "mask").unwrap();
        images.write(&masks(2)).unwrap();
        images.write(&masks(1)).unwrap();
        assert!(!dir.path().join("mask").exists());
        images.finish().unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(dir.path().join("mask")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["00000000.png", "00000001.png", "00000002.png"]);
        let mut reader =
            png::Decoder::new(std::io::Cursor::new(std::fs::read(dir.path().join("mask/00000002.png")).unwrap()))
                .read_info()
                .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height, pixels[0]), (3, 2, 128));
        let error = ImagePredictions::create(dir.path(), "mask").err().unwrap().to_string();
        assert!(error.contains("mask` is there already; delete it"), "{error}");
    }

    #[test]
    fn what_is_no_image_is_refused_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |name: &str| {
            let mut images = ImagePredictions::create(dir.path(), name)?;
            images.write(&masks(2)).map(|()| String::new())
        };
        assert!(format!("{:#}", refused("class").unwrap_err()).starts_with("`class` of sample 0 is no image: "));
        assert!(refused("masks").unwrap_err().to_string().contains("no tensor `masks`, did you mean `mask`?"));
        for name in ["", "../up", ".hidden"] {
            assert!(refused(name).unwrap_err().to_string().contains("can't name a folder"));
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

//! Images in tar archives: the samples are those of the same images in folders.

use crate::data::augment::{Augmentation, Flip};
use crate::data::files::{Fit, ImageFolder, ImageFolderConfig, ImageShards, ImageShardsConfig};
use crate::data::{BatchSource as _, Dataset as _, Samples, StreamLoader, StreamLoaderConfig};
use image::{ImageFormat, Rgb, RgbImage};
use std::path::{Path, PathBuf};
use tch::{IndexOp as _, Kind, Tensor};

/// Writes an archive of these files.
fn pack(path: &Path, files: &[(&str, Vec<u8>)]) {
    let mut archive = tar::Builder::new(std::fs::File::create(path).unwrap());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    archive.finish().unwrap();
}

fn image(number: u8, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(6, 4, |x, y| Rgb([20 * x as u8, 30 * y as u8, 9 * number]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn config(path: PathBuf) -> ImageShardsConfig {
    ImageShardsConfig {
        paths: vec![path],
        shuffle_files: false,
        largest: 1 << 20,
        label: "cls".to_owned(),
        height: 4,
        width: 4,
        fit: Fit::Cover,
        augment: Vec::new(),
    }
}

fn loader(config: ImageShardsConfig, workers: usize) -> StreamLoader<ImageShards> {
    let mut config = StreamLoaderConfig::new(config, 4);
    config.workers = workers.into();
    config.samples = Some(8);
    StreamLoader::open("train", &config, 7).unwrap()
}

/// Eight images of three kinds of names.
fn eight(dir: &Path) -> PathBuf {
    let kinds = [("jpg", ImageFormat::Jpeg), ("JPEG", ImageFormat::Jpeg), ("png", ImageFormat::Png)];
    let mut files = Vec::new();
    for number in 0..8u8 {
        let (ending, format) = kinds[usize::from(number) % 3];
        files.push((format!("{number}.cls"), format!("{}\n", number % 3).into_bytes()));
        files.push((format!("{number}.{ending}"), image(number, format)));
        files.push((format!("{number}.note.txt"), b"passed over".to_vec()));
    }
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    pack(&dir.join("0.tar"), &files);
    dir.join("0.tar")
}

#[test]
fn samples_are_those_of_the_same_images_in_folders() {
    let dir = tempfile::tempdir().unwrap();
    let archive = eight(dir.path());
    let mut loader = loader(config(archive), 2);
    let (images, classes) = loader.next_batch().unwrap().unwrap();
    assert_eq!((images.size(), images.kind()), (vec![4, 3, 4, 4], Kind::Float));
    assert_eq!(Vec::<i64>::try_from(classes).unwrap(), [0, 1, 2, 0]);
    let folder = dir.path().join("folder/only");
    std::fs::create_dir_all(&folder).unwrap();
    for (number, format) in [ImageFormat::Jpeg, ImageFormat::Jpeg, ImageFormat::Png].into_iter().enumerate() {
        std::fs::write(folder.join(format!("{number}.png")), image(number as u8, format)).unwrap();
    }
    let config = ImageFolderConfig {
        folder: dir.path().join("folder"),
        height: 4,
        width: 4,
        fit: Fit::Cover,
        augment: Vec::new(),
    };
    let set = ImageFolder::open(&config).unwrap();
    for number in 0..3 {
        let expected: Tensor = set.get(number, &mut Samples::new(0, vec![number]).rng(0)).unwrap().0;
        assert_eq!(images.i(number as i64), expected, "{number}");
    }
}

#[test]
fn augmentation_does_not_depend_on_the_workers() {
    let dir = tempfile::tempdir().unwrap();
    let archive = eight(dir.path());
    let read = |workers| {
        let augment = vec![Augmentation::Flip(Flip { probability: 0.5, vertical: false })];
        let mut loader = loader(ImageShardsConfig { augment, ..config(archive.clone()) }, workers);
        [loader.next_batch().unwrap().unwrap().0, loader.next_batch().unwrap().unwrap().0]
    };
    let (none, two) = (read(0), read(2));
    assert_eq!(none, two);
    let plain = loader(config(archive.clone()), 0).next_batch().unwrap().unwrap().0;
    assert_ne!(plain, none[0]);
}

#[test]
fn samples_without_an_image_or_a_class_are_told_by_their_keys() {
    let dir = tempfile::tempdir().unwrap();
    let told = |files: &[(&str, Vec<u8>)]| {
        pack(&dir.path().join("1.tar"), files);
        loader(config(dir.path().join("1.tar")), 0).next_batch().map(|_| ()).unwrap_err().to_string()
    };
    let class = || b"1".to_vec();
    let error = told(&[("a.cls", class()), ("a.gif", vec![0; 9])]);
    assert!(
        error.contains("sample `a` has no image, which is its file `jpg`, `jpeg` or `png`; it has `cls`, `gif`"),
        "{error}"
    );
    let error = told(&[("a.cls", class()), ("a.jpg", b"no image at all".to_vec())]);
    assert!(error.contains("sample `a`: `jpg` can't be read as an image"), "{error}");
    let error = told(&[("a.jpg", image(1, ImageFormat::Jpeg))]);
    assert!(error.contains("sample `a`: it has no file `cls`, it has `jpg`"), "{error}");
    let error = told(&[("a.jpg", image(1, ImageFormat::Jpeg)), ("a.cls", b"-1".to_vec())]);
    assert!(error.contains("the class has to be at least 0, got -1"), "{error}");
}

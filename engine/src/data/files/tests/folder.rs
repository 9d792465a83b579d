//! Folders of images: what is read, and what is refused.

use crate::data::files::{Fit, ImageFolder, ImageFolderConfig};
use crate::data::{Dataset as _, Loader, LoaderConfig, Samples};
use image::{ImageFormat, Rgb, RgbImage};
use std::path::Path;
use tch::{Kind, Tensor};

/// An image whose red grows to the right and whose green grows downwards, in steps of 10.
fn ramp(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([10 * x as u8, 10 * y as u8, 7]))
}

fn pets(folder: &Path) {
    for (name, width, height, format) in [
        ("cats/b.PNG", 4, 4, ImageFormat::Png),
        ("cats/a.jpg", 6, 4, ImageFormat::Jpeg),
        ("dogs/1.jpeg", 4, 8, ImageFormat::Jpeg),
        // by its content, whatever its name says
        ("dogs/2.jpg", 4, 4, ImageFormat::Png),
    ] {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        ramp(width, height).save_with_format(path, format).unwrap();
    }
    std::fs::write(folder.join("cats/notes.txt"), "no image").unwrap();
    std::fs::write(folder.join("readme.md"), "no folder").unwrap();
}

fn config(folder: &Path) -> ImageFolderConfig {
    ImageFolderConfig { folder: folder.to_owned(), height: 4, width: 4, fit: Fit::Cover, augment: Vec::new() }
}

fn image(set: &ImageFolder, index: usize) -> Tensor {
    set.get(index, &mut Samples::new(0, vec![index]).rng(0)).unwrap().0
}

#[test]
fn images_come_with_the_numbers_of_their_folders_in_the_order_of_names() {
    let dir = tempfile::tempdir().unwrap();
    pets(dir.path());
    let set = ImageFolder::open(&config(dir.path())).unwrap();
    assert_eq!((set.names(), set.classes().unwrap()), (&["cats".to_owned(), "dogs".to_owned()][..], &[0, 0, 1, 1][..]));
    let names: Vec<_> = set.files().iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["a.jpg", "b.PNG", "1.jpeg", "2.jpg"]);
    // the PNG of the right size is as it was drawn
    let png = image(&set, 1);
    for (row, column) in [(0, 0), (1, 3), (3, 2)] {
        let at = |channel: i64| png.double_value(&[channel, row, column]) * 255.0;
        let expected = [10.0 * column as f64, 10.0 * row as f64, 7.0];
        assert!((0..3).all(|channel| (at(channel) - expected[channel as usize]).abs() < 1e-3), "{row} {column}");
    }
    assert_eq!(image(&set, 3), png);
    let mut loader = Loader::<ImageFolder>::open("train", &LoaderConfig::new(config(dir.path()), 4), 42).unwrap();
    let (images, classes) = loader.next_batch().unwrap().unwrap();
    assert_eq!((images.size(), images.kind()), (vec![4, 3, 4, 4], Kind::Float));
    assert_eq!(Vec::<i64>::try_from(classes).unwrap(), [0, 0, 1, 1]);
}

#[test]
fn an_image_of_another_shape_loses_its_borders_or_is_stretched() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("all")).unwrap();
    ramp(8, 4).save(dir.path().join("all/wide.png")).unwrap();
    let red = |fit: Fit| {
        let set = ImageFolder::open(&ImageFolderConfig { fit, ..config(dir.path()) }).unwrap();
        let row = image(&set, 0).get(0).get(1) * 255.0;
        Vec::<f32>::try_from(row).unwrap().into_iter().map(f32::round).collect::<Vec<_>>()
    };
    // columns 2 to 5 of 8
    assert_eq!(red(Fit::Cover), [20.0, 30.0, 40.0, 50.0]);
    // PyTorch: interpolate(10 * arange(8).view(1, 1, 1, 8), size=(1, 4), mode="bilinear", antialias=True)
    assert_eq!(red(Fit::Stretch), [7.0, 25.0, 45.0, 63.0]);
}

#[test]
fn hostile_images_are_refused_with_their_names() {
    let png = |image: &RgbImage| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let whole = png(&ramp(4, 4));
    // a header that promises 65,535 × 65,535 pixels, with its checksum
    let mut bomb = whole.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let mut checksum = flate2::Crc::new();
    checksum.update(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    let mut broken = whole.clone();
    broken[45] ^= 0xff;
    let mut contents = vec![Vec::new(), b"GIF89a, or so".to_vec(), b"\xff\xd8\xff\xe0 no JPEG".to_vec(), bomb, broken];
    contents.extend((1..whole.len() - 12).step_by(7).map(|end| whole[..end].to_vec()));
    for content in contents {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("cats")).unwrap();
        std::fs::write(dir.path().join("cats/1.png"), &content).unwrap();
        let set = ImageFolder::open(&config(dir.path())).unwrap();
        let error = set.get(0, &mut Samples::new(0, vec![0]).rng(0)).err().unwrap().to_string();
        assert!(error.contains("cats/1.png` can't be read as an image: "), "{} bytes: {error}", content.len());
    }
}

#[test]
fn folders_without_classes_or_images_are_refused_and_a_pipe_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let refused = || ImageFolder::open(&config(dir.path())).err().unwrap().to_string();
    assert!(refused().ends_with("has no folders; it needs one for each class, with its images"), "{}", refused());
    std::fs::create_dir(dir.path().join("cats")).unwrap();
    assert!(refused().contains("cats` has no images"), "{}", refused());
    let pipe = dir.path().join("cats/pipe.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let set = ImageFolder::open(&config(dir.path())).unwrap();
    let error = set.get(0, &mut Samples::new(0, vec![0]).rng(0)).err().unwrap().to_string();
    assert!(error.contains("pipe.png` can't be read: it is a pipe"), "{error}");
    let missing = ImageFolder::open(&config(&dir.path().join("birds"))).err().unwrap().to_string();
    assert!(missing.contains("birds` can't be read: No such file"), "{missing}");
}

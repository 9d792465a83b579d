//! Every augmentation keeps its numbers. Those of an independent program are computed pixel by pixel from the definition.

use super::*;
use crate::data::{BatchOf, Cursor, Dataset, Loader, LoaderConfig, Samples};
use tch::{Device, Kind, nn};

/// The generators of the first `n` samples of seed 42.
fn rngs(n: usize) -> Vec<SampleRng> {
    Samples::new(42, vec![0; n]).rngs("augment")
}

/// `0, 1/len, 2/len, …` in this shape.
fn ramp(shape: &[i64]) -> Tensor {
    let len: i64 = shape.iter().product();
    (Tensor::arange(len, (Kind::Float, Device::Cpu)) / len as f64).reshape(shape)
}

fn through(step: Augmentation, images: &Tensor) -> Tensor {
    augment(&[step], images.shallow_clone(), &mut rngs(images.size()[0] as usize)).unwrap()
}

fn close(found: &Tensor, expected: &[f64]) {
    let found: Vec<f64> = Vec::try_from(found.to_kind(Kind::Double).flatten(0, -1)).unwrap();
    assert_eq!(found.len(), expected.len());
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 2e-6, "value {place} is {found}, expected {expected}");
    }
}

#[test]
fn flips_keep_their_numbers() {
    let images = ramp(&[8, 1, 2, 3]);
    for (vertical, along) in [(false, 2), (true, 1)] {
        let flipped = through(Augmentation::Flip(Flip { probability: 0.5, vertical }), &images);
        for index in 0..8 {
            let image = images.get(index);
            // by an independent program
            let expected = if [4, 6].contains(&index) { image.flip([along]) } else { image };
            assert_eq!(flipped.get(index), expected, "image {index}");
        }
    }
}

#[test]
fn crops_keep_their_places() {
    let images = ramp(&[3, 2, 4, 6]);
    let moved = through(Augmentation::Crop(Crop { padding: 2, size: None }), &images);
    let padded = images.constant_pad_nd([2; 4]);
    // by an independent program
    for (index, (top, left)) in [(2, 0), (3, 1), (4, 3)].into_iter().enumerate() {
        let expected = padded.get(index as i64).narrow(1, top, 4).narrow(2, left, 6);
        assert_eq!(moved.get(index as i64), expected, "image {index}");
    }
    assert_eq!(through(Augmentation::Crop(Crop { padding: 0, size: Some((3, 2)) }), &images).size(), [3, 2, 3, 2]);
}

#[test]
fn hidden_squares_keep_their_places() {
    let images = ramp(&[4, 2, 4, 6]) + 1.0;
    let hidden = through(Augmentation::Cutout(Cutout { size: 2, probability: 0.75 }), &images);
    // by an independent program: the middles, and that the last two images have no square
    for (index, middle) in [Some((0, 2)), Some((1, 1)), None, None].into_iter().enumerate() {
        for (row, column) in (0..4).flat_map(|row| (0..6).map(move |column| (row, column))) {
            let within = |middle: i64, at: i64| (middle - 1..middle + 1).contains(&at);
            let black = middle.is_some_and(|(y, x)| within(y, row) && within(x, column));
            let at = [index as i64, 1, row, column];
            let expected = if black { 0.0 } else { images.double_value(&at) };
            assert_eq!(hidden.double_value(&at), expected, "{at:?}");
        }
    }
}

#[test]
fn affine_images_keep_their_numbers() {
    let images = ramp(&[2, 1, 4, 6]);
    let step = Affine { degrees: 30.0, translate: 0.2, scale_from: 0.8, scale_to: 1.3 };
    // by an independent program, bilinear from each pixel's place before
    let expected = [
        0.012465, 0.034361, 0.055453, 0.07574, 0.035667, 0.0, 0.152931, 0.176499, 0.200067, 0.223635, 0.094464, 0.0,
        0.306491, 0.330059, 0.353627, 0.377195, 0.150008, 0.0, 0.171864, 0.189668, 0.208277, 0.227692, 0.089494, 0.0,
        0.606952, 0.611894, 0.616837, 0.62178, 0.626723, 0.631666, 0.713921, 0.718864, 0.723806, 0.728749, 0.733692,
        0.738635, 0.82089, 0.825833, 0.830776, 0.835718, 0.840661, 0.845604, 0.647021, 0.751038, 0.858562, 0.942688,
        0.947631, 0.87694,
    ];
    close(&through(Augmentation::Affine(step), &images), &expected);
    let same = through(Augmentation::Affine(Affine::default()), &images);
    assert!(same.allclose(&images, 1e-5, 1e-6, false));
}

#[test]
fn colours_keep_their_numbers() {
    let images = ramp(&[2, 3, 1, 2]);
    let step = ColorJitter { brightness: 0.4, contrast: 0.3, saturation: 0.5 };
    // by an independent program
    let expected = [
        0.056462, 0.118918, 0.168796, 0.231252, 0.281129, 0.343585, 0.592749, 0.675698, 0.721381, 0.80433, 0.850013,
        0.932963,
    ];
    close(&through(Augmentation::ColorJitter(step), &images), &expected);
    let none = through(Augmentation::ColorJitter(ColorJitter::default()), &images);
    assert!(none.allclose(&images, 1e-5, 1e-6, false));
}

#[test]
fn a_resized_constant_stays_and_a_halved_ramp_has_the_means() {
    let resized = through(
        Augmentation::Resize(Resize { height: 3, width: 5 }),
        &Tensor::ones([1, 2, 7, 4], (Kind::Float, Device::Cpu)),
    );
    assert_eq!(resized.size(), [1, 2, 3, 5]);
    close(&resized, &[1.0; 30]);
    // PyTorch: interpolate(arange(8).view(1, 1, 1, 8), size=(1, 4), mode="bilinear", antialias=True)
    let ramp = Tensor::arange(8, (Kind::Float, Device::Cpu)).view([1, 1, 1, 8]);
    close(&through(Augmentation::Resize(Resize { height: 1, width: 4 }), &ramp), &[0.714286, 2.5, 4.5, 6.285715]);
}

fn mixed(seed: u64, mix: Mixing) -> (Tensor, Tensor) {
    let mut rng = Samples::new(seed, vec![0; 4]).batch_rng();
    mix.apply(&ramp(&[4, 1, 4, 6]), &Tensor::from_slice(&[0i64, 1, 2, 3]), 4, &mut rng).unwrap()
}

#[test]
fn mixed_images_and_classes_keep_their_numbers() {
    // by an independent program: the partners, and the share of the own image
    let (partners, own) = ([0, 2, 3, 1], 0.7512838599661695);
    let (images, targets) = mixed(4, Mixing::Mixup(Mixup { alpha: 0.4 }));
    let plain = ramp(&[4, 1, 4, 6]);
    let others = plain.index_select(0, &Tensor::from_slice(&partners.map(i64::from)));
    assert!(images.allclose(&(&plain * own + &others * (1.0 - own)), 1e-5, 1e-6, false));
    for (index, partner) in partners.into_iter().enumerate() {
        for class in 0..4 {
            let share = |of: usize, part: f64| if of == class { part } else { 0.0 };
            let expected = share(index, own) + share(partner as usize, 1.0 - own);
            let found = targets.double_value(&[index as i64, class as i64]);
            assert!((found - expected).abs() < 1e-6, "sample {index}, class {class}: {found}");
        }
    }
}

#[test]
fn images_with_a_part_of_another_keep_their_places() {
    // by an independent program: the partners, and the rows and columns of the part
    let partners = [0i64, 3, 1, 2];
    let (images, targets) = mixed(3, Mixing::CutMix(CutMix { alpha: 1.0 }));
    let plain = ramp(&[4, 1, 4, 6]);
    for (index, partner) in partners.into_iter().enumerate() {
        for (row, column) in (0..4).flat_map(|row| (0..6).map(move |column| (row, column))) {
            let from = if (0..2).contains(&row) && (1..5).contains(&column) { partner } else { index as i64 };
            let at = |image: i64| [image, 0, row, column];
            assert_eq!(images.double_value(&at(index as i64)), plain.double_value(&at(from)), "{index} {row} {column}");
        }
    }
    // 8 of 24 pixels are the other's
    close(&targets.get(1), &[0.0, 2.0 / 3.0, 0.0, 1.0 / 3.0]);
    close(&targets.get(0), &[1.0, 0.0, 0.0, 0.0]);
}

/// Images that are augmented and mixed as the batch says.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Pictures(Vec<Augmentation>, Mixing);

impl Dataset for Pictures {
    type Config = Pictures;
    type Item = (Tensor, Vec<f32>);
    fn open(config: &Pictures) -> Result<Self> {
        Ok(config.clone())
    }
    fn len(&self) -> usize {
        10
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<Self::Item> {
        Err(Error::msg("read as batches"))
    }
    fn batch(&self, samples: &Samples) -> Result<BatchOf<Self>> {
        let labels: Vec<i64> = samples.indices().iter().map(|index| *index as i64).collect();
        let images = ramp(&[10, 3, 8, 8]).index_select(0, &Tensor::from_slice(&labels));
        let images = augment(&self.0, images, &mut samples.rngs("augment"))?;
        self.1.apply(&images, &Tensor::from_slice(&labels), 10, &mut samples.batch_rng())
    }
}

#[test]
fn images_are_the_same_for_any_number_of_workers_and_after_a_start_in_the_middle() {
    let steps = vec![
        Augmentation::Flip(Flip::default()),
        Augmentation::Affine(Affine { degrees: 20.0, translate: 0.1, scale_from: 0.9, scale_to: 1.1 }),
        Augmentation::ColorJitter(ColorJitter { brightness: 0.2, contrast: 0.2, saturation: 0.2 }),
        Augmentation::Crop(Crop { padding: 1, size: None }),
        Augmentation::Cutout(Cutout { size: 3, probability: 0.8 }),
    ];
    let read = |workers: usize, from: Cursor| {
        let pictures = Pictures(steps.clone(), Mixing::Mixup(Mixup { alpha: 0.4 }));
        let config = LoaderConfig { shuffle: true, workers: workers.into(), ..LoaderConfig::new(pictures, 3) };
        let mut loader = Loader::<Pictures>::open("train", &config, 42).unwrap();
        loader.start(from).unwrap();
        let mut batches = Vec::new();
        while let Some(batch) = loader.next_batch().unwrap() {
            batches.push(batch);
        }
        batches
    };
    let of = |pass, sample| Cursor { pass, sample };
    let whole = read(0, of(1, 0));
    assert_eq!(whole.len(), 4);
    assert_eq!(read(3, of(1, 0)), whole);
    assert_eq!(read(2, of(1, 6)), whole[2..]);
    assert_ne!(read(0, of(2, 0))[0].0, whole[0].0);
}

#[test]
fn a_list_of_steps_is_read_from_a_file_with_defaults() {
    #[component]
    struct Holder {
        augment: Vec<Augmentation>,
        mix: Option<Mixing>,
    }
    let text = "(augment: [Flip(), Crop(padding: 2), Cutout(size: 8)], mix: Mixup(alpha: 0.4))";
    let read: Holder = crate::config::parse_text("example", text).unwrap().read().unwrap();
    assert_eq!(read.augment[0], Augmentation::Flip(Flip { probability: 0.5, vertical: false }));
    assert_eq!(read.augment[1], Augmentation::Crop(Crop { padding: 2, size: None }));
    assert_eq!(read.mix, Some(Mixing::Mixup(Mixup { alpha: 0.4 })));
    let again = crate::config::print(&crate::config::to_node(&read).unwrap());
    let again: Holder = crate::config::parse_text("again", &again).unwrap().read().unwrap();
    assert_eq!((again.augment, again.mix), (read.augment, read.mix));
}

#[test]
fn what_does_not_fit_is_refused() {
    let images = ramp(&[2, 2, 4, 4]);
    let refused = |step: Augmentation, images: &Tensor, n: usize| {
        augment(&[step], images.shallow_clone(), &mut rngs(n)).err().unwrap().to_string()
    };
    let flip = || Augmentation::Flip(Flip::default());
    assert_eq!(refused(flip(), &images, 3), "2 images to augment and 3 generators");
    let bytes = images.to_kind(Kind::Uint8);
    assert!(refused(flip(), &bytes, 2).contains("must be [n, c, h, w] of a floating kind, got [2, 2, 4, 4] Uint8"));
    assert!(refused(flip(), &images.get(0), 2).contains("got [2, 4, 4]"));
    let crop = Augmentation::Crop(Crop { padding: 0, size: Some((5, 4)) });
    let text = "a part of 5 × 4 pixels can't be cut out of an image of 4 × 4 with `padding` 0";
    assert_eq!(refused(crop, &images, 2), text);
    assert!(refused(Augmentation::ColorJitter(ColorJitter::default()), &images, 2).contains("1 or 3 channels, got 2"));
    let mix = Mixing::Mixup(Mixup { alpha: 0.2 });
    let labels = Tensor::from_slice(&[0i64, 1, 2]);
    let error = mix.apply(&images, &labels, 3, &mut Samples::new(1, vec![0]).batch_rng()).err().unwrap().to_string();
    assert!(error.contains("got [2, 2, 4, 4] Float and [3]"), "{error}");
    assert!(mix.apply(&images, &labels.narrow(0, 1, 2), 2, &mut Samples::new(1, vec![0]).batch_rng()).is_err());
    assert_eq!(augment(&[flip()], ramp(&[0, 1, 2, 2]), &mut []).unwrap().size(), [0, 1, 2, 2]);
}

#[test]
fn normalised_images_are_saved_with_the_model_and_wrong_numbers_are_refused() {
    let vs = nn::VarStore::new(Device::Cpu);
    let config = NormalizeConfig { mean: vec![0.5, 0.25], std: vec![0.5, 2.0] };
    let normalize = Normalize::build(&(vs.root() / "normalize"), &config).unwrap();
    close(&normalize.apply(&ramp(&[1, 2, 1, 2])).unwrap(), &[-1.0, -0.5, 0.125, 0.25]);
    let names: Vec<String> = vs.variables().into_keys().collect();
    assert!(names.iter().any(|name| name == "normalize.mean") && vs.trainable_variables().is_empty(), "{names:?}");
    for (mean, std) in
        [(vec![], vec![]), (vec![0.5], vec![0.5, 0.5]), (vec![0.5], vec![0.0]), (vec![f64::NAN], vec![1.0])]
    {
        let error = Normalize::build(&vs.root(), &NormalizeConfig { mean, std }).err().unwrap().to_string();
        assert!(error.starts_with("normalisation needs a finite mean"), "{error}");
    }
}

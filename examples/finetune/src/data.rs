//! The handwritten digits 5 to 9, of which the training sees only a few.

use engine::prelude::*;
use flate2::read::GzDecoder;
use std::io::{BufRead, BufReader};

/// The program carries the data, so that it runs from any folder. `examples/digits/data/README.md` says where they are
/// from.
const CARRIED: &[u8] = include_bytes!("../../digits/data/digits.csv.gz");

/// Images `[1, 8, 8]` in 0 to 1, and classes: the digit less 5.
pub struct NewDigits {
    images: SharedTensor,
    classes: Vec<i64>,
}

/// Images of the digits 5 to 9.
#[component(dataset)]
pub struct NewDigitsConfig {
    /// Which part.
    pub split: Split,
    /// Images of each digit in the training part.
    #[config(default = 5, range = 1..=100)]
    pub shots: usize,
}

/// A part of the images.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Split {
    /// The first `shots` images of each digit.
    Train,
    /// The images after the first hundred of each digit.
    Val,
}

impl Dataset for NewDigits {
    type Config = NewDigitsConfig;
    type Item = (Tensor, i64);

    fn open(config: &NewDigitsConfig) -> Result<Self> {
        let (mut pixels, mut classes) = (Vec::new(), Vec::new());
        let mut seen = [0; 5];
        for line in BufReader::new(GzDecoder::new(CARRIED)).lines() {
            let numbers = line?.split(',').map(str::parse::<f32>).collect::<Result<Vec<_>, _>>()?;
            let (image, digit) = numbers.split_at(64);
            let class = digit[0] as i64 - 5;
            let Ok(place) = usize::try_from(class) else { continue };
            let wanted = match config.split {
                Split::Train => seen[place] < config.shots,
                Split::Val => seen[place] >= 100,
            };
            seen[place] += 1;
            if wanted {
                pixels.extend(image.iter().map(|pixel| pixel / 16.0));
                classes.push(class);
            }
        }
        Ok(NewDigits { images: Tensor::from_slice(&pixels).view([-1, 1, 8, 8]).into(), classes })
    }

    fn len(&self) -> usize {
        self.classes.len()
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Tensor, i64)> {
        Ok((self.images.get().get(index as i64), self.classes[index]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_training_part_has_some_images_of_each_digit_and_the_other_part_none_of_them() {
        let open = |split, shots| NewDigits::open(&NewDigitsConfig { split, shots }).unwrap();
        assert_eq!(open(Split::Train, 5).len(), 25);
        assert_eq!(open(Split::Val, 5).len(), 896 - 500);
        for class in 0..5 {
            assert_eq!(open(Split::Train, 3).classes.iter().filter(|found| **found == class).count(), 3);
        }
    }
}

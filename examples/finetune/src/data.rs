//! Handwritten digits with another question: is the digit even or odd? The training sees only a few of them.

use engine::prelude::*;
use flate2::read::GzDecoder;
use std::io::{BufRead, BufReader};

/// The program carries the data, so that it runs from any folder. `examples/digits/data/README.md` says where they are
/// from.
const CARRIED: &[u8] = include_bytes!("../../digits/data/digits.csv.gz");

/// Images that the network of `weights` was trained on: none of them is used here.
const SEEN_BEFORE: usize = 900;
/// The images from here on are for the validation.
const VAL: usize = 1200;

/// Images `[1, 8, 8]` in 0 to 1, and classes: 0 for an even digit, 1 for an odd one.
pub struct Parity {
    images: SharedTensor,
    classes: Vec<i64>,
}

/// Images of handwritten digits, and whether they are even or odd.
#[component(dataset)]
pub struct ParityConfig {
    /// Which part.
    pub split: Split,
    /// Images of each digit in the training part.
    #[config(default = 2, range = 1..=20)]
    pub shots: usize,
}

/// A part of the images.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Split {
    /// `shots` images of each digit.
    Train,
    /// The last 597 images.
    Val,
}

impl Dataset for Parity {
    type Config = ParityConfig;
    type Item = (Tensor, i64);

    fn open(config: &ParityConfig) -> Result<Self> {
        let (mut pixels, mut classes) = (Vec::new(), Vec::new());
        let mut taken = [0; 10];
        for (row, line) in BufReader::new(GzDecoder::new(CARRIED)).lines().enumerate().skip(SEEN_BEFORE) {
            let numbers = line?.split(',').map(str::parse::<f32>).collect::<Result<Vec<_>, _>>()?;
            let (image, digit) = numbers.split_at(64);
            let digit = digit[0] as usize;
            let wanted = match config.split {
                Split::Train => row < VAL && taken[digit] < config.shots,
                Split::Val => row >= VAL,
            };
            if wanted {
                taken[digit] += 1;
                pixels.extend(image.iter().map(|pixel| pixel / 16.0));
                classes.push(digit as i64 % 2);
            }
        }
        Ok(Parity { images: Tensor::from_slice(&pixels).view([-1, 1, 8, 8]).into(), classes })
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
    fn the_training_part_has_some_images_of_each_digit() {
        let open = |split, shots| Parity::open(&ParityConfig { split, shots }).unwrap();
        assert_eq!(open(Split::Val, 2).len(), 597);
        for shots in [1, 20] {
            let train = open(Split::Train, shots);
            assert_eq!((train.len(), train.classes.iter().sum::<i64>()), (10 * shots, 5 * shots as i64));
        }
    }
}

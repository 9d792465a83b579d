//! Two datasets of the same images: some with their digits, and all of them turned.

use engine::prelude::*;
use flate2::read::GzDecoder;
use std::io::{BufRead, BufReader};

/// The program carries the data, so that it runs from any folder. `examples/digits/data/README.md` says where they are
/// from.
const CARRIED: &[u8] = include_bytes!("../../digits/data/digits.csv.gz");

/// The images from here on are for the validation.
const VAL: usize = 1200;

/// All images `[1797, 1, 8, 8]` in 0 to 1, and their digits.
fn carried() -> Result<(Tensor, Vec<i64>)> {
    let (mut pixels, mut digits) = (Vec::new(), Vec::new());
    for line in BufReader::new(GzDecoder::new(CARRIED)).lines() {
        let numbers = line?.split(',').map(str::parse::<f32>).collect::<Result<Vec<_>, _>>()?;
        let (image, digit) = numbers.split_at(64);
        pixels.extend(image.iter().map(|pixel| pixel / 16.0));
        digits.push(digit[0] as i64);
    }
    Ok((Tensor::from_slice(&pixels).view([-1, 1, 8, 8]), digits))
}

/// Images `[1, 8, 8]` with their digits.
pub struct Labelled {
    images: SharedTensor,
    digits: Vec<i64>,
}

/// Images with their digits.
#[component(dataset)]
pub struct LabelledConfig {
    /// Which part.
    pub split: Split,
    /// How many images the training part has.
    #[config(default = 600, range = 10..=1200)]
    pub count: usize,
}

/// A part of the images.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Split {
    /// The first `count` images.
    Train,
    /// The last 597 images.
    Val,
}

impl Dataset for Labelled {
    type Config = LabelledConfig;
    type Item = (Tensor, i64);

    fn open(config: &LabelledConfig) -> Result<Self> {
        let (images, digits) = carried()?;
        let range = match config.split {
            Split::Train => 0..config.count,
            Split::Val => VAL..digits.len(),
        };
        let images = images.slice(0, range.start as i64, range.end as i64, 1);
        Ok(Labelled { images: images.into(), digits: digits[range].to_vec() })
    }

    fn len(&self) -> usize {
        self.digits.len()
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Tensor, i64)> {
        Ok((self.images.get().get(index as i64), self.digits[index]))
    }
}

/// Images `[1, 8, 8]`, each turned by some quarters: a task that needs no labels.
pub struct Turned {
    images: SharedTensor,
    split: Split,
}

/// Images that are turned by 0 to 3 quarters.
#[component(dataset)]
pub struct TurnedConfig {
    /// Which part: the images before those of the validation, whose turns are drawn anew in each pass, or those of the
    /// validation, whose turns are always the same.
    pub split: Split,
}

impl Dataset for Turned {
    type Config = TurnedConfig;
    type Item = (Tensor, i64);

    fn open(config: &TurnedConfig) -> Result<Self> {
        let images = carried()?.0;
        let images = match config.split {
            Split::Train => images.slice(0, 0, VAL as i64, 1),
            Split::Val => images.slice(0, VAL as i64, None, 1),
        };
        Ok(Turned { images: images.into(), split: config.split })
    }

    fn len(&self) -> usize {
        self.images.get().size()[0] as usize
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<(Tensor, i64)> {
        let quarters = match self.split {
            Split::Train => rng.range(0..4),
            Split::Val => index as i64 % 4,
        };
        Ok((self.images.get().get(index as i64).rot90(quarters, [1, 2]), quarters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::random::Stream;

    #[test]
    fn parts_do_not_meet_and_turns_are_those_that_are_told() {
        let open = |split, count| Labelled::open(&LabelledConfig { split, count }).unwrap();
        assert_eq!((open(Split::Train, 100).len(), open(Split::Val, 100).len()), (100, 597));
        let (turned, plain) = (Turned::open(&TurnedConfig { split: Split::Train }).unwrap(), open(Split::Train, 10));
        for pass in 0..8 {
            let (image, quarters) = turned.get(3, &mut SampleRng::new(Stream::new(1, "test", pass, 3))).unwrap();
            assert_eq!(image.rot90(-quarters, [1, 2]), plain.images.get().get(3));
        }
    }
}

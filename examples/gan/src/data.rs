//! The images: the 1,797 handwritten digits of the example `digits`, without what they are.

use engine::prelude::*;
use flate2::read::GzDecoder;
use std::io::{BufRead, BufReader};

/// The program carries the data, so that it runs from any folder. `examples/digits/data/README.md` says where they are
/// from.
const CARRIED: &[u8] = include_bytes!("../../digits/data/digits.csv.gz");

/// All images in memory: `[1797, 64]` in -1 to 1.
pub struct Images(SharedTensor);

/// Images of handwritten digits.
#[component(dataset)]
pub struct ImagesConfig {}

impl Dataset for Images {
    type Config = ImagesConfig;
    /// An image `[64]`, row by row.
    type Item = Tensor;

    fn open(_: &ImagesConfig) -> Result<Self> {
        let mut pixels: Vec<f32> = Vec::new();
        for line in BufReader::new(GzDecoder::new(CARRIED)).lines() {
            let line = line?;
            // the last number is the digit
            let numbers = line.split(',').take(64).map(str::parse::<f32>);
            pixels.extend(numbers.collect::<Result<Vec<_>, _>>()?.iter().map(|pixel| pixel / 8.0 - 1.0));
        }
        Ok(Images(Tensor::from_slice(&pixels).view([-1, 64]).into()))
    }

    fn len(&self) -> usize {
        self.0.get().size()[0] as usize
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Tensor> {
        Ok(self.0.get().get(index as i64))
    }

    /// The same as `get` for each sample, by one operation on all of them.
    fn batch(&self, samples: &Samples) -> Result<Tensor> {
        let indices: Vec<i64> = samples.indices().iter().map(|index| *index as i64).collect();
        Ok(self.0.get().index_select(0, &Tensor::from_slice(&indices)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_images_are_those_of_the_file_in_their_range() {
        let images = Images::open(&ImagesConfig {}).unwrap();
        assert_eq!(images.len(), 1797);
        let all = images.0.get();
        assert_eq!((all.min().double_value(&[]), all.max().double_value(&[])), (-1.0, 1.0));
        // the first row of the file begins 0, 0, 5, 13
        assert_eq!(all.double_value(&[0, 3]), 13.0 / 8.0 - 1.0);
    }
}

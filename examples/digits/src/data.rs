//! The images: 1,797 handwritten digits of 8 × 8 pixels, four fifths to learn from, one fifth to be judged by.

use engine::prelude::*;
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

/// The program carries the data, so that it runs from any folder. `data/README.md` says where they are from.
const CARRIED: &[u8] = include_bytes!("../data/digits.csv.gz");

/// Pixels along a side of an image.
const SIDE: i64 = 8;

/// Images of handwritten digits, and which digits they are: `Digits(split: Train, shift: 1)`.
#[component(dataset)]
pub struct DigitsConfig {
    /// Which part of the data.
    pub split: Split,
    /// Another file of the same form, instead of the one that the program carries.
    #[config(default, exists)]
    pub path: Option<PathBuf>,
    /// How far an image is moved at most, in pixels and in each direction, anew whenever it is read.
    #[config(default = 0, range = 0..=2)]
    pub shift: i64,
}

/// The two parts of the data.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Split {
    /// To learn from.
    Train,
    /// To be judged by: every fifth row.
    Val,
}

impl Split {
    /// The part that a row of the file belongs to: a rule without chance, the same in every run and program.
    fn of(row: usize) -> Split {
        if row % 5 == 4 { Split::Val } else { Split::Train }
    }
}

/// One part of the data, in memory.
pub struct DigitsSet {
    /// `[n, side · side]` in 0 to 1, with a margin of `shift` empty pixels around each image.
    images: SharedTensor,
    digits: Vec<i64>,
    /// Where in a margined image the 8 × 8 pixels at its upper left corner are: `[64]`.
    corner: SharedTensor,
    shift: i64,
}

impl Dataset for DigitsSet {
    type Config = DigitsConfig;
    /// An image `[1, 8, 8]` in 0 to 1, and its digit.
    type Item = (Tensor, i64);

    fn open(config: &DigitsConfig) -> Result<Self> {
        let rows = match &config.path {
            None => read(CARRIED)?,
            Some(path) => {
                let file = File::open(path).with_context(|| format!("`{}` can't be opened", path.display()))?;
                read(file).with_context(|| format!("`{}` can't be read", path.display()))?
            }
        };
        let rows: Vec<Row> =
            rows.into_iter().enumerate().filter(|(n, _)| Split::of(*n) == config.split).map(|(_, row)| row).collect();
        let pixels: Vec<f32> = rows.iter().flat_map(|row| row.pixels).collect();
        let shift = config.shift;
        let images = Tensor::from_slice(&pixels).view([-1, SIDE, SIDE]).constant_pad_nd([shift; 4]).flatten(1, 2);
        let along = Tensor::arange(SIDE, (Kind::Int64, Device::Cpu));
        let corner = (along.unsqueeze(1) * side(shift) + along.unsqueeze(0)).flatten(0, 1);
        Ok(DigitsSet {
            images: images.into(),
            digits: rows.iter().map(|row| row.digit).collect(),
            corner: corner.into(),
            shift,
        })
    }

    fn len(&self) -> usize {
        self.digits.len()
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<(Tensor, i64)> {
        let image = self.cut(&[index as i64], &[self.offset(rng)]);
        Ok((image.squeeze_dim(0), self.digits[index]))
    }

    /// The same as `get` for each sample, by a few operations on all of them instead of a few on each.
    fn batch(&self, samples: &Samples) -> Result<(Tensor, Tensor)> {
        let offsets = samples.map(|_, rng| Ok(self.offset(rng)))?;
        let indices: Vec<i64> = samples.indices().iter().map(|index| *index as i64).collect();
        let digits: Vec<i64> = samples.indices().iter().map(|index| self.digits[*index]).collect();
        Ok((self.cut(&indices, &offsets), Tensor::from_slice(&digits)))
    }
}

impl DigitsSet {
    /// Where in its margined image a sample begins. All randomness comes from `rng`, which belongs to this sample in this
    /// epoch: the batches stay the same with any number of workers, and after a resume.
    fn offset(&self, rng: &mut SampleRng) -> i64 {
        let mut along = || rng.range(0..2 * self.shift + 1);
        along() * side(self.shift) + along()
    }

    /// The 8 × 8 pixels of each of these images from its offset on: `[n, 1, 8, 8]`.
    fn cut(&self, indices: &[i64], offsets: &[i64]) -> Tensor {
        let images = self.images.get().index_select(0, &Tensor::from_slice(indices));
        let pixels = Tensor::from_slice(offsets).unsqueeze(1) + self.corner.get();
        images.gather(1, &pixels, false).view([-1, 1, SIDE, SIDE])
    }
}

/// Pixels along a side of an image with its margins.
fn side(shift: i64) -> i64 {
    SIDE + 2 * shift
}

/// A line of the file.
struct Row {
    pixels: [f32; 64],
    digit: i64,
}

/// Reads lines of 64 pixels from 0 to 16 and a digit, separated by commas and packed by gzip.
fn read(packed: impl Read) -> Result<Vec<Row>> {
    let lines = BufReader::new(GzDecoder::new(packed)).lines();
    lines.enumerate().map(|(n, line)| row(&line?).with_context(|| format!("in line {}", n + 1))).collect()
}

fn row(line: &str) -> Result<Row> {
    let numbers = line.split(',').map(|number| number.trim().parse::<u8>().map_err(|_| number));
    let numbers: Vec<u8> = numbers
        .collect::<Result<_, _>>()
        .map_err(|number| Error::msg(format!("`{number}` is no number from 0 to 16")))?;
    let Some((digit, pixels)) = numbers.split_last().filter(|(_, pixels)| pixels.len() == 64) else {
        return Err(Error::msg(format!("there are {} numbers, expected 65: 64 pixels and the digit", numbers.len())));
    };
    if *digit > 9 || pixels.iter().any(|pixel| *pixel > 16) {
        return Err(Error::msg("a pixel is above 16, or the digit above 9"));
    }
    Ok(Row { pixels: std::array::from_fn(|n| f32::from(pixels[n]) / 16.0), digit: i64::from(*digit) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(split: Split, shift: i64) -> DigitsSet {
        DigitsSet::open(&DigitsConfig { split, path: None, shift }).unwrap()
    }

    #[test]
    fn every_row_is_in_exactly_one_part() {
        let (train, val) = (open(Split::Train, 0), open(Split::Val, 0));
        assert_eq!((train.len(), val.len()), (1438, 359));
        // put together again in the order of the file, the parts are the file
        let whole = read(CARRIED).unwrap();
        let (mut train, mut val) = (train.digits.iter(), val.digits.iter());
        for (n, row) in whole.iter().enumerate() {
            let part = if Split::of(n) == Split::Val { &mut val } else { &mut train };
            assert_eq!(part.next(), Some(&row.digit));
        }
        assert_eq!((train.next(), val.next()), (None, None));
    }

    #[test]
    fn a_batch_is_its_samples_read_one_by_one() {
        let set = open(Split::Train, 1);
        let samples = Samples::new(7, vec![3, 1000, 3]);
        let (images, digits) = set.batch(&samples).unwrap();
        assert_eq!((images.size(), digits.size()), (vec![3, 1, 8, 8], vec![3]));
        for (place, index) in [3, 1000, 3].into_iter().enumerate() {
            let (image, digit) = set.get(index, &mut samples.rng(place)).unwrap();
            assert_eq!(images.get(place as i64), image);
            assert_eq!(digits.int64_value(&[place as i64]), digit);
        }
    }

    #[test]
    fn without_a_shift_an_image_is_as_the_file_has_it() {
        // the first row of the file, a zero, begins 0, 0, 5, 13
        let (image, digit) = open(Split::Train, 0).get(0, &mut Samples::new(0, vec![0]).rng(0)).unwrap();
        assert_eq!(
            (image.double_value(&[0, 0, 2]), image.double_value(&[0, 0, 3]), digit),
            (5.0 / 16.0, 13.0 / 16.0, 0)
        );
        assert_eq!(f64::try_from(image.max()).unwrap(), 15.0 / 16.0);
    }

    #[test]
    fn a_line_of_the_wrong_length_or_content_is_refused() {
        assert!(row("1,2,3").err().unwrap().to_string().contains("there are 3 numbers, expected 65"));
        assert!(row("1,a,3").err().unwrap().to_string().contains("`a` is no number"));
        assert!(row(&vec!["17"; 65].join(",")).is_err());
    }
}

//! Histograms of the elements of a tensor, counted on its device.

use super::RecordError;
use std::sync::LazyLock;
use tch::{Device, Kind, Tensor};

/// Counts of a tensor's elements in TensorBoard's buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The smallest finite element; 0 when there is none.
    pub min: f64,
    /// The largest finite element; 0 when there is none.
    pub max: f64,
    /// The sum of the finite elements.
    pub sum: f64,
    /// The sum of their squares.
    pub sum_of_squares: f64,
    /// The buckets with elements, in ascending order.
    pub buckets: Vec<Bucket>,
    /// Elements that are NaN or infinite; they are in no bucket.
    pub not_finite: u64,
}

/// The elements from `low` up to, but without, `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The lower end, which belongs to it.
    pub low: f64,
    /// The upper end, which does not.
    pub high: f64,
    /// The number of elements in it.
    pub count: u64,
}

/// Elements that are counted at a time, so that a large tensor needs little memory besides its own.
const CHUNK: i64 = 1 << 22;

/// The limits of TensorBoard's buckets: 0, and from ±1e-12 to ±1e20 in steps of 10 %. They are those of TensorFlow's
/// `histogram.cc` (`InitDefaultBucketsInner`).
static LIMITS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let steps = std::iter::successors(Some(1e-12), |limit| Some(limit * 1.1));
    let mut positive: Vec<f64> = steps.take_while(|limit| *limit < 1e20).collect();
    positive.push(f64::MAX);
    let negative = positive.iter().rev().map(|limit| -limit);
    negative.chain([0.0]).chain(positive.iter().copied()).collect()
});

impl Histogram {
    /// Counts the elements of a tensor of any shape; `bool` elements count as 0 and 1.
    ///
    /// The counting is done on the tensor's device, in double precision, and the result is read with one copy of 12
    /// KB: this waits for the device.
    ///
    /// # Errors
    /// When the elements are complex numbers.
    pub fn from_tensor(tensor: &Tensor) -> Result<Histogram, RecordError> {
        let kind = tensor.kind();
        if matches!(kind, Kind::ComplexHalf | Kind::ComplexFloat | Kind::ComplexDouble) {
            return Err(RecordError::HistogramKind(kind));
        }
        tch::no_grad(|| counted(tensor))
    }

    /// How many finite elements there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.count).sum()
    }
}

fn counted(tensor: &Tensor) -> Result<Histogram, RecordError> {
    let device = tensor.device();
    let limits = Tensor::from_slice(&LIMITS).f_to_device(device)?;
    // between two limits, and one above all of them, which stays empty
    let counts = Tensor::f_zeros([LIMITS.len() as i64 + 1], (Kind::Int64, device))?;
    let infinity = Tensor::from(f64::INFINITY).f_to_device(device)?;
    let (mut min, mut max) = (infinity.shallow_clone(), infinity.f_neg()?);
    let mut sums = Tensor::f_zeros([3], (Kind::Double, device))?;
    let flat = tensor.f_reshape([-1])?;
    let length = flat.size()[0];
    for start in (0..length).step_by(CHUNK as usize) {
        let chunk = flat.f_narrow(0, start, CHUNK.min(length - start))?.f_to_kind(Kind::Double)?;
        let finite = chunk.f_isfinite()?;
        let instead = |value: &Tensor| chunk.f_where_self(&finite, value);
        let zeroed = instead(&infinity.f_zeros_like()?)?;
        // selecting the finite ones would ask the device how many they are
        let places = Tensor::f_bucketize(&zeroed, &limits, false, true)?;
        let _ = counts.shallow_clone().f_index_add_(0, &places, &finite.f_to_kind(Kind::Int64)?)?;
        min = min.f_minimum(&instead(&infinity)?.f_min()?)?;
        max = max.f_maximum(&instead(&infinity.f_neg()?)?.f_max()?)?;
        let finite_count = finite.f_sum(Kind::Double)?;
        let of_chunk = [zeroed.f_sum(Kind::Double)?, zeroed.f_square()?.f_sum(Kind::Double)?, finite_count];
        sums = sums.f_add(&Tensor::f_stack(&of_chunk, 0)?)?;
    }
    let all = [min.f_reshape([1])?, max.f_reshape([1])?, sums, counts.f_to_kind(Kind::Double)?];
    let read = Vec::<f64>::try_from(Tensor::f_cat(&all, 0)?.f_to_device(Device::Cpu)?)?;
    Ok(histogram(&read, length as u64))
}

/// From what was read: `[min, max, sum, sum of squares, finite, counts…]`.
fn histogram(read: &[f64], length: u64) -> Histogram {
    let finite = read[4] as u64;
    let of_some = |value: f64| if finite == 0 { 0.0 } else { value };
    let counts = read[5..].iter().map(|count| *count as u64).enumerate();
    let buckets = counts.filter(|(_, count)| *count > 0).map(|(index, count)| Bucket {
        low: index.checked_sub(1).map_or(f64::MIN, |below| LIMITS[below]),
        high: LIMITS.get(index).copied().unwrap_or(f64::MAX),
        count,
    });
    Histogram {
        min: of_some(read[0]),
        max: of_some(read[1]),
        sum: read[2],
        sum_of_squares: read[3],
        buckets: buckets.collect(),
        not_finite: length - finite,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Histogram {
        Histogram::from_tensor(&Tensor::from_slice(values)).unwrap()
    }

    #[test]
    fn the_limits_are_those_of_tensorboard() {
        // as `_get_default_bins` of torch.utils.tensorboard gives them, with TensorFlow's outermost ones
        assert_eq!(LIMITS.len(), 1551);
        assert_eq!((LIMITS[0], LIMITS[775], LIMITS[776], LIMITS[777]), (f64::MIN, 0.0, 1e-12, 1e-12 * 1.1));
        assert!(LIMITS.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn every_finite_element_is_counted_in_the_bucket_that_it_lies_in() {
        let values = [0.0, 1.0, 1.0, -3.5, 1e-30, 5e30, -1e-12];
        let histogram = of(&values);
        assert_eq!(histogram.count(), values.len() as u64);
        for bucket in &histogram.buckets {
            let inside = values.iter().filter(|value| (bucket.low..bucket.high).contains(value)).count();
            assert_eq!(inside as u64, bucket.count, "{bucket:?}");
        }
        assert_eq!((histogram.min, histogram.max, histogram.not_finite), (-3.5, 5e30, 0));
        assert_eq!(of(&[1.0, 2.0, -3.0]).sum_of_squares, 14.0);
    }

    #[test]
    fn elements_that_are_not_finite_are_told_apart() {
        let histogram = of(&[f64::NAN, 2.0, f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!((histogram.min, histogram.max, histogram.sum, histogram.not_finite), (2.0, 2.0, 2.0, 3));
        assert_eq!(histogram.count(), 1);
        let nothing = of(&[f64::NAN]);
        assert_eq!((nothing.min, nothing.max, nothing.count(), nothing.not_finite), (0.0, 0.0, 0, 1));
        assert_eq!(of(&[]), Histogram { not_finite: 0, ..nothing });
    }

    #[test]
    fn a_tensor_longer_than_a_chunk_is_counted_as_a_whole() {
        let values = Tensor::arange(CHUNK + 5, (Kind::Int, Device::Cpu));
        let histogram = Histogram::from_tensor(&values).unwrap();
        let last = (CHUNK + 4) as f64;
        assert_eq!((histogram.count(), histogram.max), (CHUNK as u64 + 5, last));
        assert_eq!(histogram.sum, last * (last + 1.0) / 2.0);
        let complex = Tensor::zeros([1], (Kind::ComplexFloat, Device::Cpu));
        assert!(Histogram::from_tensor(&complex).unwrap_err().to_string().contains("has no histogram"));
    }
}

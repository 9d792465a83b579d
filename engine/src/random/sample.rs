//! The generator with which a dataset augments one sample.

use crate::random::stream::Stream;
use std::ops::Range;

/// Random numbers for one sample: uniform, integer, `bool`, normal.
///
/// Each method always uses its random bits in the same way. So the same sample of the same epoch is augmented in the
/// same way on every machine, with any number of workers and after any upgrade.
///
/// ```
/// use engine::random::{SampleRng, Stream};
///
/// // datasets are handed theirs; a test of one makes its own
/// let mut rng = SampleRng::new(Stream::new(7, "example", 0, 0));
/// let flip = rng.bool(0.5);
/// let shift = rng.range(-2..3);
/// let noise = 0.1 * rng.normal();
/// assert!((-2..3).contains(&shift) && noise.is_finite());
///
/// let mut again = SampleRng::new(Stream::new(7, "example", 0, 0));
/// assert_eq!((again.bool(0.5), again.range(-2..3), 0.1 * again.normal()), (flip, shift, noise));
/// ```
#[derive(Clone, Debug)]
pub struct SampleRng(Stream);

impl SampleRng {
    /// A generator that draws from this stream.
    pub fn new(stream: Stream) -> Self {
        SampleRng(stream)
    }

    /// A number in `0.0..1.0`.
    pub fn uniform(&mut self) -> f64 {
        self.0.unit()
    }

    /// A number in `0.0..1.0`, a multiple of 2⁻²⁴.
    pub fn uniform_f32(&mut self) -> f32 {
        (self.0.next_u64() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// A number between `low` (possible) and `high` (possible only by rounding).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// An integer in the range, all equally likely; `range.start` when the range is empty.
    pub fn range(&mut self, range: Range<i64>) -> i64 {
        let width = if range.is_empty() { 0 } else { range.end.wrapping_sub(range.start) as u64 };
        range.start.wrapping_add(self.0.below(width) as i64)
    }

    /// An index below `len`, all equally likely; 0 when `len` is 0.
    pub fn index(&mut self, len: usize) -> usize {
        self.0.below(len as u64) as usize
    }

    /// True with this probability: always for 1.0, never for 0.0.
    pub fn bool(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// A number from the normal distribution with mean 0 and standard deviation 1.
    ///
    /// Polar method: G. Marsaglia, T. A. Bray, "A Convenient Method for Generating Normal Variables", 1964. The second
    /// number of each pair is discarded, so that no draw depends on earlier draws.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * stable_ln(square) / square).sqrt();
            }
        }
    }

    /// A number from the distribution Beta(a, b), both above 0: the share of the first of two numbers from the
    /// distributions Gamma(a) and Gamma(b).
    ///
    /// The last bits may differ between C libraries, whose power function it uses.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (first, second) = (self.gamma(a), self.gamma(b));
        match first + second {
            // both too small for a number: one of them is all
            0.0 => f64::from(u8::from(self.bool(a / (a + b)))),
            sum => first / sum,
        }
    }

    /// A number from the distribution Gamma(shape) of scale 1.
    ///
    /// G. Marsaglia, W. W. Tsang, "A Simple Method for Generating Gamma Variables", 2000; for a shape below 1 by their note
    /// at the end of section 6.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let smaller = self.uniform().powf(1.0 / shape);
            return self.gamma(shape + 1.0) * smaller;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && stable_ln(1.0 - self.uniform()) < 0.5 * x * x + d - d * v + d * stable_ln(v) {
                return d * v;
            }
        }
    }

    /// The underlying stream, for distributions that have no method here.
    pub fn stream(&mut self) -> &mut Stream {
        &mut self.0
    }
}

/// The natural logarithm of a normal positive number, from additions, multiplications and divisions alone.
///
/// The system's `ln` may differ in its last bit from one C library to the next, and a sample with it. This is
/// the series 2·artanh(s) = 2(s + s³/3 + s⁵/5 + …) with s = (m − 1)/(m + 1), for x = m·2ᵏ and m within √½..√2.
fn stable_ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    // |s| is at most 0.172, so the term of s²³ is below 2⁻⁵³ of the sum
    let series = (0..12).rev().fold(0.0, |sum, term| sum * square + 1.0 / f64::from(2 * term + 1));
    2.0 * s * series + exponent as f64 * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rng() -> SampleRng {
        SampleRng::new(Stream::new(42, "sample", 1, 2))
    }

    #[test]
    fn each_kind_of_draw_keeps_its_values() {
        // by an independent program, whose C library rounds the last bit of the first normal number the other way
        let mut rng = rng();
        assert_eq!(rng.uniform(), 0.956660285996647);
        assert_eq!(rng.uniform_f32(), 0.321_990_5);
        assert_eq!((rng.range(-2..3), rng.index(1000)), (2, 137));
        assert_eq!([(); 3].map(|()| rng.normal()), [-1.0229129296064534, 0.7138739305550855, 0.3346820651408229]);
    }

    #[test]
    fn the_logarithm_is_right_to_the_last_bits() {
        for x in [1.0, 0.5, 2.0, 0.999, 1e-300, 1.5, 0.7, std::f64::consts::E, 123.456] {
            let (ours, systems) = (stable_ln(x), f64::ln(x));
            assert!((ours - systems).abs() <= 4e-16 * systems.abs().max(1e-3), "ln {x}: {ours} against {systems}");
        }
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_distribution() {
        let mut rng = rng();
        let draws: Vec<f64> = (0..40_000).map(|_| rng.normal()).collect();
        let moment = |power: i32| draws.iter().map(|x| x.powi(power)).sum::<f64>() / draws.len() as f64;
        assert!(moment(1).abs() < 0.02, "mean {}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.03, "variance {}", moment(2));
        assert!((moment(4) - 3.0).abs() < 0.2, "fourth moment {}", moment(4));
    }

    #[test]
    fn shares_have_the_moments_of_the_beta_distribution() {
        let mut rng = rng();
        for (a, b) in [(0.2, 0.2), (1.0, 1.0), (2.0, 5.0), (0.5, 3.0)] {
            let draws: Vec<f64> = (0..20_000).map(|_| rng.beta(a, b)).collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
            let (expected, spread) = (a / (a + b), a * b / ((a + b) * (a + b) * (a + b + 1.0)));
            // a mean has a standard deviation of 0.0031 at most, and a variance one of 0.0007
            assert!((mean - expected).abs() < 0.013, "mean of Beta({a}, {b}): {mean} against {expected}");
            assert!((variance - spread).abs() < 0.005, "variance of Beta({a}, {b}): {variance} against {spread}");
            assert!(draws.iter().all(|x| (0.0..=1.0).contains(x)));
        }
        // most numbers of so small a shape are too small for f64
        let tiny: Vec<f64> = (0..1_000).map(|_| rng.beta(1e-4, 1e-4)).collect();
        assert!(tiny.iter().all(|x| (0.0..=1.0).contains(x)));
        // expected 500 with a standard deviation of 16
        let ones = tiny.iter().filter(|x| **x > 0.5).count();
        assert!((430..570).contains(&ones), "{ones}");
    }

    #[test]
    fn integers_cover_their_range_and_no_more() {
        let mut rng = rng();
        let mut seen: Vec<i64> = (0..200).map(|_| rng.range(-2..3)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [-2, -1, 0, 1, 2]);
        assert_eq!(rng.range(5..5), 5);
        let whole = rng.range(i64::MIN..i64::MAX);
        assert!(whole < i64::MAX);
    }

    #[test]
    fn a_probability_of_zero_is_never_and_of_one_is_always() {
        let mut rng = rng();
        assert!((0..1000).all(|_| !rng.bool(0.0) && rng.bool(1.0)));
        let heads = (0..10_000).filter(|_| rng.bool(0.25)).count();
        assert!((2_300..2_700).contains(&heads), "{heads}");
    }
}

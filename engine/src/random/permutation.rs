//! Random orders that are computed index by index.

use crate::random::stream::Stream;

/// A random order of the numbers `0..len` that needs no memory per number: each position is computed on its own.
///
/// A Feistel network with a key of its own for each round is a bijection of all numbers with as many bits as the last
/// index has; what lies outside of `0..len` is sent through it again, until it lies inside ("cycle walking": J. Black,
/// P. Rogaway, "Ciphers with Arbitrary Finite Domains", 2002). The round function is the finalizer of MurmurHash3. With
/// 8 rounds, positions and differences of positions are uniform for every `len` of at least 64; a short list is better
/// shuffled by [`permutation`](crate::random::permutation()), which reaches every order.
///
/// ```
/// use engine::random::{Permutation, Stream};
/// let order = Permutation::new(3_000_000_000, &mut Stream::new(42, "my-order", 0, 0));
/// let index = order.get(1_234_567_890).expect("a position below the length");
/// assert!(index < 3_000_000_000);
/// assert_eq!(order.get(3_000_000_000), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permutation {
    len: u64,
    /// Bits of the left and of the right half.
    halves: (u32, u32),
    keys: [u64; ROUNDS],
}

/// An even number, so that both halves have their own width again at the end. With 3 and 4 rounds the differences of
/// neighbours are not uniform.
const ROUNDS: usize = 8;

impl Permutation {
    /// An order of `0..len`; its keys are the next 8 numbers of the stream.
    pub fn new(len: u64, stream: &mut Stream) -> Self {
        // one bit for each half at least, so that there is something to exchange
        let bits = (u64::BITS - len.saturating_sub(1).leading_zeros()).max(2);
        Permutation { len, halves: (bits / 2, bits - bits / 2), keys: [(); ROUNDS].map(|()| stream.next_u64()) }
    }

    /// How many numbers the order has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True when it has no numbers.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number at this position; `None` behind the last one.
    pub fn get(&self, position: u64) -> Option<u64> {
        if position >= self.len {
            return None;
        }
        let mut at = position;
        // it ends: a bijection that is followed from inside the range comes back into it
        loop {
            at = self.once(at, &self.keys);
            if at < self.len {
                return Some(at);
            }
        }
    }

    /// Once through a round for each key.
    fn once(&self, at: u64, keys: &[u64]) -> u64 {
        let (mut left_bits, mut right_bits) = self.halves;
        let (mut left, mut right) = (at >> right_bits, at & mask(right_bits));
        for key in keys {
            let mixed = left ^ (mix(right ^ key) & mask(left_bits));
            (left, right) = (right, mixed);
            (left_bits, right_bits) = (right_bits, left_bits);
        }
        (left << right_bits) | right
    }
}

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// `fmix64` of MurmurHash3 (A. Appleby).
const fn mix(mut x: u64) -> u64 {
    x ^= x >> 33;
    x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^= x >> 33;
    x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ (x >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(len: u64, seed: u64) -> Permutation {
        Permutation::new(len, &mut Stream::new(seed, "order", 0, 0))
    }

    /// How many standard deviations the statistic of chi-square lies above its mean: of counts that should all be the
    /// same, with this many degrees of freedom.
    fn deviation(counts: &[u32], freedom: f64) -> f64 {
        let expected = counts.iter().map(|count| f64::from(*count)).sum::<f64>() / counts.len() as f64;
        let statistic: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        (statistic - freedom) / (2.0 * freedom).sqrt()
    }

    #[test]
    fn an_order_has_every_number_once() {
        for len in (0..130).chain([1000, 4096, 4097, 65_535]) {
            let order = order(len, 7);
            let mut seen: Vec<u64> = (0..len).map(|position| order.get(position).unwrap()).collect();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..len), "of {len}");
            assert_eq!((order.get(len), order.len()), (None, len));
        }
    }

    #[test]
    fn an_order_keeps_its_values() {
        // by an independent program
        let values = |len, seed| (0..8).map(|at| order(len, seed).get(at).unwrap()).collect::<Vec<_>>();
        assert_eq!(values(3_000_000_000, 42), VALUES_OF_3E9);
        assert_eq!(values(1_000_001, 1), VALUES_OF_1E6);
    }

    // made by the same definition, written again in Python
    const VALUES_OF_3E9: [u64; 8] =
        [158231664, 2965561282, 1121712374, 2372739747, 1281210790, 2546542505, 1033812918, 1197397527];
    const VALUES_OF_1E6: [u64; 8] = [58069, 418588, 267632, 114869, 437108, 79703, 783615, 138679];

    #[test]
    fn every_number_is_as_likely_at_every_position() {
        for len in [64u64, 100] {
            let mut counts = vec![0u32; (len * len) as usize];
            for seed in 0..2_000 {
                let order = order(len, seed);
                for position in 0..len {
                    counts[(position * len + order.get(position).unwrap()) as usize] += 1;
                }
            }
            let off = deviation(&counts, ((len - 1) * (len - 1)) as f64);
            // a right generator is above 5 once in 3 million tries, and the seeds are fixed
            assert!(off < 5.0, "{len}: {off} standard deviations");
        }
    }

    /// By how much the differences of the numbers at two positions stray from uniform, over many orders.
    fn pairs(len: u64, seeds: u64, number: impl Fn(&Permutation, u64) -> u64) -> f64 {
        let places = [(0, 1), (1, 2), (0, len / 2), (len / 3, len - 1)];
        let mut counts = places.map(|_| vec![0u32; (len - 1) as usize]);
        for seed in 0..seeds {
            let order = order(len, seed);
            for ((one, other), counts) in places.into_iter().zip(&mut counts) {
                let (one, other) = (number(&order, one), number(&order, other));
                counts[((other + len - one) % len - 1) as usize] += 1;
            }
        }
        counts.iter().map(|counts| deviation(counts, (len - 2) as f64)).fold(f64::MIN, f64::max)
    }

    #[test]
    fn every_difference_of_two_numbers_is_as_likely() {
        for len in [64, 100, 1000] {
            let off = pairs(len, 20_000, |order, at| order.get(at).unwrap());
            assert!(off < 5.0, "{len}: {off} standard deviations");
        }
    }

    #[test]
    fn with_three_rounds_the_differences_are_not_uniform() {
        let off = pairs(64, 20_000, |order, at| order.once(at, &order.keys[..3]));
        assert!(off > 20.0, "{off} standard deviations");
    }
}

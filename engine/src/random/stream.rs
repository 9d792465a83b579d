//! Raw random bits from (seed, tag, a, b).

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// An endless sequence of random bits that is a function of its four parts.
///
/// The 32 bytes of the ChaCha8 key are the parts themselves. So two streams that differ in any part are independent,
/// and creating a stream needs no other stream: the stream of epoch 7 needs nothing of epoch 6.
///
/// ```
/// use engine::random::Stream;
/// let mut one = Stream::new(42, "my-hook", 3, 0);
/// let mut again = Stream::new(42, "my-hook", 3, 0);
/// assert_eq!(one.next_u64(), again.next_u64());
/// ```
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream for `tag` (what the numbers are for) at the two counts `a` and `b`, often an epoch and an index.
    pub fn new(seed: u64, tag: &str, a: u64, b: u64) -> Self {
        let mut key = [0u8; 32];
        for (bytes, part) in key.chunks_exact_mut(8).zip([seed, tag_of(tag), a, b]) {
            bytes.copy_from_slice(&part.to_le_bytes());
        }
        Stream(ChaCha8Rng::from_seed(key))
    }

    /// The stream from its number `n` on, counted from its beginning: the numbers before it are not drawn.
    ///
    /// ```
    /// use engine::random::Stream;
    /// let whole = Stream::new(42, "my-hook", 3, 0);
    /// let (mut one, mut other) = (whole.clone(), whole.starting_at(2));
    /// let third = [one.next_u64(), one.next_u64(), one.next_u64()][2];
    /// assert_eq!(third, other.next_u64());
    /// ```
    #[must_use]
    pub fn starting_at(&self, n: u64) -> Self {
        let mut moved = self.clone();
        // the cipher counts words of 32 bits
        moved.0.set_word_pos(u128::from(n) * 2);
        moved
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// An integer in `0..n`, all equally likely; 0 when `n` is 0.
    ///
    /// Multiplication with rejection: D. Lemire, "Fast Random Integer Generation in an Interval", 2019.
    ///
    /// ```
    /// use engine::random::Stream;
    ///
    /// let mut dice = Stream::new(7, "dice", 0, 0);
    /// let thrown: Vec<u64> = (0..100).map(|_| 1 + dice.below(6)).collect();
    /// assert!((1..=6).all(|side| thrown.contains(&side)) && thrown.iter().all(|side| (1..=6).contains(side)));
    /// ```
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            // the part of the 2^64 values that does not divide evenly among n results
            let uneven = n.wrapping_neg() % n;
            while (product as u64) < uneven {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// A number in `0.0..1.0`, a multiple of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A seed for a part of the program, from the seed of the whole: the first 64 bits of its [`Stream`].
///
/// ```
/// use engine::random::derive;
///
/// // one seed for the experiment, others for its parts
/// let (model, data) = (derive(42, "model", 0, 0), derive(42, "data", 0, 0));
/// assert_ne!(model, data);
/// assert_eq!(model, derive(42, "model", 0, 0));
/// ```
pub fn derive(seed: u64, tag: &str, a: u64, b: u64) -> u64 {
    Stream::new(seed, tag, a, b).next_u64()
}

/// The hash of a text in 64 bits (FNV-1a, offset 0xcbf29ce484222325, prime 0x100000001b3), so that purposes and names
/// get different streams.
pub const fn tag_of(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_fnv_1a_of_its_text() {
        // published test vectors of FNV-1a
        assert_eq!(tag_of(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(tag_of("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(tag_of("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_bits_are_those_of_the_published_cipher() {
        // ChaCha with 8 rounds, counter and nonce 0, computed by an independent program
        let mut stream = Stream::new(42, "order", 3, 1);
        let bits = [(); 3].map(|()| stream.next_u64());
        assert_eq!(bits, [0x5394_bf69_926b_99d3, 0xb145_2bb6_e854_960f, 0xa2c7_20cb_4b2f_48f3]);
    }

    #[test]
    fn each_part_of_a_stream_changes_all_of_it() {
        let first = |seed, tag, a, b| Stream::new(seed, tag, a, b).next_u64();
        let all = [
            first(1, "order", 0, 0),
            first(2, "order", 0, 0),
            first(1, "sample", 0, 0),
            first(1, "order", 1, 0),
            first(1, "order", 0, 1),
        ];
        for (index, value) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(value), "{all:?}");
        }
    }

    #[test]
    fn a_bounded_integer_is_unbiased_and_in_range() {
        let mut stream = Stream::new(7, "below", 0, 0);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        // expected 10,000 with a standard deviation of 91
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        assert_eq!(stream.below(1), 0);
        assert_eq!(stream.below(0), 0);
        // n just above half of 2^64 rejects half of the draws
        let n = (1 << 63) + 1;
        assert!((0..100).all(|_| stream.below(n) < n));
    }
}

//! xorshift64: every run of the tests has the same numbers. Also part of `engine/tests/experiments`.

use std::ops::Range;

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // neighbouring seeds are spread, and none is 0
        Random((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((self.next() >> 11) % limit.max(1) as u64) as usize
    }

    /// Once in `n` times.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Small numbers, limits and any others, cut to `bits` with their sign.
    pub(crate) fn integer(&mut self, bits: u32) -> i128 {
        let any = (i128::from(self.next()) << 64) | i128::from(self.next());
        let shift = 128 - bits;
        match self.below(6) {
            0 => i128::MIN >> shift,
            1 => i128::MAX >> shift,
            2 => 0,
            3 => any.rem_euclid(201) - 100,
            _ => any << shift >> shift,
        }
    }

    /// Every kind of float: plain, whole, extreme, subnormal, none at all.
    pub(crate) fn float(&mut self) -> f64 {
        match self.below(12) {
            0 => f64::INFINITY,
            1 => f64::NEG_INFINITY,
            2 => f64::NAN,
            3 => -0.0,
            4 => f64::from_bits(1 + self.next() % 1000),
            5 => self.pick(&[f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::EPSILON, 9_007_199_254_740_993.0, 1e16]),
            6 => self.below(1000) as f64,
            7 => self.below(1000) as f64 / 100.0,
            8 => Some(f64::from_bits(self.next())).filter(|float| float.is_finite()).unwrap_or(0.1),
            _ => self.below(1_000_000) as f64 * 1e-9,
        }
    }

    pub(crate) fn character(&mut self) -> char {
        match self.below(4) {
            0 => self.pick(&[
                '"', '\'', '\\', '\n', '\r', '\t', '\0', '\u{7f}', '\u{1}', '#', '/', '*', '\u{feff}', '\u{2028}',
            ]),
            1 => self.pick(&['é', 'ß', '漢', '\u{1F600}', '\u{301}', '\u{200e}', '\u{a0}', '\u{10ffff}']),
            _ => char::from(b' ' + self.below(95) as u8),
        }
    }

    pub(crate) fn text(&mut self) -> String {
        (0..self.below(8)).map(|_| self.character()).collect()
    }

    /// A range of whole characters, of at most about so many bytes.
    pub(crate) fn range(&mut self, text: &str, longest: usize) -> Range<usize> {
        let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let from = self.below(text.len() + 1);
        let to = from + self.below(longest);
        boundary(from)..boundary(to)
    }

    /// One change of a text: a range is left out, a piece is put in or in its place, or the range is doubled.
    pub(crate) fn change(&mut self, text: &mut String, longest: usize, piece: impl FnOnce(&mut Self) -> String) {
        let range = self.range(text, longest);
        match self.below(4) {
            0 => drop(text.drain(range)),
            1 => text.insert_str(range.start, &piece(self)),
            2 => text.replace_range(range, &piece(self)),
            _ => {
                let copied = text[range.clone()].to_owned();
                text.insert_str(range.start, &copied);
            }
        }
    }
}

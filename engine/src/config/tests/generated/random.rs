//! xorshift64: every run of the tests has the same numbers.

pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        // neighbouring seeds are spread, and none is 0
        Random((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        ((self.next() >> 11) % limit.max(1) as u64) as usize
    }

    /// Once in `n` times.
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Small numbers, limits and any others, cut to `bits` with their sign.
    pub(super) fn integer(&mut self, bits: u32) -> i128 {
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
    pub(super) fn float(&mut self) -> f64 {
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

    pub(super) fn character(&mut self) -> char {
        match self.below(4) {
            0 => self.pick(&[
                '"', '\'', '\\', '\n', '\r', '\t', '\0', '\u{7f}', '\u{1}', '#', '/', '*', '\u{feff}', '\u{2028}',
            ]),
            1 => self.pick(&['é', 'ß', '漢', '\u{1F600}', '\u{301}', '\u{200e}', '\u{a0}', '\u{10ffff}']),
            _ => char::from(b' ' + self.below(95) as u8),
        }
    }

    pub(super) fn text(&mut self) -> String {
        (0..self.below(8)).map(|_| self.character()).collect()
    }
}

//! The model to beat: how often each byte follows each other one, counted.

/// Counts of pairs of bytes, with one more of each than there are, so that none has the probability 0 (Laplace).
pub struct Bigram {
    pairs: Vec<u64>,
    firsts: Vec<u64>,
}

impl Bigram {
    /// The counts of a text.
    pub fn of(text: &[u8]) -> Self {
        let mut bigram = Bigram { pairs: vec![1; 256 * 256], firsts: vec![256; 256] };
        for pair in text.windows(2) {
            bigram.pairs[usize::from(pair[0]) * 256 + usize::from(pair[1])] += 1;
            bigram.firsts[usize::from(pair[0])] += 1;
        }
        bigram
    }

    /// e to the power of the mean of -ln p(byte | byte before it) over a text of at least two bytes.
    pub fn perplexity(&self, text: &[u8]) -> f64 {
        let surprise = |pair: &[u8]| {
            let (first, second) = (usize::from(pair[0]), usize::from(pair[1]));
            -(self.pairs[first * 256 + second] as f64 / self.firsts[first] as f64).ln()
        };
        let pairs = text.windows(2);
        let count = pairs.len() as f64;
        (pairs.map(surprise).sum::<f64>() / count).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_not_seen_has_the_perplexity_of_the_vocabulary() {
        assert!((Bigram::of(b"").perplexity(b"anything") - 256.0).abs() < 1e-9);
    }

    #[test]
    fn what_always_follows_is_hardly_a_surprise() {
        let text = b"ab".repeat(100_000);
        assert!(Bigram::of(&text).perplexity(&text) < 1.01);
        // two bytes that follow equally often
        let text = b"aabb".repeat(100_000);
        assert!((Bigram::of(&text).perplexity(&text) - 2.0).abs() < 0.01);
    }
}

//! Which size is tried next.

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This size.
    Try(u64),
    /// Nothing: the largest size that fits is known, or that none does.
    Done,
}

/// What was tried so far.
#[derive(Debug)]
pub(super) struct Search {
    first: u64,
    most: u64,
    /// The largest size that fits.
    fits: Option<(u64, f64)>,
    /// The smallest size that does not.
    too_large: Option<u64>,
    /// The fastest size.
    fastest: Option<(u64, f64)>,
}

/// The largest size is found to this part of it: what fits differs by as much from one process to the next.
const EXACT: u64 = 32;

/// No loader takes larger batches.
const MOST: u64 = 1 << 24;

impl Search {
    /// A search that begins with a size, and tries none above `most`.
    pub(super) fn new(first: u64, most: Option<u64>) -> Search {
        let most = most.unwrap_or(MOST).clamp(1, MOST);
        Search { first: first.clamp(1, most), most, fits: None, too_large: None, fastest: None }
    }

    /// Tries none above this either.
    pub(super) fn limit(&mut self, most: u64) {
        self.most = self.most.min(most.max(1));
    }

    pub(super) fn next(&self) -> Next {
        match (self.fits, self.too_large) {
            (None, None) => Next::Try(self.first),
            (Some((fits, _)), None) if fits >= self.most => Next::Done,
            (Some((fits, _)), None) => Next::Try((2 * fits).min(self.most)),
            (None, Some(1)) => Next::Done,
            (None, Some(too_large)) => Next::Try(too_large / 2),
            (Some((fits, _)), Some(too_large)) if too_large - fits <= (fits / EXACT).max(1) => Next::Done,
            (Some((fits, _)), Some(too_large)) => Next::Try(fits + (too_large - fits) / 2),
        }
    }

    /// Notes that a size fits, with so many samples a second, or that it does not.
    pub(super) fn note(&mut self, size: u64, rate: Option<f64>) {
        let Some(rate) = rate else {
            self.too_large = Some(self.too_large.map_or(size, |known| known.min(size)));
            return;
        };
        if self.fits.is_none_or(|(known, _)| known < size) {
            self.fits = Some((size, rate));
        }
        if self.fastest.is_none_or(|(_, known)| known < rate) {
            self.fastest = Some((size, rate));
        }
    }

    pub(super) fn fits(&self) -> bool {
        self.fits.is_some()
    }

    /// The result in words.
    pub(super) fn result(&self, loader: &str) -> String {
        let (Some((fits, rate)), Some((fastest, best))) = (self.fits, self.fastest) else {
            return format!("no batch of `{loader}` fits, not even one of 1 sample");
        };
        let limit = match self.too_large {
            Some(_) => String::new(),
            None => ", as many as were to be tried".to_owned(),
        };
        format!(
            "the largest batch of `{loader}` that fits has {fits} samples ({rate:.0} samples/s){limit}; the fastest has {fastest} ({best:.0} samples/s)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest size that a search finds where `limit` samples fit, and how many it has tried.
    fn found(first: u64, most: Option<u64>, limit: u64) -> (Option<u64>, usize) {
        let mut search = Search::new(first, most);
        let mut tries = 0;
        while let Next::Try(size) = search.next() {
            tries += 1;
            assert!(tries < 100 && size >= 1);
            search.note(size, (size <= limit).then_some(size as f64));
        }
        (search.fits.map(|(size, _)| size), tries)
    }

    #[test]
    fn the_largest_that_fits_is_found_from_above_and_from_below() {
        for limit in [1, 2, 3, 63, 64, 65, 1000, 12345] {
            for first in [1, 64, 100_000] {
                let (size, tries) = found(first, None, limit);
                let size = size.unwrap();
                assert!(size <= limit && limit - size <= size / EXACT, "{size} of {limit}, from {first}");
                assert!(tries <= 30, "{tries} tries");
            }
        }
        assert_eq!(found(64, None, 0).0, None);
        assert_eq!(found(64, Some(1500), 1_000_000).0, Some(1500));
        assert_eq!(found(64, Some(10), 1_000_000), (Some(10), 1));
        assert_eq!(found(64, None, u64::MAX).0, Some(MOST));
    }

    #[test]
    fn the_fastest_may_be_another_one() {
        let mut search = Search::new(8, Some(16));
        search.note(8, Some(200.0));
        search.note(16, Some(150.4));
        let text = "the largest batch of `train` that fits has 16 samples (150 samples/s), as many as were to be tried; the fastest has 8 (200 samples/s)";
        assert_eq!(search.result("train"), text);
        assert_eq!(Search::new(8, None).result("train"), "no batch of `train` fits, not even one of 1 sample");
    }
}

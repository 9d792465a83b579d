//! Updates counted in samples.

/// How updates count in samples: each as many as its full batches have, over all ranks. So the count is a function of the number
/// of updates, and a run that goes on with another batch size goes on from the samples that it has.
///
/// ```
/// use engine::optim::SampleClock;
///
/// // 100 updates of 32 samples, and from then on 64
/// let samples = SampleClock::new(32).from(100, 64);
/// assert_eq!([0, 100, 101].map(|iter| samples.at(iter)), [0, 3200, 3264]);
/// // the first update before which there were as many
/// assert_eq!([0, 3200, 3201, 3264].map(|count| samples.iter_of(count)), [0, 100, 101, 101]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleClock {
    per_iter: u64,
    /// The updates and samples before the number of samples has changed last.
    iters: u64,
    samples: u64,
}

impl SampleClock {
    /// Each update counts so many, at least 1.
    pub fn new(per_iter: u64) -> Self {
        SampleClock { per_iter: per_iter.max(1), iters: 0, samples: 0 }
    }

    /// From this update on, each counts another number of samples; the same one changes nothing.
    #[must_use]
    pub fn from(self, iter: u64, per_iter: u64) -> Self {
        match per_iter.max(1) == self.per_iter {
            true => self,
            false => SampleClock { per_iter: per_iter.max(1), iters: iter, samples: self.at(iter) },
        }
    }

    /// The samples of the first `iter` updates. Of those before the last change, each counts their mean.
    pub fn at(&self, iter: u64) -> u64 {
        match iter.checked_sub(self.iters) {
            Some(since) => self.samples.saturating_add(since.saturating_mul(self.per_iter)),
            None => ratio(iter, self.samples, self.iters, false),
        }
    }

    /// The least number of updates that have so many samples.
    pub fn iter_of(&self, samples: u64) -> u64 {
        match samples.checked_sub(self.samples) {
            Some(since) => self.iters.saturating_add(since.div_ceil(self.per_iter)),
            None => ratio(samples, self.iters, self.samples, true),
        }
    }

    /// What a checkpoint holds: samples of an update, and the updates and samples before they changed.
    pub(crate) fn saved(&self) -> [u64; 3] {
        [self.per_iter, self.iters, self.samples]
    }

    /// From a checkpoint.
    pub(crate) fn restored([per_iter, iters, samples]: [u64; 3]) -> Self {
        SampleClock { per_iter: per_iter.max(1), iters, samples }
    }
}

/// `count * of / whole`, rounded down or up.
fn ratio(count: u64, of: u64, whole: u64, up: bool) -> u64 {
    let (product, whole) = (u128::from(count) * u128::from(of), u128::from(whole.max(1)));
    u64::try_from(if up { product.div_ceil(whole) } else { product / whole }).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_the_batch_size_goes_on_from_the_samples_so_far() {
        let clock = SampleClock::new(10).from(5, 20).from(8, 20).from(10, 1);
        let counts: Vec<u64> = [0, 10, 11, 12].iter().map(|iter| clock.at(*iter)).collect();
        assert_eq!(counts, [0, 150, 151, 152]);
        // before the last change each update counts the mean of all
        assert_eq!(clock.at(5), 75);
        assert_eq!(SampleClock::restored(clock.saved()), clock);
    }

    #[test]
    fn the_update_of_a_count_is_the_first_that_has_as_many() {
        for clock in [SampleClock::new(7), SampleClock::new(7).from(9, 4), SampleClock::new(3).from(2, 50)] {
            for samples in 0..200 {
                let iter = clock.iter_of(samples);
                assert!(clock.at(iter) >= samples, "{clock:?} {samples}");
                assert!(iter == 0 || clock.at(iter - 1) < samples, "{clock:?} {samples}");
            }
        }
    }

    #[test]
    fn no_count_is_too_large() {
        let clock = SampleClock::new(u64::MAX).from(u64::MAX, 2);
        assert_eq!((clock.at(u64::MAX), clock.iter_of(u64::MAX)), (u64::MAX, u64::MAX));
        assert_eq!(SampleClock::new(0).at(3), 3);
    }
}

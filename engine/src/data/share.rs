//! Which part of each batch a process of several reads.

/// The place of this process among those that share a loader. They take windows of the common order, each of `batch_size`
/// samples for every process, and each process has a run of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    rank: u64,
    world: u64,
}

impl Share {
    /// One process that reads everything.
    pub(super) const ALL: Share = Share { rank: 0, world: 1 };

    /// Of `world` processes, at least one, the one with this number.
    pub(super) fn new(rank: usize, world: usize) -> Share {
        let world = (world as u64).max(1);
        Share { rank: (rank as u64).min(world - 1), world }
    }

    /// How many processes there are.
    pub(super) fn world(self) -> u64 {
        self.world
    }

    /// Samples of a whole window.
    pub(super) fn window(self, batch_size: usize) -> u64 {
        (batch_size as u64).saturating_mul(self.world)
    }

    /// The run of a window of so many samples that is this process's: where in the window it begins, and its length. Windows
    /// that can't be divided evenly are divided so that no two processes differ by more than one sample, and the first has
    /// never fewer than others.
    pub(super) fn of(self, samples: u64) -> (u64, u64) {
        let begin = |rank: u64| (u128::from(rank) * u128::from(samples)).div_ceil(u128::from(self.world)) as u64;
        (begin(self.rank), begin(self.rank + 1) - begin(self.rank))
    }

    /// The fewest samples of a window that a process reads, of those that read any.
    pub(super) fn fewest(self, samples: u64) -> u64 {
        (samples / self.world).max(samples.min(1))
    }
}

/// How many of the samples of a batch of `world` processes one of them reads.
pub(crate) fn samples_of_rank(samples: u64, rank: usize, world: usize) -> u64 {
    Share::new(rank, world).of(samples).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_of_all_processes_are_the_window() {
        for world in 1..=5 {
            for samples in 0..=23 {
                let runs: Vec<_> = (0..world).map(|rank| Share::new(rank, world).of(samples)).collect();
                let mut next = 0;
                for (begin, length) in &runs {
                    assert_eq!(*begin, next, "{samples} samples on {world} ranks: {runs:?}");
                    next += length;
                }
                assert_eq!(next, samples);
                let lengths = || runs.iter().map(|(_, length)| *length);
                assert!(lengths().max().unwrap() - lengths().min().unwrap() <= 1, "{runs:?}");
                assert_eq!(lengths().max().unwrap(), runs[0].1, "rank 0 has samples whenever there are any");
                let fewest = lengths().filter(|length| *length > 0).min().unwrap_or(0);
                assert_eq!(Share::new(0, world).fewest(samples), fewest, "{runs:?}");
            }
        }
    }

    #[test]
    fn a_full_window_has_a_whole_batch_for_each() {
        let share = Share::new(2, 4);
        assert_eq!((share.window(8), share.of(32)), (32, (16, 8)));
        assert_eq!(Share::ALL.of(7), (0, 7));
    }
}

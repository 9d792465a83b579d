//! The best values of a watched metric, in order.

use crate::base::{Epoch, Iter, Saved, StateError, StateMap, StateValue};
use crate::metric::Better;
use crate::run::Context;

/// The best values of a watched metric so far, the best first, and what has measured them.
///
/// There is one more than is kept: when the checkpoint of the newest can't be written, those before it are as they were.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ranking {
    entries: Vec<Entry>,
    /// The metric with its settings, and which direction is better; empty while nobody has said.
    by: String,
}

/// A value, and the weights that gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) value: f64,
    pub(crate) epoch: Epoch,
    pub(crate) iter: Iter,
    /// How many later values were the same.
    pub(crate) ties: u64,
}

impl Ranking {
    /// Says what measures the values to come. Values of something else can't be compared with them: they are forgotten, and
    /// a text says so.
    pub(crate) fn is_of(&mut self, monitor: &str, cx: &Context<'_>) -> Option<String> {
        let by = cx.measured_by(monitor);
        let other = !self.by.is_empty() && self.by != by;
        let told = (other && !self.entries.is_empty()).then(|| {
            format!(
                "`{monitor}` is now measured by another metric or with other weights, so its best value starts over"
            )
        });
        if other {
            self.entries.clear();
        }
        by.clone_into(&mut self.by);
        told
    }

    /// Takes a value of the weights of now, behind all that are as good, when it is among the best `keep`; gives back its
    /// place from 0. A value that is no number has none.
    pub(crate) fn take(&mut self, value: f64, better: Better, now: (Epoch, Iter), keep: usize) -> Option<usize> {
        if value.is_nan() {
            return None;
        }
        let place = self.entries.iter().position(|entry| better.is_better(value, entry.value, 0.0));
        let place = place.unwrap_or(self.entries.len());
        if let Some(first) = self.entries.iter_mut().find(|entry| entry.value == value) {
            first.ties += 1;
        }
        if place >= keep {
            return None;
        }
        let (epoch, iter) = now;
        self.entries.insert(place, Entry { value, epoch, iter, ties: 0 });
        self.entries.truncate(keep + 1);
        Some(place)
    }

    /// Forgets the weights of an iter, whose checkpoint is not there.
    pub(crate) fn forget(&mut self, iter: Iter) {
        self.entries.retain(|entry| entry.iter != iter);
    }

    /// Forgets the values whose checkpoints are not there; whether the best one was among them.
    pub(crate) fn keep_those(&mut self, is_there: impl Fn(Iter) -> bool) -> bool {
        let best = self.entries.first().copied();
        self.entries.retain(|entry| is_there(entry.iter));
        best.is_some() && self.entries.first().copied() != best
    }

    /// The best values, at most `keep`.
    pub(crate) fn best(&self, keep: usize) -> &[Entry] {
        &self.entries[..keep.min(self.entries.len())]
    }
}

impl Saved for Ranking {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("entries", &self.entries);
        map.put("by", &self.by);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(Ranking { entries: map.take("entries")?, by: map.take("by")? })
    }
}

impl Saved for Entry {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("value", &self.value);
        map.put("epoch", &self.epoch);
        map.put("iter", &self.iter);
        map.put("ties", &self.ties);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(Entry {
            value: map.take("value")?,
            epoch: map.take("epoch")?,
            iter: map.take("iter")?,
            ties: map.take("ties")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(values: &[f64], keep: usize) -> (Ranking, Vec<Option<usize>>) {
        let mut ranking = Ranking::default();
        let values = values.iter().zip(1..);
        let places =
            values.map(|(value, iter)| ranking.take(*value, Better::Higher, (Epoch(0), Iter(iter)), keep)).collect();
        (ranking, places)
    }

    fn iters(ranking: &Ranking, keep: usize) -> Vec<u64> {
        ranking.best(keep).iter().map(|entry| entry.iter.get()).collect()
    }

    #[test]
    fn of_equal_values_the_first_stays_in_front_and_the_others_are_counted() {
        let (ranking, places) = taken(&[0.5, 0.5, 0.4, f64::NAN, 0.5], 2);
        assert_eq!(places, [Some(0), Some(1), None, None, None]);
        assert_eq!(iters(&ranking, 2), [1, 2]);
        assert_eq!(ranking.best(1)[0].ties, 2);
    }

    #[test]
    fn after_a_checkpoint_that_was_not_written_the_best_are_those_of_before() {
        for keep in [1, 2, 3] {
            let (before, _) = taken(&[0.1, 0.4, 0.2, 0.3], keep);
            let (mut after, places) = taken(&[0.1, 0.4, 0.2, 0.3, 0.5], keep);
            assert_eq!(places[4], Some(0));
            after.forget(Iter(5));
            assert_eq!(iters(&after, keep), iters(&before, keep), "{keep}");
        }
    }
}

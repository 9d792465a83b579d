//! What one rank was asked, as the others are told.

use crate::base::{ErrorContext as _, Iter, Result};
use crate::checkpoint::iter_name;
use crate::run::{RollBack, Save, Signal};
use serde::{Deserialize, Serialize};

/// What a rank was asked since the last safe point.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The iters that were finished.
    pub(super) iter: u64,
    /// Who asks to end the training, and why.
    pub(super) stop: Option<(String, String)>,
    pub(super) validate: bool,
    /// The earlier state to go back to.
    pub(super) roll_back: Option<RollBack>,
    /// Whether the state is to be kept in memory.
    pub(super) keep: bool,
    /// Names of checkpoints, and whether `latest` tells them.
    pub(super) saves: Vec<(String, bool)>,
    /// Whether SIGTERM or SIGINT was received: its exit code.
    pub(super) signal: Option<u8>,
    /// Whether SIGUSR1 was received.
    pub(super) save: bool,
    pub(super) time_up: bool,
    pub(super) settled: Option<Settled>,
}

/// How the writing of a checkpoint has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::loops) struct Settled {
    /// The names that were asked for.
    pub(in crate::loops) names: Vec<String>,
    /// The iter of the state.
    pub(in crate::loops) iter: u64,
    /// Where it is, by each name; or why it is not there.
    pub(in crate::loops) written: Result<Vec<String>, String>,
    /// Why old checkpoints could not be deleted.
    pub(in crate::loops) not_deleted: Vec<String>,
}

impl Asked {
    pub(super) fn is_nothing(&self) -> bool {
        *self == Asked { iter: self.iter, ..Asked::default() }
    }

    /// Empty for nothing, and equal for equal requests.
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        match self.is_nothing() {
            true => Ok(Vec::new()),
            false => serde_json::to_vec(self).context("requests can't be told to other ranks"),
        }
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Asked> {
        match bytes {
            [] => Ok(Asked::default()),
            _ => serde_json::from_slice(bytes).context("the requests of another rank can't be read"),
        }
    }

    /// Adds the requests of another rank, or of another time. The first reason to stop stays.
    pub(super) fn add(&mut self, other: Asked) {
        self.stop = self.stop.take().or(other.stop);
        self.validate |= other.validate;
        self.roll_back = self.roll_back.take().or(other.roll_back);
        self.keep |= other.keep;
        for save in other.saves {
            if !self.saves.contains(&save) {
                self.saves.push(save);
            }
        }
        self.signal = self.signal.or(other.signal);
        self.save |= other.save;
        self.time_up |= other.time_up;
        self.settled = self.settled.take().or(other.settled);
    }

    /// The checkpoints that are to be written after this iter. Those that were asked for after an earlier one, and are
    /// named by it, get the name of this one.
    pub(super) fn saves_at(&self, now: Iter) -> Vec<Save> {
        let named = iter_name(Iter(self.iter));
        let renamed = |name: &String| if *name == named { iter_name(now) } else { name.clone() };
        self.saves.iter().map(|(name, latest)| Save { name: renamed(name), latest: *latest }).collect()
    }

    /// The same, asked after this iter.
    pub(super) fn moved_to(mut self, iter: u64) -> Asked {
        self.saves = self.saves_at(Iter(iter)).into_iter().map(|save| (save.name, save.latest)).collect();
        self.iter = iter;
        self
    }

    pub(super) fn signal(&self) -> Option<Signal> {
        [Signal::Interrupt, Signal::Terminate].into_iter().find(|signal| Some(signal.exit_code()) == self.signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_an_empty_message_and_the_rest_comes_back() {
        assert_eq!(Asked { iter: 7, ..Asked::default() }.bytes().unwrap(), b"");
        assert_eq!(Asked::read(b"").unwrap(), Asked::default());
        let settled = Settled { names: vec!["a".into()], iter: 3, written: Err("full".into()), not_deleted: vec![] };
        let asked = Asked { iter: 7, signal: Some(143), settled: Some(settled), ..Asked::default() };
        assert_eq!(Asked::read(&asked.bytes().unwrap()).unwrap(), asked);
        assert_eq!(asked.signal(), Some(Signal::Terminate));
    }

    #[test]
    fn a_checkpoint_that_comes_later_is_named_by_the_later_iter() {
        let saves = vec![(iter_name(Iter(7)), true), ("best_val_loss".to_owned(), false)];
        let asked = Asked { iter: 7, saves, ..Asked::default() };
        let names = |now| asked.saves_at(Iter(now)).into_iter().map(|save| save.name).collect::<Vec<_>>();
        assert_eq!(names(7), [iter_name(Iter(7)), "best_val_loss".to_owned()]);
        assert_eq!(names(8), [iter_name(Iter(8)), "best_val_loss".to_owned()]);
        // one that is held for longer too
        let saves = asked.moved_to(8).moved_to(9).saves_at(Iter(10));
        assert_eq!(saves[0].name, iter_name(Iter(10)));
    }

    #[test]
    fn requests_of_several_ranks_are_all_kept_and_the_first_reason_to_stop() {
        let of = |reason: &str, save: &str| Asked {
            stop: Some(("hook".to_owned(), reason.to_owned())),
            saves: vec![(save.to_owned(), true), ("same".to_owned(), false)],
            ..Asked::default()
        };
        let mut all = of("first", "a");
        all.add(of("second", "b"));
        assert_eq!(all.stop.unwrap().1, "first");
        let names: Vec<&str> = all.saves.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "same", "b"]);
    }
}

//! What ranks tell each other when they meet: all of it has to be the same.

use crate::base::waiting::Waiting;
use crate::dist::error::{DistError, Gone, Lost};
use crate::native::{NativeError, Store};
use signal_hook::consts::SIGTERM;
use std::time::{Duration, Instant};

/// What a rank is: the version of the engine, the program, the command, the experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello(Vec<(String, String)>);

impl Hello {
    /// Adds something that has to be the same on all ranks. Neither may contain a line break.
    #[must_use]
    pub fn with(mut self, what: &str, value: impl Into<String>) -> Self {
        self.0.push((what.to_owned(), value.into().replace('\n', " ")));
        self
    }

    fn text(&self) -> String {
        self.0.iter().map(|(what, value)| format!("{what}\t{value}\n")).collect()
    }

    fn read(text: &str) -> Hello {
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        Hello(lines.map(|(what, value)| (what.to_owned(), value.to_owned())).collect())
    }

    /// Says hello, and waits for all others; or until this rank, or another one, is `told_to_end` by a signal.
    ///
    /// # Errors
    /// When a rank does not come within the time, and when one is of another kind.
    pub(super) fn say(
        &self,
        store: &Store,
        (rank, world): (usize, usize),
        timeout: Duration,
        told_to_end: &dyn Fn() -> Option<i32>,
    ) -> Result<(), DistError> {
        let failed = |source: NativeError| DistError::Native { doing: "the meeting of the ranks".to_owned(), source };
        store.set(&key(rank), self.text().as_bytes()).map_err(failed)?;
        let since = Instant::now();
        let _waiting = Waiting::for_("the other ranks to come".to_owned());
        let mut hellos: Vec<Option<Hello>> = (0..world).map(|_| None).collect();
        loop {
            // before the others are looked at: with all of them here, the signal ends the run in good order
            let own = told_to_end();
            for (rank, hello) in hellos.iter_mut().enumerate().filter(|(_, hello)| hello.is_none()) {
                // of very many, each takes its time
                if since.elapsed() >= timeout {
                    break;
                }
                let found = store.get(&key(rank)).map_err(failed)?;
                *hello = found.map(|text| Hello::read(&String::from_utf8_lossy(&text)));
            }
            if hellos.iter().all(Option::is_some) {
                // one that has left before all had come has left its hello here
                match ended(store).map_err(failed)? {
                    Some(signal) => return Err(DistError::Interrupted { signal }),
                    None => break,
                }
            }
            let another = ended(store).map_err(failed)?;
            if let Some(signal) = another.or(own) {
                store.set(ENDED, signal.to_string().as_bytes()).map_err(failed)?;
                if rank == 0 {
                    std::thread::sleep(LINGER);
                }
                return Err(DistError::Interrupted { signal });
            }
            if let Some(rank) = store.get(GONE).map_err(failed)? {
                let who = String::from_utf8_lossy(&rank).parse().ok().map(|rank| (rank, Gone::Silent));
                let (doing, why) = ("the meeting of the ranks".to_owned(), "its launcher has seen its end".to_owned());
                return Err(DistError::Lost(Lost { doing, who, world, why }));
            }
            // a rank that came earlier may have waited long enough
            let given_up = store.get(MISSING).map_err(failed)?;
            if given_up.is_some() || since.elapsed() >= timeout {
                let missing = || (0..world).filter(|rank| hellos[*rank].is_none());
                let who = told(&missing().collect::<Vec<_>>());
                store.set(MISSING, who.as_bytes()).map_err(failed)?;
                if rank == 0 {
                    // the store may end with this process
                    std::thread::sleep(LINGER);
                }
                let who = given_up.map_or(who, |who| String::from_utf8_lossy(&who).into_owned());
                return Err(DistError::Missing { who, world, seconds: timeout.as_secs_f64() });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut met = store.add("met", 1).map_err(failed)?;
        // who serves the store ends with an error only when all have seen why
        while rank == 0 && met < world as i64 && since.elapsed() < timeout {
            std::thread::sleep(Duration::from_millis(10));
            met = store.add("met", 0).map_err(failed)?;
        }
        let hellos: Vec<Hello> = hellos.into_iter().flatten().collect();
        hellos.iter().enumerate().skip(1).try_for_each(|(rank, hello)| hello.check(rank, &hellos[0]))
    }

    /// Compares the hello of a rank with that of rank 0.
    fn check(&self, rank: usize, main: &Hello) -> Result<(), DistError> {
        let of = |hello: &Hello, what: &str| {
            hello
                .0
                .iter()
                .find(|(known, _)| known == what)
                .map_or_else(|| "missing".to_owned(), |(_, value)| value.clone())
        };
        let both = main.0.iter().chain(&self.0).map(|(what, _)| what);
        for what in both {
            let (theirs, ours) = (of(self, what), of(main, what));
            if theirs != ours {
                return Err(DistError::Differs { rank, what: what.clone(), theirs, ours });
            }
        }
        Ok(())
    }
}

/// The rank that has ended before all had come, as its launcher knows.
pub(super) const GONE: &str = "gone";
/// There when a rank was told to end before all had come: the number of the signal.
const ENDED: &str = "ended";
/// Who was missed, once a rank has given up.
const MISSING: &str = "missing";
/// How long a store stays there, so that others can read in it why this rank ends.
const LINGER: Duration = Duration::from_millis(300);

/// The signal that has ended a rank before all had come.
fn ended(store: &Store) -> Result<Option<i32>, NativeError> {
    let told = store.get(ENDED)?;
    Ok(told.map(|text| String::from_utf8_lossy(&text).parse().unwrap_or(SIGTERM)))
}

/// Where in its store a rank says hello: from then on it listens to signals.
fn key(rank: usize) -> String {
    format!("hello/{rank}")
}

/// `rank 1`, or `ranks 1, 2`; of many the first.
fn told(ranks: &[usize]) -> String {
    let first: Vec<String> = ranks.iter().take(8).map(usize::to_string).collect();
    let more = if ranks.len() > 8 { ", …" } else { "" };
    let plural = if ranks.len() == 1 { "" } else { "s" };
    format!("rank{plural} {}{more}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_with_both_values() {
        let main = Hello::default().with("the experiment", "abc").with("the command", "train");
        let same = Hello::read(&main.text());
        assert!(same.check(1, &main).is_ok());
        let other = Hello::default().with("the experiment", "abd").with("the command", "train");
        assert_eq!(
            other.check(3, &main).unwrap_err().to_string(),
            "rank 3 can't work with rank 0: the experiment of rank 3 is abd, and of rank 0 abc"
        );
        let older = Hello::default().with("the experiment", "abc");
        assert!(older.check(1, &main).unwrap_err().to_string().contains("the command of rank 1 is missing"));
    }

    #[test]
    fn missing_ranks_are_listed() {
        assert_eq!(told(&[1]), "rank 1");
        assert_eq!(told(&[1, 3]), "ranks 1, 3");
        assert_eq!(told(&(1..20).collect::<Vec<_>>()), "ranks 1, 2, 3, 4, 5, 6, 7, 8, …");
    }
}

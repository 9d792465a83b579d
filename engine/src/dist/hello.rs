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

    /// Says hello, and waits until all others have said it too; or until `told_to_end` gives the number of a signal, here or
    /// on another rank. One rank decides how it ends, and all follow: also one that is told to end goes on when another
    /// one has already seen all of them.
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
        let mut begins = false;
        loop {
            // before the others are looked at: with all of them here, the signal ends the run in good order
            let own = told_to_end();
            for (rank, hello) in hellos.iter_mut().enumerate().filter(|(_, hello)| hello.is_none()) {
                // of very many, each takes its time
                if since.elapsed() >= timeout && !begins {
                    break;
                }
                let found = store.get(&key(rank)).map_err(failed)?;
                *hello = found.map(|text| Hello::read(&String::from_utf8_lossy(&text)));
            }
            let missing: Vec<usize> = (0..world).filter(|rank| hellos[*rank].is_none()).collect();
            let wish = match own {
                _ if missing.is_empty() => Some(Fate::Begin),
                Some(signal) => Some(Fate::End(signal)),
                None if since.elapsed() >= timeout => Some(Fate::Miss(told(&missing))),
                None => None,
            };
            let fate = decide(store, wish).map_err(failed)?;
            if matches!(fate, Some(Fate::End(_) | Fate::Miss(_))) && rank == 0 {
                // the store may end with this process
                std::thread::sleep(LINGER);
            }
            match fate {
                Some(Fate::Begin) if missing.is_empty() => break,
                // they are there, and are found in the next round
                Some(Fate::Begin) => begins = true,
                Some(Fate::End(signal)) => return Err(DistError::Interrupted { signal }),
                Some(Fate::Miss(who)) => {
                    return Err(DistError::Missing { who, world, seconds: timeout.as_secs_f64() });
                }
                None => {}
            }
            if let Some(rank) = store.get(GONE).map_err(failed)? {
                let who = String::from_utf8_lossy(&rank).parse().ok().map(|rank| (rank, Gone::Silent));
                let (doing, why) = ("the meeting of the ranks".to_owned(), "its launcher has seen its end".to_owned());
                return Err(DistError::Lost(Lost { doing, who, world, why }));
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
/// Where the first rank that knows how the meeting ends has written it.
const FATE: &str = "fate";
/// How long a store stays there, so that others can read in it why this rank ends.
const LINGER: Duration = Duration::from_millis(300);

/// How the meeting ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// All have come.
    Begin,
    /// A rank was told to end by this signal before.
    End(i32),
    /// A rank has waited for these long enough.
    Miss(String),
}

impl Fate {
    fn text(&self) -> String {
        match self {
            Fate::Begin => "begin".to_owned(),
            Fate::End(signal) => format!("end {signal}"),
            Fate::Miss(who) => format!("miss {who}"),
        }
    }

    fn read(text: &str) -> Fate {
        match text.split_once(' ') {
            None => Fate::Begin,
            Some(("miss", who)) => Fate::Miss(who.to_owned()),
            Some((_, signal)) => Fate::End(signal.parse().unwrap_or(SIGTERM)),
        }
    }
}

/// How the meeting ends, as soon as one rank knows: the first `wish` of all ranks.
fn decide(store: &Store, wish: Option<Fate>) -> Result<Option<Fate>, NativeError> {
    let fate = match wish {
        Some(wish) => Some(store.set_first(FATE, wish.text().as_bytes())?),
        None => store.get(FATE)?,
    };
    Ok(fate.map(|text| Fate::read(&String::from_utf8_lossy(&text))))
}

/// Where in its store a rank says hello.
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
    use signal_hook::consts::SIGINT;
    use std::net::TcpListener;

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
    fn all_ranks_follow_the_first_that_knows_how_the_meeting_ends() {
        let soon = Duration::from_secs(30);
        let (mut begun, mut ended) = (0, 0);
        for round in 0..50_u64 {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let _served = Store::serve(listener, soon).unwrap();
            let since = Instant::now();
            // the last one comes about when another one is told to end
            let told_to_end = |rank: usize| {
                let signal = if rank == 1 { SIGTERM } else { SIGINT };
                (rank > 0 && since.elapsed() > Duration::from_millis(20)).then_some(signal)
            };
            let meet = |rank: usize| {
                let store = Store::connect("127.0.0.1", port, soon).unwrap();
                let comes = if rank == 0 { Duration::from_micros(15_000 + 300 * round) } else { Duration::ZERO };
                std::thread::sleep(comes.saturating_sub(since.elapsed()));
                match Hello::default().say(&store, (rank, 3), soon, &|| told_to_end(rank)) {
                    Ok(()) => None,
                    Err(DistError::Interrupted { signal }) => Some(signal),
                    Err(other) => panic!("{other}"),
                }
            };
            let ends = std::thread::scope(|scope| {
                let ranks = [0, 1, 2].map(|rank| scope.spawn(move || meet(rank)));
                ranks.map(|rank| rank.join().unwrap())
            });
            assert!(ends.iter().all(|end| *end == ends[0]), "round {round}: {ends:?}");
            assert!(since.elapsed() < soon, "round {round}: {:?}", since.elapsed());
            *(if ends[0].is_none() { &mut begun } else { &mut ended }) += 1;
        }
        assert!(begun > 0 && ended > 0, "{begun} began, {ended} ended");
    }

    #[test]
    fn who_is_missed_is_the_same_for_all_also_when_the_last_one_comes_in_that_moment() {
        for round in 0..40_u64 {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let _served = Store::serve(listener, Duration::from_secs(30)).unwrap();
            let since = Instant::now();
            let meet = |rank: usize| {
                let store = Store::connect("127.0.0.1", port, Duration::from_secs(30)).unwrap();
                let (comes, timeout) = match rank {
                    1 => (Duration::from_millis(90 + round), Duration::from_secs(30)),
                    _ => (Duration::ZERO, Duration::from_millis(100)),
                };
                std::thread::sleep(comes.saturating_sub(since.elapsed()));
                match Hello::default().say(&store, (rank, 2), timeout, &|| None) {
                    Ok(()) => None,
                    Err(DistError::Missing { who, .. }) => Some(who),
                    Err(other) => panic!("{other}"),
                }
            };
            let ends = std::thread::scope(|scope| {
                let ranks = [0, 1].map(|rank| scope.spawn(move || meet(rank)));
                ranks.map(|rank| rank.join().unwrap())
            });
            assert_eq!(ends[0], ends[1], "round {round}");
        }
    }

    #[test]
    fn missing_ranks_are_listed() {
        assert_eq!(told(&[1]), "rank 1");
        assert_eq!(told(&[1, 3]), "ranks 1, 3");
        assert_eq!(told(&(1..20).collect::<Vec<_>>()), "ranks 1, 2, 3, 4, 5, 6, 7, 8, …");
    }
}

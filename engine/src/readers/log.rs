//! `log.txt`: when and where a run was started, how often it was resumed, how it has ended, and its last lines.

use super::tail::{Found, Tail};
use crate::folder::LOG;
use std::collections::VecDeque;
use std::path::Path;

/// Lines that are kept.
const KEPT: usize = 400;
/// Characters of a line that are kept.
const LONGEST: usize = 2000;

/// What a log tells of the trainings in a folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// When the first training began: UTC, ISO 8601.
    pub begun: Option<String>,
    /// When the last line was written.
    pub last: Option<String>,
    /// How often a training went on from a checkpoint.
    pub resumed: u64,
    /// How the last training has ended; `None` while it runs, and when it was killed.
    pub end: Option<End>,
    /// The facts of the last training, in order: `git commit`, `device`, `seed`, ….
    pub facts: Vec<(String, String)>,
}

/// How a training has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Its plan was finished.
    Finished,
    /// A hook, a step or a signal has stopped it: the reason.
    Stopped(String),
    /// The first line of the error.
    Failed(String),
}

/// The facts at the begin of a training's log.
const FACTS: [&str; 14] = [
    "command line",
    "started in",
    "folder",
    "program",
    "git commit",
    "versions",
    "trainer",
    "device",
    "threads",
    "precision",
    "deterministic",
    "seed",
    "rank",
    "machine",
];

impl Session {
    /// A fact: `git commit`.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads the log of a run.
#[derive(Debug, Default)]
pub struct LogReader {
    tail: Tail,
    read: Read,
}

#[derive(Debug, Default)]
struct Read {
    session: Session,
    /// Whether the lines are those of a training, and not of a command that evaluates one of its checkpoints.
    in_training: bool,
    lines: VecDeque<String>,
}

impl LogReader {
    /// Reads what was added, about `budget` bytes of it.
    pub(super) fn read(&mut self, folder: &Path, budget: u64) -> Found {
        self.tail.read(folder, LOG, budget, &mut self.read, |read| *read = Read::default(), Read::put)
    }

    /// What it tells of the trainings.
    pub fn session(&self) -> &Session {
        &self.read.session
    }

    /// The last lines.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.read.lines.iter().map(String::as_str)
    }
}

impl Read {
    fn put(&mut self, line: &[u8]) {
        // a stamp is as long as `2026-01-31T12:00:00Z `; only a line that may tell something is looked at as text
        let text = line.get(21..).unwrap_or_default();
        let session = &mut self.session;
        if let Some(stamp) = line.get(..20).filter(|stamp| stamp.ends_with(b"Z") && stamp[10] == b'T') {
            match &mut session.last {
                Some(last) if last.as_bytes() == stamp => {}
                last => *last = std::str::from_utf8(stamp).ok().map(str::to_owned),
            }
        }
        if let Some(command) = text.strip_prefix(b"command line: ") {
            self.in_training = is_training(&String::from_utf8_lossy(command));
            if self.in_training {
                session.begun = session.begun.take().or_else(|| session.last.clone());
                (session.end, session.facts) = (None, Vec::new());
            }
        }
        if self.in_training && text.first().is_some_and(u8::is_ascii_lowercase) {
            let text = String::from_utf8_lossy(text);
            if text.starts_with("resumed from ") {
                session.resumed += 1;
            }
            session.end = end(&text).or_else(|| session.end.take());
            if session.facts.len() < FACTS.len()
                && let Some((name, value)) = text.split_once(": ")
                && FACTS.contains(&name)
                && session.fact(name).is_none()
            {
                session.facts.push((name.to_owned(), shortened(value)));
            }
        }
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        let shown = &line[..line.len().min(4 * LONGEST)];
        self.lines.push_back(shortened(&String::from_utf8_lossy(shown)));
    }
}

fn end(text: &str) -> Option<End> {
    match text {
        "finished" => Some(End::Finished),
        _ => match text.split_once(": ") {
            Some(("stopped", why)) => Some(End::Stopped(shortened(why))),
            Some(("failed", why)) => Some(End::Failed(shortened(why))),
            _ => text
                .strip_prefix("stopped ")
                .filter(|why| why.starts_with("by "))
                .map(|why| End::Stopped(shortened(why))),
        },
    }
}

/// The text without what no screen shows, and not longer than a few lines.
fn shortened(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().take(LONGEST).map(shown).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

/// Whether a command line is that of `train`: its first word behind the program.
fn is_training(command: &str) -> bool {
    let behind = match command.strip_prefix('\'') {
        Some(quoted) => quoted.split_once('\'').map(|(_, behind)| behind),
        None => command.split_once(' ').map(|(_, behind)| behind),
    };
    behind.unwrap_or_default().split_whitespace().find(|word| !word.starts_with('-')) == Some("train")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Session {
        let mut read = Read::default();
        for (second, line) in lines.iter().enumerate() {
            read.put(format!("2026-01-31T12:00:{second:02}Z {line}").as_bytes());
        }
        read.session
    }

    #[test]
    fn a_log_tells_begin_end_resumes_and_facts_of_trainings() {
        let first =
            ["command line: ./digits train exp.ron", "git commit: abc", "seed: 1", "Digits in runs/digits on the CPU"];
        let killed = read(&first);
        assert_eq!((killed.begun.as_deref(), &killed.end, killed.resumed), (Some("2026-01-31T12:00:00Z"), &None, 0));
        assert_eq!(
            (killed.fact("git commit"), killed.fact("seed"), killed.fact("device")),
            (Some("abc"), Some("1"), None)
        );
        let again = [
            "command line: './my digits' train exp.ron --resume",
            "git commit: def",
            "resumed from x at 1, 2",
            "finished",
        ];
        let resumed = read(&[&first[..], &again].concat());
        assert_eq!((resumed.resumed, &resumed.end, resumed.fact("git commit")), (1, &Some(End::Finished), Some("def")));
        // an evaluation is another process, whose end is not the training's
        let tested = read(
            &[&first[..], &again, &["command line: ./digits test runs/digits", "git commit: ghi", "failed: no data"]]
                .concat(),
        );
        assert_eq!((&tested.end, tested.fact("git commit")), (&Some(End::Finished), Some("def")));
        assert_eq!(tested.last.as_deref(), Some("2026-01-31T12:00:10Z"));
    }

    #[test]
    fn each_end_is_known_and_its_reason_is_short() {
        let ended = |line: &str| read(&["command line: digits train exp.ron", line]).end;
        assert_eq!(ended("stopped by SIGINT"), Some(End::Stopped("by SIGINT".to_owned())));
        assert_eq!(ended("stopped: early: `val/loss`"), Some(End::Stopped("early: `val/loss`".to_owned())));
        assert_eq!(ended("failed: <b>\u{1b}[31mno</b>"), Some(End::Failed("<b> [31mno</b>".to_owned())));
        assert_eq!(ended("stopped clocks are right twice a day"), None);
        let Some(End::Failed(long)) = ended(&format!("failed: {}", "ä".repeat(9999))) else { panic!() };
        assert_eq!(long.chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_log_of_anything_is_read_without_harm() {
        let mut read = Read::default();
        for line in
            [&b""[..], b"\xff\xfe", b"2026-01-31T12:00:00Z", b"2026-01-31T12:00:00Z ", b"no stamp, \0 and long enough"]
        {
            read.put(line);
        }
        assert_eq!(read.session.end, None);
        assert_eq!(read.lines.len(), 5);
    }
}

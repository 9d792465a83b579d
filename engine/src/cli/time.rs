//! How long a run may take: `--max-time`, and what a scheduler tells its jobs.

use crate::cli::out;
use crate::dist::Launched;
use crate::run::TimeLimit;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The variable in which SLURM tells a job when it ends, in seconds since 1970.
const SLURM_END: &str = "SLURM_JOB_END_TIME";

/// The variable in which the launcher of this machine tells ranks when it has begun, in seconds since 1970: ranks that are
/// started again have less time.
const SINCE: &str = "ENGINE_LAUNCHED_AT";

/// How long before its end a job of SLURM is saved: the iter under way and the checkpoint have to be done by then.
const MARGIN: Duration = Duration::from_secs(120);

/// A span of time as it is written: `3h50m`, `90s`, `1d12h`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    text: String,
    length: Duration,
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let wrong = || format!("`{text}` is no span of time; write `3h50m`, `90s` or `1d12h`");
        let (mut seconds, mut rest) = (0u64, text);
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let (number, unit) = rest.split_at(end);
            let of_unit = match unit.chars().next() {
                Some('d') => 86_400,
                Some('h') => 3600,
                Some('m') => 60,
                Some('s') => 1,
                _ => return Err(wrong()),
            };
            let number: u64 = number.parse().map_err(|_| wrong())?;
            seconds = number.checked_mul(of_unit).and_then(|more| seconds.checked_add(more)).ok_or_else(wrong)?;
            rest = &unit[1..];
        }
        match seconds {
            0 => Err(wrong()),
            _ => Ok(Span { text: text.to_owned(), length: Duration::from_secs(seconds) }),
        }
    }
}

/// When a run that begins now has to end; `None`: when it is done. What can't be understood of the job's end is told.
pub(super) fn limit(asked: Option<&Span>) -> Option<TimeLimit> {
    let asked = asked.and_then(|span| {
        let left = span.length.saturating_sub(gone(std::env::var(SINCE).ok().as_deref(), now()));
        TimeLimit::after(left, "--max-time", format!("the time limit of {}", span.text))
    });
    let job = std::env::var_os(SLURM_END).and_then(|end| match end_of_job(&end.to_string_lossy()) {
        Ok(end) => of_job(end, now()),
        Err(why) => {
            if is_first_rank() {
                out::error_line(format_args!("warning: {why}"));
            }
            None
        }
    });
    match (asked, job) {
        (Some(asked), Some(job)) => Some(asked.earlier(job)),
        (asked, job) => asked.or(job),
    }
}

/// The variable for ranks that are started from now on.
pub(super) fn since_now() -> (&'static str, String) {
    (SINCE, now().as_secs().to_string())
}

/// The time since the launcher has begun, where there is one.
fn gone(since: Option<&str>, now: Duration) -> Duration {
    let since = since.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
}

/// Whether this process speaks for all that work on the run.
fn is_first_rank() -> bool {
    Launched::of_environment().is_ok_and(|launched| launched.is_none_or(|launched| launched.rank == 0))
}

/// The end of a job, since 1970; a text when it can't be read.
fn end_of_job(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse::<u64>().map_err(|_| {
        format!(
            "`{SLURM_END}` is `{text}`, which is no number of seconds since 1970, so the run does not end before the job's \
             time is up; `--max-time 3h50m` says when"
        )
    })?;
    Ok(Duration::from_secs(seconds))
}

/// The limit of a job that ends at this time.
fn of_job(end: Duration, now: Duration) -> Option<TimeLimit> {
    let told = format!("the job's time is up (`{SLURM_END}`, less {} minutes to be saved in)", MARGIN.as_secs() / 60);
    TimeLimit::after(end.saturating_sub(MARGIN).saturating_sub(now), SLURM_END, told)
}

#[expect(clippy::disallowed_methods, reason = "a scheduler tells the time of day at which a job ends")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_as_people_write_it_and_nothing_else_is() {
        let seconds = |text: &str| text.parse::<Span>().map(|span| span.length.as_secs());
        assert_eq!(seconds("3h50m"), Ok(13_800));
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("1d12h"), Ok(129_600));
        for text in
            ["", "0s", "3", "h", "3h50", "-1h", "3 h", "1.5h", "3w", "99999999999999999999s", "999999999999999999d"]
        {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_job_is_saved_two_minutes_before_its_end_and_at_once_when_it_has_less() {
        let now = Duration::from_secs(1_000_000);
        let is_over = |end: &str| of_job(end_of_job(end).unwrap(), now).map(|limit| limit.is_over());
        assert_eq!(is_over("1000121"), Some(false));
        assert_eq!(is_over("1000120\n"), Some(true));
        assert_eq!(is_over("17"), Some(true));
    }

    #[test]
    fn ranks_that_are_started_again_have_the_time_that_is_left() {
        let now = Duration::from_secs(1_000_000);
        assert_eq!(gone(Some("999990"), now), Duration::from_secs(10));
        for nothing in [None, Some("1000010"), Some("soon")] {
            assert_eq!(gone(nothing, now), Duration::ZERO);
        }
    }

    #[test]
    fn an_end_that_is_no_time_is_told() {
        for text in ["soon", "", "-1", "3.5", "UNLIMITED", "99999999999999999999"] {
            let why = end_of_job(text).unwrap_err();
            assert!(why.starts_with(&format!("`SLURM_JOB_END_TIME` is `{text}`, which is no number")), "{why}");
        }
    }
}

//! How long a run may take: `--max-time`, and what a scheduler tells its jobs.

use crate::run::TimeLimit;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The variable in which SLURM tells a job when it ends, in seconds since 1970.
const SLURM_END: &str = "SLURM_JOB_END_TIME";

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

/// When a run that begins now has to end; `None`: when it is done.
pub(super) fn limit(asked: Option<&Span>) -> Option<TimeLimit> {
    let asked =
        asked.and_then(|span| TimeLimit::after(span.length, "--max-time", format!("the time limit of {}", span.text)));
    let job = of_job(std::env::var(SLURM_END).ok().as_deref(), now());
    match (asked, job) {
        (Some(asked), Some(job)) => Some(asked.earlier(job)),
        (asked, job) => asked.or(job),
    }
}

/// The limit of a job that ends at this second.
fn of_job(end: Option<&str>, now: Duration) -> Option<TimeLimit> {
    let end = Duration::from_secs(end?.trim().parse().ok()?);
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
        let is_over = |end: &str| of_job(Some(end), now).map(|limit| limit.is_over());
        assert_eq!(is_over("1000121"), Some(false));
        assert_eq!(is_over("1000120"), Some(true));
        assert_eq!(is_over("17"), Some(true));
        assert_eq!(is_over("soon"), None);
        assert_eq!(of_job(None, now), None);
    }
}

//! Runs with one name and a number or a date behind it: `digits`, `digits-2`, `digits-2026-02-28`.

use std::path::Path;

/// What stands for the date in a name.
pub(crate) const DATE: &str = "{date}";

/// The characters of `2026-02-28`.
const DATE_LENGTH: usize = 10;

/// The name of the run with a number; the first has none.
pub(super) fn numbered(base: &str, number: u64) -> String {
    if number <= 1 { base.to_owned() } else { format!("{base}-{number}") }
}

/// The number behind the largest that a folder or file of this name has.
pub(super) fn next_number(work_dir: &Path, base: &str) -> u64 {
    let taken = names(work_dir).filter_map(|name| place(&name, base, true)).map(|(_, number)| number);
    taken.max().map_or(1, |largest| largest.saturating_add(1))
}

/// The newest run whose name has this form: of the latest date, and then with the largest number. `is_run` says whether a
/// folder holds one.
pub(super) fn newest(work_dir: &Path, form: &str, has_numbers: bool, is_run: impl Fn(&Path) -> bool) -> Option<String> {
    let found = names(work_dir).filter_map(|name| Some((place(&name, form, has_numbers)?, name)));
    let runs = found.filter(|(_, name)| is_run(&work_dir.join(name)));
    runs.max().map(|(_, name)| name)
}

fn names(work_dir: &Path) -> impl Iterator<Item = String> {
    // a folder that is not there, or can't be read, has no runs
    let entries = std::fs::read_dir(work_dir).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
}

/// The dates and the number of a name of this form.
fn place(name: &str, form: &str, has_numbers: bool) -> Option<(Vec<String>, u64)> {
    let mut parts = form.split(DATE);
    let mut rest = name.strip_prefix(parts.next()?)?;
    let mut dates = Vec::new();
    for part in parts {
        let date = rest.get(..DATE_LENGTH).filter(|date| is_date(date))?;
        dates.push(date.to_owned());
        rest = rest[DATE_LENGTH..].strip_prefix(part)?;
    }
    let number = match rest {
        "" => 1,
        _ if has_numbers => number(rest.strip_prefix('-')?)?,
        _ => return None,
    };
    Some((dates, number))
}

fn is_date(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| if [4, 7].contains(&at) { byte == b'-' } else { byte.is_ascii_digit() })
}

/// Larger numbers are a part of somebody's name, and there is no number behind the largest one.
const LARGEST: u64 = 999_999_999_999;

/// A number as this engine writes it: from 2 on, without zeros before it.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    ((2..=LARGEST).contains(&number) && number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_form_or_not() {
        let day = |day: &str| vec![day.to_owned()];
        assert_eq!(place("digits", "digits", true), Some((vec![], 1)));
        assert_eq!(place("digits-12", "digits", true), Some((vec![], 12)));
        assert_eq!(place("a-2026-02-28-b", "a-{date}-b", false), Some((day("2026-02-28"), 1)));
        assert_eq!(place("2026-02-28-3", "{date}", true), Some((day("2026-02-28"), 3)));
        for other in [
            "digits-1",
            "digits-02",
            "digits-2b",
            "digits-+2",
            "digit",
            "digits.1",
            "digits-",
            "digits-cnn",
            "digits-18446744073709551615",
        ] {
            assert_eq!(place(other, "digits", true), None, "{other}");
        }
        assert_eq!(place("digits-2", "digits", false), None);
        for other in ["a-2026-2-28-b", "a-2026-02-28", "a-{date}-b", "a-äöüäö-b", "a-"] {
            assert_eq!(place(other, "a-{date}-b", true), None, "{other}");
        }
    }

    #[test]
    fn the_newest_is_of_the_latest_date_and_the_largest_number() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(next_number(&dir.path().join("gone"), "a"), 1);
        for name in ["a-2026-01-31", "a-2026-01-31-10", "a-2026-02-01", "a-2026-02-01-2", "a-2026-02-01-9", "b", "a-2"]
        {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        let is_run = |path: &Path| !path.ends_with("a-2026-02-01-9");
        let newest = |form, numbers| newest(dir.path(), form, numbers, is_run);
        assert_eq!(newest("a-{date}", true).as_deref(), Some("a-2026-02-01-2"));
        assert_eq!(newest("a-{date}", false).as_deref(), Some("a-2026-02-01"));
        assert_eq!(newest("c", true), None);
        assert_eq!(next_number(dir.path(), "a-2026-02-01"), 10);
        assert_eq!(
            (next_number(dir.path(), "a"), next_number(dir.path(), "b"), next_number(dir.path(), "c")),
            (3, 2, 1)
        );
    }
}

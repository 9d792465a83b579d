//! Which iters are profiled.

use std::str::FromStr;

/// The iters that are profiled: both ends included, counted from 1 in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileWindow {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl ProfileWindow {
    /// More iters than this make a trace that no viewer opens.
    const MOST: u64 = 10_000;
}

/// `11..20`.
impl FromStr for ProfileWindow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no range of iters; write `11..20`, both included and counted from 1");
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let window = ProfileWindow { from: number(from)?, to: number(to)? };
        if window.from == 0 || window.to < window.from {
            return Err(wrong());
        }
        match window.to - window.from < Self::MOST {
            true => Ok(window),
            false => Err(format!("`{text}` has too many iters for one trace; at most {} fit", Self::MOST)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_both_ends_and_begins_with_one() {
        assert_eq!("11..20".parse(), Ok(ProfileWindow { from: 11, to: 20 }));
        assert_eq!("3..3".parse(), Ok(ProfileWindow { from: 3, to: 3 }));
        for wrong in ["", "11", "0..3", "5..4", "a..b", "1...3", "-1..2"] {
            assert!(wrong.parse::<ProfileWindow>().unwrap_err().contains("write `11..20`"), "{wrong}");
        }
        assert!("1..99999".parse::<ProfileWindow>().unwrap_err().contains("at most 10000"));
    }
}

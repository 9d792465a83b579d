//! "did you mean", while a program is compiled: by the number of letters that differ, since the rule of the other messages
//! counts in floating point.

/// The best name so far for one that is unknown.
#[derive(Clone, Copy)]
pub(super) struct Nearest<'a> {
    got: &'a str,
    found: Option<&'static str>,
    /// Names that differ by this much or more are no better.
    limit: usize,
}

impl<'a> Nearest<'a> {
    /// None yet. At most a third of the letters may differ.
    pub(super) const fn to(got: &'a str) -> Nearest<'a> {
        Nearest { got, found: None, limit: got.len() / 3 + 1 }
    }

    /// With one more name.
    pub(super) const fn or(self, name: &'static str) -> Nearest<'a> {
        let distance = distance(self.got.as_bytes(), name.as_bytes());
        if distance < self.limit { Nearest { found: Some(name), limit: distance, ..self } } else { self }
    }

    /// The name that was most likely meant.
    pub(super) const fn found(self) -> Option<&'static str> {
        self.found
    }
}

/// Names that are longer are compared with none.
const LONGEST: usize = 40;

/// How many letters have to be put in, taken out, changed, or swapped with the next (Damerau 1964).
const fn distance(one: &[u8], other: &[u8]) -> usize {
    if one.len() >= LONGEST || other.len() >= LONGEST {
        return usize::MAX;
    }
    // row `at` of the table, and the two before it: how far the first `at` letters of `one` are from each start of `other`
    let (mut before, mut row) = ([0; LONGEST], [0; LONGEST]);
    let mut to = 0;
    while to <= other.len() {
        row[to] = to;
        to += 1;
    }
    let mut at = 1;
    while at <= one.len() {
        let earlier = before;
        before = row;
        row[0] = at;
        let mut to = 1;
        while to <= other.len() {
            let changed = before[to - 1] + if one[at - 1] == other[to - 1] { 0 } else { 1 };
            row[to] = least(changed, least(before[to], row[to - 1]) + 1);
            if at > 1 && to > 1 && one[at - 1] == other[to - 2] && one[at - 2] == other[to - 1] {
                row[to] = least(row[to], earlier[to - 2] + 1);
            }
            to += 1;
        }
        at += 1;
    }
    row[other.len()]
}

const fn least(one: usize, other: usize) -> usize {
    if one < other { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_with_the_fewest_other_letters_is_meant() {
        let nearest = |got: &str| {
            let names = ["optimizer", "loaders", "train", "trainer"];
            names.iter().fold(Nearest::to(got), |nearest, name| nearest.or(name)).found()
        };
        assert_eq!(nearest("optimiser"), Some("optimizer"));
        assert_eq!(nearest("loader"), Some("loaders"));
        assert_eq!(nearest("triner"), Some("trainer"));
        assert_eq!(nearest("trian"), Some("train"));
        assert_eq!(nearest("lr"), None);
        assert_eq!(nearest(&"x".repeat(50)), None);
    }

    #[test]
    fn letters_are_counted_that_are_put_in_taken_out_changed_or_swapped() {
        for (one, other, letters) in
            [("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0), ("trian", "train", 1)]
        {
            assert_eq!(distance(one.as_bytes(), other.as_bytes()), letters, "{one} {other}");
        }
    }
}

//! What MLflow takes for a name: letters, digits, `_`, `-`, `.`, space, `:` and `/`.

/// The most characters of a name.
const LONGEST_NAME: usize = 250;
/// The most characters of the value of a parameter.
const LONGEST_VALUE: usize = 6000;

/// A name with `_` for what MLflow refuses.
pub(super) fn plain(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || "_-. :/".contains(c);
    let text: String = name.chars().map(|c| if fits(c) { c } else { '_' }).take(LONGEST_NAME).collect();
    // it is taken for a path, which must not lead upwards or name its own folder
    text.split('/').map(|part| if matches!(part, "" | "." | "..") { "_" } else { part }).collect::<Vec<_>>().join("/")
}

/// A value of a parameter, cut where it is longer than MLflow takes.
pub(super) fn value(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some(_) => text.chars().take(LONGEST_VALUE - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_fit() {
        let cases = [
            ("optimizer.lr", "optimizer.lr"),
            ("groups[\"*.bias\"]", "groups___.bias__"),
            ("val/hard/top-5 %", "val/hard/top-5 _"),
            ("../../x", "_/_/x"),
            ("größe//a", "größe/_/a"),
        ];
        for (name, fit) in cases {
            assert_eq!(plain(name), fit);
        }
        assert_eq!(plain(&"a".repeat(999)).len(), 250);
        assert_eq!(value(&"ä".repeat(9000)).chars().count(), 6000);
        assert_eq!(value("short"), "short");
    }
}

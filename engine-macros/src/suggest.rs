//! "did you mean": the same rule and wording as the engine's messages about experiment files.

/// The known name that is closest to `got`: Jaro-Winkler similarity above 0.8, ignoring case.
pub(crate) fn did_you_mean<'a>(got: &str, known: &[&'a str]) -> Option<&'a str> {
    let got = got.to_lowercase();
    let mut best: Option<(f64, &'a str)> = None;
    for name in known {
        let similarity = strsim::jaro_winkler(&got, &name.to_lowercase());
        if similarity > 0.8 && best.is_none_or(|(highest, _)| similarity > highest) {
            best = Some((similarity, name));
        }
    }
    best.map(|(_, name)| name)
}

/// What follows "unknown …": the name that was meant, else the list when it can be read at a glance.
pub(crate) fn meant_or_list(got: &str, known: &[&str]) -> String {
    match did_you_mean(got, known) {
        Some(meant) => format!(", did you mean `{meant}`?"),
        None if known.len() == 1 => format!(", expected `{}`", known[0]),
        None if known.len() <= 12 => format!(", expected one of {}", quoted(known)),
        None => String::new(),
    }
}

/// `` `a`, `b`, `c` ``
pub(crate) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_gets_the_list() {
        let levels = ["HIGHEST", "HIGHER", "HIGH", "NORMAL"];
        assert_eq!(meant_or_list("hihg", &levels), ", did you mean `HIGH`?");
        assert_eq!(meant_or_list("first", &["a", "b"]), ", expected one of `a`, `b`");
        assert_eq!(meant_or_list("first", &["a"]), ", expected `a`");
    }

    #[test]
    fn a_list_of_thirteen_is_left_out() {
        assert_eq!(meant_or_list("zzz", &["a"; 13]), "");
    }
}

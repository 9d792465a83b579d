//! "did you mean": the same rule for messages of the macros and of experiment files.

use std::path::Path;

/// Nobody misspells a name of more bytes, and comparing takes the product of both lengths.
const LONGEST: usize = 100;

/// The known name that is most similar to `got`, if one is similar enough.
///
/// Jaro-Winkler similarity above 0.8, ignoring case; the first of the best wins.
pub fn did_you_mean<'a>(got: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if got.len() > LONGEST {
        return None;
    }
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

/// "expected one of `a`, `b`", or `None` when the list is too long.
pub fn expected_one_of(known: &[&str]) -> Option<String> {
    match known {
        [] => None,
        [only] => Some(format!("expected `{only}`")),
        _ if known.len() < 10 => {
            let quoted: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            Some(format!("expected one of {}", quoted.join(", ")))
        }
        _ => None,
    }
}

/// The end of a message about an unknown name: ", did you mean `b`?", or the list of known names.
///
/// ```
/// use engine::base::suggest::meant;
///
/// assert_eq!(meant("momentm", &["lr", "momentum"]), ", did you mean `momentum`?");
/// assert_eq!(meant("x", &["lr", "momentum"]), ", expected one of `lr`, `momentum`");
/// ```
pub fn meant(got: &str, known: &[&str]) -> String {
    match did_you_mean(got, known.iter().copied()) {
        Some(near) => format!(", did you mean `{near}`?"),
        None => expected_one_of(known).map_or(String::new(), |expected| format!(", {expected}")),
    }
}

/// The name beside a path that is not there which is nearest to its own.
pub fn neighbour(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names: Vec<String> =
        std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    did_you_mean(wanted, names.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("lrr", ["lr", "betas", "weight_decay"]), Some("lr"));
        assert_eq!(did_you_mean("Emma", ["Ema", "Timer"]), Some("Ema"));
        assert_eq!(did_you_mean("zebra", ["lr", "betas"]), None);
    }
}

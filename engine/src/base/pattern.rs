//! Patterns for the names of parameters: `encoder.*`.

use crate::base::suggest::did_you_mean;

/// Whether a whole name matches a pattern. In a pattern, `*` matches any text, dots too, and `?` matches one
/// character.
///
/// ```
/// use engine::base::pattern::matches;
///
/// assert!(matches("*.bias", "encoder.0.bias") && !matches("*.bias", "bias"));
/// assert!(matches("encoder.?.weight", "encoder.3.weight"));
/// ```
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), name.as_bytes());
    // linear memory: after a mismatch, the last `*` takes one byte more
    let (mut p, mut t) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                last_star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match last_star {
                Some((star, taken)) => {
                    last_star = Some((star, taken + 1));
                    p = star + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// What to add to "the pattern … matches no parameter": the nearest name, or the first that there are.
pub(crate) fn hint<'a>(pattern: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match did_you_mean(pattern, names.clone()) {
        Some(meant) => format!(", did you mean `{meant}`?"),
        None => {
            let shown = names.clone().take(8).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let more = if names.count() > 8 { ", …" } else { "" };
            format!("; there are {shown}{more}")
        }
    }
}

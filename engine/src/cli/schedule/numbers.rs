//! Numbers of a curve: which of them, from where to where, in how many digits.

/// At most `most` indices of a list, evenly spread, the first and the last among them.
pub(super) fn places(len: usize, most: usize) -> Vec<usize> {
    let count = len.min(most);
    (0..count).map(|place| (len - 1) * place / (count - 1).max(1)).collect()
}

/// The smallest and the largest.
pub(super) fn bounds(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(*value), most.max(*value)))
}

/// Four digits: `0.02`, `1.25e-6`.
pub(super) fn short(value: f64) -> String {
    let exponent = format!("{value:.3e}");
    let Some((digits, power)) = exponent.split_once('e') else { return exponent };
    let power: i32 = power.parse().unwrap_or(0);
    if !(-4..6).contains(&power) {
        return format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'));
    }
    let decimals = usize::try_from(3 - power).unwrap_or(0);
    let plain = format!("{value:.decimals$}");
    match plain.contains('.') {
        true => plain.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        let found = [0.0, 0.02, 0.1 + 0.2, 1.0 / 3.0, 123.456, 1e-7 / 3.0, 2e9, 1500.0, -0.5].map(short);
        assert_eq!(found, ["0", "0.02", "0.3", "0.3333", "123.5", "3.333e-8", "2e9", "1500", "-0.5"]);
    }
}

//! Numbers and tensors in words.

use tch::Tensor;

/// `1.2 MB`, in powers of ten.
pub(in crate::cli) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") }
}

/// `1 tensor`, `2 tensors`.
pub(in crate::cli) fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// `Float [3, 4]`.
pub(super) fn kind_and_shape(tensor: &Tensor) -> String {
    format!("{:?} {:?}", tensor.kind(), tensor.size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_powers_of_ten() {
        let cases =
            [(0, "0 B"), (999, "999 B"), (1234, "1.2 kB"), (101_000_000, "101.0 MB"), (2_500_000_000, "2.5 GB")];
        for (count, text) in cases {
            assert_eq!(bytes(count), text);
        }
    }
}

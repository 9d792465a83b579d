//! What is demanded of a number, as JSON schemas say it.

use serde_json::{Value, json};

/// Adds the ends of a range as the source writes it: `0.0..1.0`, `1..=4096`, `1..`.
pub(super) fn add(schema: &mut Value, demand: &str) {
    let Some((low, high)) = demand.split_once("..") else { return };
    let number = |text: &str| text.replace('_', "").trim().parse::<f64>().ok();
    if let Some(low) = number(low) {
        schema["minimum"] = whole(low);
    }
    match high.strip_prefix('=') {
        Some(high) => number(high).into_iter().for_each(|high| schema["maximum"] = whole(high)),
        None => number(high).into_iter().for_each(|high| schema["exclusiveMaximum"] = whole(high)),
    }
}

/// Without a fraction where there is none.
fn whole(number: f64) -> Value {
    match number.fract() == 0.0 && number.abs() < 1e15 {
        true => json!(number as i64),
        false => json!(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_their_ends() {
        let of = |demand: &str| {
            let mut schema = json!({});
            add(&mut schema, demand);
            schema
        };
        assert_eq!(of("0.0..1.0"), json!({"minimum": 0, "exclusiveMaximum": 1}));
        assert_eq!(of("1..=16777216"), json!({"minimum": 1, "maximum": 16777216}));
        assert_eq!(of("0.5.."), json!({"minimum": 0.5}));
        assert_eq!(of("..=1_000"), json!({"maximum": 1000}));
        assert_eq!((of("exists"), of("LEAST..MOST")), (json!({}), json!({})));
    }
}

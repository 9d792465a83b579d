//! Numbers and rows as a person reads them. Files for programs hold exact numbers instead.

use crate::record::{Event, Row, Value};
use std::time::Duration;

/// A row as one line: `train  epoch 3  iter 450  loss 0.4123  lr 1.000e-3  eta 1:02:03`.
pub fn row_text(row: &Row) -> String {
    let mut text = row.phase.to_string();
    if let Some(loader) = &row.loader {
        text.push_str(&format!(" {loader}"));
    }
    text.push_str(&format!("  epoch {}  iter {}", row.at.epoch, row.at.iter));
    for (name, value) in &row.values {
        text.push_str(&format!("  {name} {}", value_text(name, *value)));
    }
    text
}

/// A text or table with its name and moment in front, on lines of its own: `val/worst, epoch 3, iter 450:`. Nothing for
/// what is no text.
pub(super) fn event_text(event: &Event) -> Option<String> {
    let text = match &event.value {
        Value::Number(number) => value_text(&event.name, *number),
        Value::Text(text) => text.clone(),
        Value::Table(table) => table.to_string(),
        Value::Image(_) | Value::Histogram(_) | Value::Figure(_) => return None,
    };
    Some(format!("{}, epoch {}, iter {}:\n{}", event.key(), event.at.epoch, event.at.iter, text.trim_end()))
}

/// A number with four significant digits; the name tells what it is.
///
/// Learning rates (`lr`, `lr/head`, `net_lr`) have an exponent, `eta` and `*_time` are seconds, shown as a clock
/// and with their unit. Whole numbers are shown whole.
pub fn value_text(name: &str, value: f64) -> String {
    let word = |edge: char| name.starts_with(&format!("lr{edge}")) || name.ends_with(&format!("{edge}lr"));
    if !value.is_finite() {
        value.to_string()
    } else if value == 0.0 && name != "eta" {
        significant(value)
    } else if name == "eta" {
        Duration::try_from_secs_f64(value).map_or_else(|_| significant(value), clock)
    } else if name == "lr" || word('/') || word('_') {
        format!("{value:.3e}")
    } else if name.ends_with("_time") {
        format!("{} s", significant(value))
    } else {
        significant(value)
    }
}

/// A span of time as `h:mm:ss`, with as many hours as it has.
pub fn clock(span: Duration) -> String {
    let seconds = span.as_secs() + u64::from(span.subsec_millis() >= 500);
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn significant(value: f64) -> String {
    let size = value.abs();
    if size < 1e9 && value.fract() == 0.0 {
        format!("{value:.0}")
    } else if !(1e-3..1e6).contains(&size) {
        format!("{value:.3e}")
    } else {
        let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
        format!("{value:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Moment, RowPhase, Table};

    #[test]
    fn numbers_have_four_significant_digits() {
        let cases = [
            (0.412345, "0.4123"),
            (12.34567, "12.35"),
            (1234.567, "1235"),
            (123456.7, "123457"),
            (-0.0123456, "-0.01235"),
            (0.000123456, "1.235e-4"),
            (1234567.8, "1.235e6"),
            (3.0, "3"),
            (0.0, "0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, expected) in cases {
            assert_eq!(value_text("loss", value), expected);
        }
    }

    #[test]
    fn the_name_tells_how_a_number_is_shown() {
        let cases = [
            ("lr", 0.001, "1.000e-3"),
            ("lr", 0.0, "0"),
            ("lr/head", 0.5, "5.000e-1"),
            ("net_lr", 0.02, "2.000e-2"),
            ("lrp", 0.02, "0.02000"),
            ("eta", 3723.0, "1:02:03"),
            ("data_time", 0.01234567, "0.01235 s"),
        ];
        for (name, value, expected) in cases {
            assert_eq!(value_text(name, value), expected, "{name}");
        }
    }

    #[test]
    fn a_span_is_shown_as_a_clock() {
        let cases = [(0, "0:00:00"), (59_600, "0:01:00"), (3_723_000, "1:02:03"), (360_000_400, "100:00:00")];
        for (milliseconds, expected) in cases {
            assert_eq!(clock(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn a_row_is_one_line() {
        let values = vec![("loss".to_owned(), 0.412345), ("lr".to_owned(), 1e-3)];
        let at = Moment { epoch: 3, iter: 450, time: 1.0 };
        let row = Row { phase: RowPhase::Train, loader: None, at, values };
        assert_eq!(row_text(&row), "train  epoch 3  iter 450  loss 0.4123  lr 1.000e-3");
        let named = Row { phase: RowPhase::Val, loader: Some("hard".to_owned()), ..row };
        assert!(row_text(&named).starts_with("val hard  epoch 3"));
    }

    #[test]
    fn a_table_is_told_with_its_name_and_moment() {
        let table = Table::new(["digit", "right"]).row(["8".into(), 0.5.into()]);
        let event = Event {
            phase: RowPhase::Val,
            loader: None,
            at: Moment { epoch: 3, iter: 450, time: 1.0 },
            name: "worst".to_owned(),
            value: Value::Table(table),
        };
        assert_eq!(event_text(&event).unwrap(), "val/worst, epoch 3, iter 450:\ndigit  right\n8      0.5");
    }
}

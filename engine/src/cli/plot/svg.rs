//! Curves as an SVG document: a panel for each metric, one below the other.

use super::frame::{Curve, label, ticks};
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
/// Left, right, top and bottom of a panel, around its curve.
const MARGINS: (f64, f64, f64, f64) = (70.0, 20.0, 34.0, 44.0);

/// The whole document.
pub(in crate::cli) fn document(run: &str, curves: &[Curve], axis: &str) -> String {
    let height = HEIGHT * curves.len() as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n<title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        escaped(run)
    );
    for (place, curve) in curves.iter().enumerate() {
        panel(&mut text, curve, &format!("{}: {}", run, curve.name), axis, HEIGHT * place as f64);
    }
    text.push_str("</svg>\n");
    text
}

fn panel(text: &mut String, curve: &Curve, title: &str, axis: &str, top: f64) {
    let (left, right, above, below) = MARGINS;
    let (width, height) = (WIDTH - left - right, HEIGHT - above - below);
    let frame = curve.frame;
    let x = |part: f64| left + part * width;
    let y = |part: f64| top + above + (1.0 - part) * height;
    // a `String` takes all that is written
    let _ = writeln!(text, "<text x=\"{left}\" y=\"{}\" font-weight=\"bold\">{}</text>", top + 20.0, escaped(title));
    for tick in ticks(frame.x, 6) {
        let at = x(frame.across(tick));
        let _ = writeln!(text, "<path d=\"M{at:.1} {:.1}V{:.1}\" stroke=\"#ddd\"/>", y(0.0), y(1.0));
        let _ = writeln!(
            text,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            y(0.0) + 16.0,
            label(frame.value_across(tick))
        );
    }
    for tick in ticks(frame.y, 4) {
        let part = (tick - frame.y.0) / (frame.y.1 - frame.y.0);
        let _ = writeln!(text, "<path d=\"M{:.1} {:.1}H{:.1}\" stroke=\"#ddd\"/>", x(0.0), y(part), x(1.0));
        let value = label(frame.value(part));
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            left - 6.0,
            y(part) + 4.0
        );
    }
    let _ = writeln!(text, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{axis}</text>", x(1.0), y(0.0) + 34.0);
    if let Some(mark) = curve.mark {
        let (at, bottom, top) = (x(frame.across(mark)), y(0.0), y(1.0));
        let _ =
            writeln!(text, "<path d=\"M{at:.1} {bottom:.1}V{top:.1}\" stroke=\"#d55e00\" stroke-dasharray=\"5 3\"/>");
    }
    let mut path = String::new();
    let mut goes_on = false;
    for point in &curve.points {
        let place = frame.place(*point);
        if let Some((part_x, part_y)) = place {
            let _ = write!(path, "{}{:.1} {:.1}", if goes_on { 'L' } else { 'M' }, x(part_x), y(part_y));
            if !goes_on {
                // a point alone is a dot under round ends
                path.push_str("h0");
            }
        }
        goes_on = place.is_some();
    }
    let look =
        "fill=\"none\" stroke=\"#0072b2\" stroke-width=\"1.8\" stroke-linecap=\"round\" stroke-linejoin=\"round\"";
    let _ = writeln!(text, "<path d=\"{path}\" {look}/>");
}

/// A text of a run within a document.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML can't hold them, not even escaped
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::plot::frame::Frame;
    use crate::readers::Point;

    #[test]
    fn names_are_escaped_and_gaps_are_gaps() {
        let points: Vec<Point> =
            [1.0, 2.0, f64::NAN, 3.0].iter().enumerate().map(|(x, &y)| Point { x: x as f64, y }).collect();
        let frame = Frame::of(&points, false).unwrap();
        let text =
            document("a\"<script>\u{1}", &[Curve { name: "<b>&'".to_owned(), points, frame, mark: Some(1.0) }], "iter");
        assert!(!text.contains("<script>") && !text.contains("<b>") && !text.contains('\u{1}'), "{text}");
        assert!(text.contains("a&quot;&lt;script&gt;\u{fffd}: &lt;b&gt;&amp;&#39;"), "{text}");
        assert_eq!(text.matches("stroke-dasharray").count(), 1);
        let path = text.lines().find(|line| line.contains("#0072b2")).unwrap();
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 1), "{path}");
    }
}

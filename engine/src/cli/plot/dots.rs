//! Curves of Braille dots: each character has two columns and four rows of them. A mark is a `▲` on the axis.

use super::frame::{Curve, label};

/// Lines of a picture.
const LINES: usize = 12;
/// The bits of a character, by column and by row from the top (Unicode, block "Braille Patterns").
const BITS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// The lines of a picture that has so many columns, with its axes.
pub(in crate::cli) fn drawn(curve: &Curve, axis: &str, columns: usize) -> String {
    let frame = curve.frame;
    let labels: Vec<String> = [1.0, 0.5, 0.0].map(|height| label(frame.value(height))).to_vec();
    let margin = labels.iter().map(String::len).max().unwrap_or(0) + 1;
    let width = columns.saturating_sub(margin + 2).max(10);
    let mut dots = vec![vec![0u32; width]; LINES];
    let mut before: Option<(f64, f64)> = None;
    for point in &curve.points {
        let place = frame.place(*point).map(|(x, y)| (x * (2 * width - 1) as f64, (1.0 - y) * (4 * LINES - 1) as f64));
        if let Some(to) = place {
            line(before.unwrap_or(to), to, |x, y| dots[y / 4][x / 2] |= BITS[x % 2][y % 4]);
        }
        before = place;
    }
    let mut text = String::new();
    for (row, dots) in dots.iter().enumerate() {
        let label = match row {
            0 => labels[0].as_str(),
            row if row == LINES / 2 => labels[1].as_str(),
            row if row == LINES - 1 => labels[2].as_str(),
            _ => "",
        };
        let dots: String = dots.iter().map(|bits| char::from_u32(0x2800 + bits).unwrap_or(' ')).collect();
        text.push_str(&format!("{label:>margin$} │{dots}\n"));
    }
    let end = |x: f64| label(frame.value_across(x));
    let (left, right) = (end(frame.x.0), format!("{} {axis}", end(frame.x.1)));
    let marked = curve.mark.map(|x| (frame.across(x) * (width - 1) as f64).round() as usize);
    let below: String = (0..width).map(|column| if marked == Some(column) { '▲' } else { '─' }).collect();
    text.push_str(&format!("{:>margin$} └{below}\n", ""));
    let gap = width.saturating_sub(left.len());
    text.push_str(&format!("{:>margin$}  {left}{right:>gap$}\n", ""));
    text
}

/// The dots from one place to another.
fn line(from: (f64, f64), to: (f64, f64), mut dot: impl FnMut(usize, usize)) {
    let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().max(1.0);
    for step in 0..=steps as usize {
        let part = step as f64 / steps;
        let place = |from: f64, to: f64| (from + part * (to - from)).round() as usize;
        dot(place(from.0, to.0), place(from.1, to.1));
    }
}

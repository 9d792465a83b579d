//! The curves as an SVG picture.

use crate::cli::schedule::numbers::{bounds, places, short};
use crate::trainer::ScheduledSetting;

/// The picture and its margins, in pixels.
const SIZE: (f64, f64) = (800.0, 420.0);
const LEFT: f64 = 80.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// Colours that people with any sight tell apart (Okabe and Ito, 2008).
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
/// Marks on each axis.
const MARKS: usize = 6;

/// One line per group over the updates, from 0 or the smallest value to the largest.
pub(super) fn svg(scheduled: &ScheduledSetting) -> String {
    let all: Vec<f64> = scheduled.groups.iter().flat_map(|group| group.values.iter().copied()).collect();
    let (least, most) = bounds(&all);
    let least = least.min(0.0);
    let span = if most > least { most - least } else { 1.0 };
    let last = scheduled.moments.last().map_or(1.0, |(iter, _)| (*iter as f64).max(1.0));
    let x = |iter: u64| LEFT + (SIZE.0 - LEFT - RIGHT) * iter as f64 / last;
    let y = |value: f64| SIZE.1 - BOTTOM - (SIZE.1 - TOP - BOTTOM) * (value - least) / span;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        SIZE.0, SIZE.1
    );
    let mut text = |x: f64, y: f64, anchor: &str, what: &str| {
        svg.push_str(&format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>\n", escaped(what)));
    };
    text(SIZE.0 / 2.0, 20.0, "middle", &format!("{} over {} iters", scheduled.setting, scheduled.max_iters));
    text(SIZE.0 / 2.0, SIZE.1 - 10.0, "middle", "iter");
    for place in places(scheduled.moments.len(), MARKS) {
        let iter = scheduled.moments[place].0;
        text(x(iter), SIZE.1 - BOTTOM + 18.0, "middle", &iter.to_string());
    }
    let marks: Vec<f64> = (0..MARKS).map(|mark| least + span * mark as f64 / (MARKS - 1) as f64).collect();
    for mark in &marks {
        text(LEFT - 8.0, y(*mark) + 4.0, "end", &short(*mark));
    }
    for (index, group) in scheduled.groups.iter().enumerate() {
        text(LEFT + 30.0, TOP + 14.0 + 16.0 * index as f64, "start", &group.name);
    }
    for mark in &marks {
        let (from, to, at) = (LEFT, SIZE.0 - RIGHT, y(*mark));
        svg.push_str(&format!("<path d=\"M{from} {at:.1}H{to}\" stroke=\"#dddddd\"/>\n"));
    }
    for (index, group) in scheduled.groups.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let points: Vec<String> = scheduled
            .moments
            .iter()
            .zip(&group.values)
            .map(|((iter, _), v)| format!("{:.1},{:.1}", x(*iter), y(*v)))
            .collect();
        svg.push_str(&format!(
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>\n",
            points.join(" ")
        ));
        let at = TOP + 10.0 + 16.0 * index as f64;
        svg.push_str(&format!("<path d=\"M{LEFT} {at}h24\" stroke=\"{colour}\" stroke-width=\"2\"/>\n"));
    }
    svg.push_str("</svg>\n");
    svg
}

/// A text as XML holds it; patterns of groups may contain anything.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::ScheduledGroup;

    #[test]
    fn each_group_has_a_line_within_the_picture() {
        let group = |name: &str, values: [f64; 3]| ScheduledGroup { name: name.to_owned(), values: values.to_vec() };
        let scheduled = ScheduledSetting {
            setting: "lr".to_owned(),
            max_iters: 3,
            max_epochs: None,
            moments: vec![(0, 0), (1, 0), (2, 0)],
            groups: vec![group("opt/default", [0.0, 1.0, 0.5]), group("opt/<&>", [0.25; 3])],
            notes: Vec::new(),
        };
        let svg = svg(&scheduled);
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains("points=\"80.0,370.0 430.0,40.0 780.0,205.0\""), "{svg}");
        assert!(svg.contains(">opt/&lt;&amp;&gt;</text>"), "{svg}");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
}

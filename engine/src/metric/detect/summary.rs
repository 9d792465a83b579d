//! Precision and recall of a class over all images.

use crate::metric::detect::matching::{Image, Matches, Outcome, THRESHOLDS};

/// Recalls at which the precision is looked up: 0, 0.01, …, 1.
const RECALLS: usize = 101;

/// Of one class: at each threshold the average precision and the highest recall. `None` when no truth counts.
pub(super) type Curve = Option<([f64; THRESHOLDS], [f64; THRESHOLDS])>;

/// Of images whose detections are sorted, with at most `most` detections of each.
pub(super) fn curve(images: &[Image], range: [f64; 2], most: usize) -> Curve {
    let matches: Vec<Matches> = images.iter().map(|image| image.matches(range)).collect();
    let truths: usize = matches.iter().map(|matches| matches.truths).sum();
    if truths == 0 {
        return None;
    }
    let mut detections: Vec<&(f64, [Outcome; THRESHOLDS])> =
        matches.iter().flat_map(|matches| matches.detections.iter().take(most)).collect();
    // stable: equal scores keep the order of the images
    detections.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let values: [(f64, f64); THRESHOLDS] = std::array::from_fn(|index| {
        let outcomes = detections.iter().map(|(_, outcomes)| outcomes[index]);
        average_precision(outcomes, truths as f64)
    });
    Some((values.map(|(precision, _)| precision), values.map(|(_, recall)| recall)))
}

/// The mean over 101 recalls of the highest precision at this recall or a higher one, and the highest recall.
fn average_precision(outcomes: impl Iterator<Item = Outcome>, truths: f64) -> (f64, f64) {
    let (mut right, mut wrong) = (0.0, 0.0);
    let mut points: Vec<(f64, f64)> = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Right => right += 1.0,
            Outcome::Wrong => wrong += 1.0,
            Outcome::Ignored => {}
        }
        points.push((right / truths, right / (right + wrong + f64::EPSILON)));
    }
    let highest = points.last().map_or(0.0, |(recall, _)| *recall);
    for place in (1..points.len()).rev() {
        points[place - 1].1 = points[place - 1].1.max(points[place].1);
    }
    let at = |index: usize| {
        // as NumPy's `linspace(0, 1, 101)` computes it: a recall of 7 / 20 is below its 0.35
        let wanted = if index + 1 == RECALLS { 1.0 } else { index as f64 * 0.01 };
        points.get(points.partition_point(|(recall, _)| *recall < wanted)).map_or(0.0, |(_, precision)| *precision)
    };
    ((0..RECALLS).map(at).sum::<f64>() / RECALLS as f64, highest)
}

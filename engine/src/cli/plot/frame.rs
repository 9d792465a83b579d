//! The ranges of a picture, and round numbers within them.

use crate::readers::Point;

/// A curve under its name.
pub(in crate::cli) struct Curve {
    pub(in crate::cli) name: String,
    pub(in crate::cli) points: Vec<Point>,
    pub(in crate::cli) frame: Frame,
    /// A place on the horizontal axis that is marked.
    pub(in crate::cli) mark: Option<f64>,
}

/// From where to where a picture goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cli) struct Frame {
    pub(in crate::cli) x: (f64, f64),
    /// As logarithms, where the axis is logarithmic.
    pub(in crate::cli) y: (f64, f64),
    pub(in crate::cli) log: bool,
    /// Whether the places of points on the horizontal axis are logarithms.
    pub(in crate::cli) log_x: bool,
}

impl Frame {
    /// Around all points that can be drawn; `None` when there is none.
    pub(in crate::cli) fn of(points: &[Point], log: bool) -> Option<Frame> {
        let nothing = (f64::INFINITY, f64::NEG_INFINITY);
        let mut frame = Frame { x: nothing, y: nothing, log, log_x: false };
        for point in points {
            let Some(height) = frame.height(point.y) else { continue };
            frame.x = (frame.x.0.min(point.x), frame.x.1.max(point.x));
            frame.y = (frame.y.0.min(height), frame.y.1.max(height));
        }
        if frame.y.0 > frame.y.1 {
            return None;
        }
        // a single value is in the middle
        if frame.y.0 == frame.y.1 {
            let around = (frame.y.0.abs() * 0.1).max(f64::MIN_POSITIVE);
            frame.y = (frame.y.0 - around, frame.y.1 + around);
        }
        if frame.x.0 == frame.x.1 {
            frame.x = (frame.x.0 - 0.5, frame.x.1 + 0.5);
        }
        Some(frame)
    }

    /// The place of a value on the vertical axis; `None` for what is not on it.
    fn height(&self, value: f64) -> Option<f64> {
        let height = if self.log { value.log10() } else { value };
        height.is_finite().then_some(height)
    }

    /// Where a point is, from (0, 0) at the lower left to (1, 1) at the upper right.
    pub(super) fn place(&self, point: Point) -> Option<(f64, f64)> {
        let height = self.height(point.y)?;
        Some((self.across(point.x), (height - self.y.0) / (self.y.1 - self.y.0)))
    }

    /// A place on the horizontal axis, from 0 at the left to 1 at the right.
    pub(super) fn across(&self, x: f64) -> f64 {
        (x - self.x.0) / (self.x.1 - self.x.0)
    }

    /// What stands at a place on the horizontal axis.
    pub(super) fn value_across(&self, x: f64) -> f64 {
        if self.log_x { 10f64.powf(x) } else { x }
    }

    /// A height between 0 and 1 as the value there.
    pub(super) fn value(&self, height: f64) -> f64 {
        let value = self.y.0 + height * (self.y.1 - self.y.0);
        if self.log { 10f64.powf(value) } else { value }
    }
}

/// Round numbers in a range, about so many of them: 1, 2 or 5 times a power of ten apart.
pub(super) fn ticks((from, to): (f64, f64), about: usize) -> Vec<f64> {
    let rough = (to - from) / about.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= rough).unwrap_or(rough);
    if !step.is_normal() {
        return Vec::new();
    }
    let first = (from / step).ceil();
    let all = (0..=2 * about).map(|place| (first + place as f64) * step);
    // without the last bits that a product adds
    all.take_while(|tick| *tick <= to).map(|tick| format!("{tick:.12e}").parse().unwrap_or(tick)).collect()
}

/// As short as it is.
pub(super) fn label(value: f64) -> String {
    let size = value.abs();
    match value == 0.0 || (1e-4..1e7).contains(&size) {
        true => format!("{}", format!("{value:.4e}").parse::<f64>().unwrap_or(value)),
        false => format!("{value:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_range() {
        assert_eq!(ticks((0.0, 460.0), 5), [0.0, 100.0, 200.0, 300.0, 400.0]);
        assert_eq!(ticks((0.1, 0.32), 4), [0.1, 0.2, 0.3]);
        assert_eq!(ticks((-1.0, 1.0), 4), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert!(ticks((1.0, 1.0), 4).is_empty() && ticks((f64::NAN, 1.0), 4).is_empty());
        assert!(ticks((0.0, f64::MAX), 4).len() < 10);
    }

    #[test]
    fn a_frame_holds_what_can_be_drawn() {
        let points =
            |values: &[f64]| values.iter().enumerate().map(|(x, &y)| Point { x: x as f64, y }).collect::<Vec<_>>();
        let frame = Frame::of(&points(&[1.0, f64::NAN, 3.0]), false).unwrap();
        assert_eq!((frame.x, frame.y), ((0.0, 2.0), (1.0, 3.0)));
        assert_eq!(frame.place(Point { x: 1.0, y: 2.0 }), Some((0.5, 0.5)));
        assert_eq!(frame.place(Point { x: 1.0, y: f64::INFINITY }), None);
        let log = Frame::of(&points(&[-1.0, 0.0, 1.0, 100.0]), true).unwrap();
        assert_eq!((log.x, log.y, log.value(0.5)), ((2.0, 3.0), (0.0, 2.0), 10.0));
        assert_eq!(Frame::of(&points(&[f64::NAN]), false), None);
        assert_eq!(Frame::of(&points(&[-1.0]), true), None);
        let single = Frame::of(&points(&[5.0]), false).unwrap();
        assert_eq!(single.place(Point { x: 0.0, y: 5.0 }), Some((0.5, 0.5)));
    }
}

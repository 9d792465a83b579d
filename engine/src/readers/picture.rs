//! A series as a picture needs it: not more points than it has pixels, and no spike lost.

/// A point of a curve. A value that was not finite is NaN, and a gap in the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The place on the axis.
    pub x: f64,
    /// The value.
    pub y: f64,
}

/// A curve for so many columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// At most four points for each column, in order.
    pub points: Vec<Point>,
    /// How many points the series has in the window.
    pub of: usize,
}

impl Picture {
    /// The points from `from` to `to`, and one more on each side so that the curve reaches the edges. With more points than
    /// four for each of the `columns`, each column keeps its first, smallest, largest and last one, which draw the same
    /// picture as all.
    pub fn new(points: impl Iterator<Item = Point>, from: f64, to: f64, columns: usize) -> Picture {
        let points: Vec<Point> = points.collect();
        let begin = points.partition_point(|point| point.x < from).saturating_sub(1);
        let end = (points.partition_point(|point| point.x <= to) + 1).min(points.len()).max(begin);
        let window = &points[begin..end];
        let columns = columns.clamp(1, 10_000);
        if window.len() <= 4 * columns {
            return Picture { points: window.to_vec(), of: window.len() };
        }
        // not empty: it has more than four points
        let (first, last) = (window[0].x, window[window.len() - 1].x);
        let width = (last - first) / columns as f64;
        let mut kept = Vec::with_capacity(4 * columns);
        let mut rest = window;
        for column in 1..=columns {
            let limit = first + width * column as f64;
            let count = match column == columns {
                true => rest.len(),
                false => rest.partition_point(|point| point.x < limit),
            };
            let (here, behind) = rest.split_at(count);
            keep(here, &mut kept);
            rest = behind;
        }
        Picture { points: kept, of: window.len() }
    }
}

/// The first, smallest, largest and last point of a column, in order. A gap stays as the first point that is not finite.
fn keep(column: &[Point], kept: &mut Vec<Point>) {
    let Some(last) = column.len().checked_sub(1) else { return };
    let (mut low, mut high, mut gap) = (None::<usize>, None::<usize>, None::<usize>);
    for (place, point) in column.iter().enumerate() {
        if !point.y.is_finite() {
            gap = gap.or(Some(place));
            continue;
        }
        if low.is_none_or(|low| point.y < column[low].y) {
            low = Some(place);
        }
        if high.is_none_or(|high| point.y > column[high].y) {
            high = Some(place);
        }
    }
    // with a gap the last point gives way, so that there are never more than four
    let mut places = [Some(0), low, high, gap.or(Some(last))];
    places.sort_unstable();
    let mut before = None;
    for place in places.into_iter().flatten() {
        if before != Some(place) {
            kept.push(column[place]);
        }
        before = Some(place);
    }
}

/// The running average of values with this weight for what was before, from 0 (the values themselves) to 1, without the
/// pull to zero at the begin: the sum of weights is divided out, as in Adam (Kingma and Ba, 2015, section 3). What is not
/// finite is left out of the average.
pub fn smoothed(values: &[f64], weight: f64) -> impl Iterator<Item = f64> + '_ {
    let (weight, mut sum, mut weights) = (weight.clamp(0.0, 0.9999), 0.0, 0.0);
    values.iter().map(move |value| match value.is_finite() {
        true => {
            sum = weight * sum + (1.0 - weight) * value;
            weights = weight * weights + (1.0 - weight);
            sum / weights
        }
        false => *value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
        values.into_iter().enumerate().map(|(x, y)| Point { x: x as f64, y }).collect()
    }

    fn picture(points: &[Point], columns: usize) -> Picture {
        Picture::new(points.iter().copied(), f64::NEG_INFINITY, f64::INFINITY, columns)
    }

    #[test]
    fn a_spike_of_one_row_in_a_million_stays() {
        let mut all = points((0..1_000_000).map(|x| f64::from(x % 7)));
        all[123_456].y = 1e9;
        all[777_777].y = -1e9;
        let drawn = picture(&all, 500);
        assert_eq!(drawn.of, 1_000_000);
        assert!(drawn.points.len() <= 2000, "{}", drawn.points.len());
        assert!(drawn.points.contains(&all[123_456]) && drawn.points.contains(&all[777_777]));
        assert!(drawn.points.is_sorted_by(|a, b| a.x < b.x));
        assert_eq!((drawn.points[0], *drawn.points.last().unwrap()), (all[0], all[999_999]));
    }

    #[test]
    fn few_points_stay_as_they_are_and_a_window_reaches_its_edges() {
        let all = points([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(picture(&all, 2).points, all);
        assert_eq!(picture(&[], 2), Picture::default());
        let window = Picture::new(all.iter().copied(), 2.0, 3.0, 10);
        assert_eq!(window.points, all[1..5]);
        assert!(Picture::new(all.iter().copied(), 9.0, 1.0, 10).points.len() <= 2);
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let mut all = points((0..1000).map(f64::from));
        all[500].y = f64::NAN;
        let drawn = picture(&all, 10);
        assert!(drawn.points.iter().any(|point| point.x == 500.0 && point.y.is_nan()));
        assert!(picture(&points([f64::NAN; 1000]), 10).points.iter().all(|point| point.y.is_nan()));
        // all at one place: a column gets them all
        let same: Vec<Point> = (0..100).map(|y| Point { x: 1.0, y: f64::from(y) }).collect();
        assert_eq!(picture(&same, 10).points, [same[0], same[99]]);
    }

    #[test]
    fn smoothing_begins_at_the_first_value_and_leaves_gaps() {
        let smooth: Vec<f64> = smoothed(&[1.0, 1.0, f64::NAN, 3.0], 0.5).collect();
        assert_eq!(smooth[..2], [1.0, 1.0]);
        assert!(smooth[2].is_nan());
        // (0.25 + 0.125) / 0.875 of the ones, and 0.5 / 0.875 of the three
        assert!((smooth[3] - (0.375 + 1.5) / 0.875).abs() < 1e-12);
        assert_eq!(smoothed(&[4.0, 2.0], 0.0).collect::<Vec<_>>(), [4.0, 2.0]);
    }
}

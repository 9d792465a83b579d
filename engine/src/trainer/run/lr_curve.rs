//! What a curve of losses over learning rates says.

use crate::run::Signal;

/// An update of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrPoint {
    /// The learning rate of the update.
    pub lr: f64,
    /// The loss before the update.
    pub loss: f64,
}

/// Why a search has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LrEnd {
    /// All updates are done.
    #[default]
    Whole,
    /// A loss was not finite.
    NotFinite,
    /// The smoothed loss was far above its best: by more than three times its size.
    Diverged,
    /// A signal has ended it.
    Signal(Signal),
}

/// The losses of a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LrCurve {
    /// The optimizer whose rate rises.
    pub optimizer: String,
    /// The step or pass whose loss it is.
    pub loss_of: &'static str,
    /// What is other than the file says, such as rates that `scale_lr` multiplies.
    pub told: Vec<String>,
    /// The updates, in order; all losses are finite.
    pub points: Vec<LrPoint>,
    /// Why it has ended.
    pub end: LrEnd,
    /// The smoothed loss of the last update.
    pub(super) last: Average,
    /// The lowest one so far.
    pub(super) best: Option<f64>,
}

/// An average that grows old, corrected for its begin as in Adam.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Average {
    sum: f64,
    share: f64,
}

impl Average {
    /// The average with one more loss.
    fn with(&mut self, loss: f64) -> f64 {
        self.sum = SMOOTHING * self.sum + (1.0 - SMOOTHING) * loss;
        self.share = SMOOTHING * self.share + (1.0 - SMOOTHING);
        self.sum / self.share
    }
}

/// The share of the losses before in a smoothed loss. It is an average over about ten updates.
const SMOOTHING: f64 = 0.9;
/// So many updates are looked at before a loss can be far above the best; fewer suggest nothing.
pub(crate) const LEAST_UPDATES: usize = 10;
/// By how many times the size of the best loss one is far above it.
const FAR: f64 = 3.0;

/// Adds an update, and says when the search has to end with it.
pub(super) fn add(curve: &mut LrCurve, point: LrPoint) {
    if !point.loss.is_finite() {
        curve.end = LrEnd::NotFinite;
        return;
    }
    curve.points.push(point);
    let last = curve.last.with(point.loss);
    let best = curve.best.map_or(last, |best| best.min(last));
    curve.best = Some(best);
    if curve.points.len() > LEAST_UPDATES && last - best > FAR * best.abs() {
        curve.end = LrEnd::Diverged;
    }
}

impl LrCurve {
    /// The losses, each averaged with those before it; the average is corrected for its begin as in Adam.
    pub fn smoothed(&self) -> Vec<f64> {
        let mut average = Average::default();
        self.points.iter().map(|point| average.with(point.loss)).collect()
    }

    /// The place among the points where the smoothed loss is lowest; `None` without points.
    pub fn lowest(&self) -> Option<usize> {
        let smoothed = self.smoothed();
        (0..smoothed.len()).min_by(|a, b| smoothed[*a].total_cmp(&smoothed[*b]))
    }

    /// The place where the smoothed loss falls fastest over the logarithm of the rate, up to where it is lowest; `None` where
    /// it never falls, and of fewer than 10 updates. It is the rule of Smith (2017, <https://arxiv.org/abs/1506.01186>) as Lightning and fastai use it.
    pub fn steepest(&self) -> Option<usize> {
        if self.points.len() < LEAST_UPDATES {
            return None;
        }
        let smoothed = self.smoothed();
        let lowest = self.lowest()?;
        let slope = |place: usize| {
            let (before, after) = (place - 1, place + 1);
            (smoothed[after] - smoothed[before]) / (self.points[after].lr / self.points[before].lr).ln()
        };
        let within = 1..lowest.max(1).min(smoothed.len().saturating_sub(1));
        let steepest = within.min_by(|a, b| slope(*a).total_cmp(&slope(*b)))?;
        (slope(steepest) < 0.0).then_some(steepest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve with these losses, over rates from 1e-6 on, ten to a decade.
    fn curve(losses: impl IntoIterator<Item = f64>) -> LrCurve {
        let mut curve = LrCurve::default();
        for (place, loss) in losses.into_iter().enumerate() {
            add(&mut curve, LrPoint { lr: 1e-6 * 10f64.powf(place as f64 / 10.0), loss });
            if curve.end != LrEnd::Whole {
                break;
            }
        }
        curve
    }

    #[test]
    fn smoothing_is_a_mean_with_falling_weights() {
        let smoothed = curve([1.0, 0.0, 0.0]).smoothed();
        let expected = [1.0, 0.09 / 0.19, 0.081 / 0.271];
        assert!(smoothed.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{smoothed:?}");
        assert_eq!(curve([2.0; 5]).smoothed(), [2.0; 5]);
    }

    #[test]
    fn the_suggestion_is_on_the_slope_and_the_lowest_behind_it() {
        // flat, down between the places 20 and 40, flat, and up from 60 on
        let loss = |place: f64| 2.0 - 1.5 / (1.0 + (-(place - 30.0) / 2.0).exp()) + (0.5 * (place - 65.0)).exp();
        let found = curve((0..80).map(|place| loss(f64::from(place))));
        assert_eq!(found.end, LrEnd::Diverged);
        let (steepest, lowest) = (found.steepest().unwrap(), found.lowest().unwrap());
        // the average follows a few updates later
        assert!((30..38).contains(&steepest), "{steepest}");
        assert!((50..62).contains(&lowest), "{lowest}");
    }

    #[test]
    fn what_is_not_finite_ends_a_search_and_is_no_point_of_it() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let found = curve([1.0, 0.9, bad, 0.1]);
            assert_eq!((found.points.len(), found.end), (2, LrEnd::NotFinite));
        }
        let nothing = curve([f64::NAN]);
        assert_eq!((nothing.lowest(), nothing.steepest()), (None, None));
    }

    #[test]
    fn a_loss_that_only_rises_or_stays_has_no_suggestion() {
        assert_eq!(curve((0..40).map(f64::from)).steepest(), None);
        assert_eq!(curve([1.0; 40]).steepest(), None);
        assert_eq!(curve([1.0]).steepest(), None);
        assert_eq!(curve([2.0, 1.0]).steepest(), None);
        // it falls, and of so few updates nothing is said
        assert_eq!(curve((0..9).map(|place| 9.0 - f64::from(place))).steepest(), None);
        assert!(curve((0..10).map(|place| 9.0 - f64::from(place))).steepest().is_some());
    }

    #[test]
    fn negative_losses_diverge_as_others_do() {
        let found = curve((0..30).map(|place| if place < 15 { -1.0 } else { 4.0 * f64::from(place) }));
        assert_eq!(found.end, LrEnd::Diverged);
        assert!(curve((0..30).map(|place| -f64::from(place))).end == LrEnd::Whole);
    }
}

//! What a sweep varies, and the values that it picks.

use crate::config::{Kind, Node, Span};
use crate::random::Stream;
use serde::{Deserialize, Serialize};

/// One setting that differs between trials.
#[derive(Clone, Debug)]
pub(super) struct Dimension {
    /// `optimizer.lr`
    pub(super) path: String,
    /// Where the path was written.
    pub(super) at: Span,
    pub(super) values: Values,
    /// Where the values were written.
    pub(super) span: Span,
}

/// The values that a setting can have.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// `Choice([32, 64])`: any values.
    Choice(Vec<Node>),
    /// `Uniform(0.0, 0.5)`: floats between two, each equally likely.
    Uniform(f64, f64),
    /// `LogUniform(1e-4, 1e-1)`: the logarithms are equally likely.
    LogUniform(f64, f64),
    /// `Int(1, 8)`: integers, both ends included.
    Int(i64, i64),
}

/// What a trial has of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Pick {
    /// The index of a choice.
    Choice(usize),
    Float(f64),
    Int(i64),
}

impl Dimension {
    /// How many values there are; none where they are too many to be counted.
    pub(super) fn count(&self) -> Option<usize> {
        match &self.values {
            Values::Choice(values) => Some(values.len()),
            Values::Int(low, high) => usize::try_from(high.abs_diff(*low)).ok()?.checked_add(1),
            Values::Uniform(..) | Values::LogUniform(..) => None,
        }
    }

    /// The value at a place between 0 and 1.
    pub(super) fn at(&self, unit: f64) -> Pick {
        let unit = unit.clamp(0.0, 1.0);
        let whole = |count: f64| (unit * count).floor().min(count - 1.0).max(0.0);
        match &self.values {
            Values::Choice(values) => Pick::Choice(whole(values.len() as f64) as usize),
            Values::Uniform(low, high) => Pick::Float(short(low + unit * (high - low)).clamp(*low, *high)),
            Values::LogUniform(low, high) => {
                let log = low.ln() + unit * (high.ln() - low.ln());
                Pick::Float(short(log.exp()).clamp(*low, *high))
            }
            Values::Int(low, high) => {
                let above = whole(high.abs_diff(*low) as f64 + 1.0) as i64;
                Pick::Int(low.saturating_add(above).min(*high))
            }
        }
    }

    /// The place of a value between 0 and 1, in the middle of an integer's own part.
    pub(super) fn unit(&self, pick: Pick) -> f64 {
        match (&self.values, pick) {
            (Values::Uniform(low, high), Pick::Float(value)) if high > low => (value - low) / (high - low),
            (Values::LogUniform(low, high), Pick::Float(value)) if high > low => {
                (value.ln() - low.ln()) / (high.ln() - low.ln())
            }
            (Values::Int(low, high), Pick::Int(value)) => {
                (value.abs_diff(*low) as f64 + 0.5) / (high.abs_diff(*low) as f64 + 1.0)
            }
            _ => 0.5,
        }
    }

    /// The values that are tried before the first trial: every choice, both ends of a range, and one within a range of
    /// floats that is no whole number, since the ends may be whole where no other float is allowed.
    pub(super) fn tried(&self) -> Vec<Pick> {
        match &self.values {
            Values::Choice(values) => (0..values.len()).map(Pick::Choice).collect(),
            Values::Uniform(low, high) | Values::LogUniform(low, high) => {
                // near the low end too: values have six digits, so that large ones are whole
                let places = (1..8).map(|eighth| f64::from(eighth) * 0.123_457).chain([1.234_57e-4, 1.234_57e-7]);
                let places = places.map(|place| self.at(place));
                let within = places.filter(|pick| matches!(pick, Pick::Float(value) if value.fract() != 0.0)).take(1);
                [Pick::Float(*low), Pick::Float(*high)].into_iter().chain(within).collect()
            }
            Values::Int(low, high) => vec![Pick::Int(*low), Pick::Int(*high)],
        }
    }

    /// The value as an experiment has it.
    pub(super) fn node(&self, pick: Pick) -> Node {
        let number = |kind| Node { span: self.span, ..Node::new(kind) };
        match (&self.values, pick) {
            (Values::Choice(values), Pick::Choice(index)) => {
                values.get(index).cloned().unwrap_or_else(|| number(Kind::Unit))
            }
            (_, Pick::Float(value)) => number(Kind::Float(value)),
            (_, Pick::Int(value)) => number(Kind::Int(value.into())),
            (_, Pick::Choice(_)) => number(Kind::Unit),
        }
    }
}

/// A number of six digits: no result depends on more of them, and people read them.
fn short(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The picks of a trial of a random search: a function of the seed, the trial and the dimension.
pub(super) fn random(space: &[Dimension], seed: u64, trial: usize) -> Vec<Pick> {
    let unit = |index: usize| Stream::new(seed, "sweep", trial as u64, index as u64).unit();
    space.iter().enumerate().map(|(index, dimension)| dimension.at(unit(index))).collect()
}

/// The picks of a trial of a grid; the last dimension changes first.
pub(super) fn grid(space: &[Dimension], trial: usize) -> Vec<Pick> {
    let mut left = trial;
    let mut picks: Vec<Pick> = Vec::new();
    for dimension in space.iter().rev() {
        let count = dimension.count().unwrap_or(1).max(1);
        let index = left % count;
        left /= count;
        picks.push(match dimension.values {
            Values::Int(low, _) => Pick::Int(low.saturating_add(i64::try_from(index).unwrap_or(i64::MAX))),
            _ => Pick::Choice(index),
        });
    }
    picks.reverse();
    picks
}

/// How many trials a grid has; none where a dimension has no count, or there are too many.
pub(super) fn grid_size(space: &[Dimension]) -> Option<usize> {
    space.iter().try_fold(1_usize, |size, dimension| size.checked_mul(dimension.count()?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::cli::sweep) fn dimension(values: Values) -> Dimension {
        Dimension { path: "x".to_owned(), at: Span::NONE, values, span: Span::NONE }
    }

    #[test]
    fn values_lie_within_their_ends_and_reach_them() {
        let all = [Values::Uniform(-1.0, 2.0), Values::LogUniform(1e-4, 1e-1), Values::Int(-2, 2)].map(dimension);
        for dimension in &all {
            assert_eq!(vec![dimension.at(0.0), dimension.at(1.0)], dimension.tried()[..2]);
            for trial in 0..500 {
                let [pick] = random(std::slice::from_ref(dimension), 3, trial)[..] else { panic!("one pick") };
                // a pick and its place are the same
                let again = dimension.at(dimension.unit(pick));
                match (pick, again) {
                    (Pick::Float(pick), Pick::Float(again)) => {
                        assert!((pick / again - 1.0).abs() < 1e-4, "{pick} {again}")
                    }
                    (pick, again) => assert_eq!(pick, again),
                }
            }
        }
        // the middle of a logarithmic range is its geometric mean
        assert_eq!(all[1].at(0.5), Pick::Float(0.00316228));
    }

    #[test]
    fn a_float_that_is_not_whole_is_tried_of_each_range_that_has_one() {
        for (low, high) in [(1.0, 8.0), (1.0, 9.0), (0.0, 1e6), (-3.0, 5.0), (1.0, 2.0)] {
            let tried = dimension(Values::Uniform(low, high)).tried();
            let [_, _, Pick::Float(within)] = tried[..] else { panic!("{tried:?}") };
            assert!(within.fract() != 0.0 && low < within && within < high, "{within}");
        }
        assert_eq!(dimension(Values::Uniform(2.0, 2.0)).tried().len(), 2);
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let choice = dimension(Values::Choice(vec![Node::new(Kind::Unit), Node::new(Kind::Unit)]));
        let space = [choice, dimension(Values::Int(3, 5))];
        assert_eq!(grid_size(&space), Some(6));
        let all: Vec<Vec<Pick>> = (0..6).map(|trial| grid(&space, trial)).collect();
        assert_eq!(all[0], [Pick::Choice(0), Pick::Int(3)]);
        assert_eq!(all[1], [Pick::Choice(0), Pick::Int(4)]);
        assert_eq!(all[5], [Pick::Choice(1), Pick::Int(5)]);
        assert!((0..6).all(|one| (0..one).all(|other| all[one] != all[other])));
        assert_eq!(grid_size(&[dimension(Values::Uniform(0.0, 1.0))]), None);
        assert_eq!(grid_size(&[dimension(Values::Int(i64::MIN, i64::MAX)), dimension(Values::Int(0, 9))]), None);
    }
}

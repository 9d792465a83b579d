//! The tree-structured Parzen estimator: Bergstra, Bardenet, Bengio and Kégl, "Algorithms for Hyper-Parameter
//! Optimization" (NeurIPS 2011), section 4, each dimension by itself.
//!
//! The best 15 % of the trials and the others each give a density of where values lie. Of 24 values that are drawn from the
//! first, the one is taken whose ratio of the first density to the second is largest: the largest expected improvement.

use crate::cli::sweep::space::{Dimension, Pick, Values};
use crate::metric::Better;
use crate::random::{SampleRng, Stream};

/// The share of trials that are good: γ of the paper.
const GOOD: f64 = 0.15;

/// How many values are drawn.
const CANDIDATES: usize = 24;

/// A trial that has ended with a value.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) picks: Vec<Pick>,
    pub(super) value: f64,
}

/// The picks of a trial: a function of the seed, the trial and what is known.
pub(super) fn propose(space: &[Dimension], seed: u64, trial: usize, known: &[Known], better: Better) -> Vec<Pick> {
    let mut sorted: Vec<&Known> = known.iter().filter(|known| known.value.is_finite()).collect();
    // stable: of two equal ones the earlier is the better
    sorted.sort_by(|one, other| match better {
        Better::Higher => other.value.total_cmp(&one.value),
        _ => one.value.total_cmp(&other.value),
    });
    let count = ((GOOD * sorted.len() as f64).ceil() as usize).max(1).min(sorted.len());
    let (good, others) = sorted.split_at(count);
    let pick = |(index, dimension): (usize, &Dimension)| {
        let mut random = SampleRng::new(Stream::new(seed, "sweep tpe", trial as u64, index as u64));
        let of = |trials: &[&Known]| trials.iter().filter_map(|known| known.picks.get(index).copied()).collect();
        match &dimension.values {
            Values::Choice(values) => choose(values.len(), of(good), of(others), &mut random),
            _ => {
                let units = |picks: Vec<Pick>| picks.into_iter().map(|pick| dimension.unit(pick)).collect();
                let (good, others) = (Density::of(units(of(good))), Density::of(units(of(others))));
                let drawn = (0..CANDIDATES).map(|_| good.draw(&mut random));
                let ratio = |unit: f64| good.log_at(unit) - others.log_at(unit);
                dimension.at(best(drawn.map(|unit| (unit, ratio(unit)))).unwrap_or(0.5))
            }
        }
    };
    space.iter().enumerate().map(pick).collect()
}

/// The first item with the largest score.
fn best<T>(scored: impl Iterator<Item = (T, f64)>) -> Option<T> {
    let better = |best: (T, f64), next: (T, f64)| if next.1 > best.1 { next } else { best };
    scored.reduce(better).map(|(item, _)| item)
}

/// A choice: the shares of each among the good and the others, with one more of each.
fn choose(count: usize, good: Vec<Pick>, others: Vec<Pick>, random: &mut SampleRng) -> Pick {
    let shares = |picks: &[Pick]| -> Vec<f64> {
        let times = |index: usize| picks.iter().filter(|pick| **pick == Pick::Choice(index)).count() as f64 + 1.0;
        (0..count).map(|index| times(index) / (picks.len() + count) as f64).collect()
    };
    let (good, others) = (shares(&good), shares(&others));
    let draw = |random: &mut SampleRng| {
        let mut left = random.uniform();
        let below = |share: &f64| {
            left -= share;
            left < 0.0
        };
        good.iter().position(below).unwrap_or(count - 1)
    };
    let drawn: Vec<usize> = (0..CANDIDATES).map(|_| draw(random)).collect();
    let scored = drawn.into_iter().map(|index| (index, good[index] / others[index]));
    Pick::Choice(best(scored).unwrap_or(0))
}

/// Normal distributions around values between 0 and 1, cut off at both ends, and one over all of it.
struct Density {
    /// Middle and width.
    kernels: Vec<(f64, f64)>,
}

impl Density {
    /// The width of each is the distance to its farther neighbour, as in the paper.
    fn of(mut units: Vec<f64>) -> Density {
        units.sort_by(f64::total_cmp);
        let narrowest = 1.0 / (1.0 + units.len() as f64).min(100.0);
        let width = |index: usize| {
            let before = index.checked_sub(1).and_then(|before| units.get(before)).copied().unwrap_or(0.0);
            let after = units.get(index + 1).copied().unwrap_or(1.0);
            (units[index] - before).max(after - units[index]).clamp(narrowest, 1.0)
        };
        let kernels = (0..units.len()).map(|index| (units[index], width(index)));
        Density { kernels: kernels.chain([(0.5, 1.0)]).collect() }
    }

    fn draw(&self, random: &mut SampleRng) -> f64 {
        let (middle, width) = self.kernels[random.index(self.kernels.len())];
        // at least a third of each lies between the ends
        let drawn = (0..100).map(|_| middle + width * random.normal()).find(|unit| (0.0..=1.0).contains(unit));
        drawn.unwrap_or(middle)
    }

    fn log_at(&self, unit: f64) -> f64 {
        let one = |&(middle, width): &(f64, f64)| {
            let z = (unit - middle) / width;
            let inside = below((1.0 - middle) / width) - below(-middle / width);
            (-0.5 * z * z).exp() / (width * inside)
        };
        self.kernels.iter().map(one).sum::<f64>().ln() - (self.kernels.len() as f64).ln()
    }
}

/// The share of a normal distribution below `z`: Abramowitz and Stegun, 26.2.17, to 7.5e-8.
fn below(z: f64) -> f64 {
    const TERMS: [f64; 5] = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let sum = TERMS.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    let above = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt() * sum;
    if z < 0.0 { above } else { 1.0 - above }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sweep::space::{random, tests::dimension};
    use crate::config::{Kind, Node};

    #[test]
    fn the_normal_distribution_is_that_of_tables() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.96, 0.024_997_895), (3.0, 0.998_650_102)] {
            assert!((below(z) - share).abs() < 1e-7, "{z}");
        }
    }

    fn space() -> [Dimension; 3] {
        let choice = Values::Choice(vec![Node::new(Kind::Int(0)), Node::new(Kind::Int(1)), Node::new(Kind::Int(2))]);
        [Values::LogUniform(1e-5, 1.0), choice, Values::Int(0, 20)].map(dimension)
    }

    /// Least at a learning rate of 0.01, the second choice and 15.
    fn loss(picks: &[Pick]) -> f64 {
        let [Pick::Float(lr), Pick::Choice(index), Pick::Int(width)] = picks[..] else { panic!("{picks:?}") };
        (lr.log10() + 2.0).powi(2) + f64::from(u8::from(index != 1)) + ((width - 15) as f64 / 10.0).powi(2)
    }

    fn searched(seed: u64, by_tpe: bool) -> Vec<Known> {
        let mut known: Vec<Known> = Vec::new();
        for trial in 0..60 {
            let picks = match by_tpe && trial >= 10 {
                true => propose(&space(), seed, trial, &known, Better::Lower),
                false => random(&space(), seed, trial),
            };
            let value = loss(&picks);
            known.push(Known { picks, value });
        }
        known
    }

    #[test]
    fn it_finds_better_values_than_chance_does() {
        let least = |known: Vec<Known>| known.iter().map(|known| known.value).fold(f64::INFINITY, f64::min);
        let wins = (0..20).filter(|seed| least(searched(*seed, true)) < least(searched(*seed, false))).count();
        assert!(wins >= 16, "{wins} of 20");
        // most trials of the last third lie near
        let late = searched(1, true).split_off(40);
        let near = late.iter().filter(|known| known.value < 1.0).count();
        assert!(near >= 12, "{near} of 20");
    }

    #[test]
    fn the_same_seed_and_results_give_the_same_proposals() {
        let picks = |seed| searched(seed, true).into_iter().map(|known| known.picks).collect::<Vec<_>>();
        assert_eq!(picks(4), picks(4));
        assert_ne!(picks(4), picks(5));
    }

    #[test]
    fn higher_is_better_where_it_is() {
        let mut known = searched(2, false);
        let lower = propose(&space(), 2, 60, &known, Better::Lower);
        known.iter_mut().for_each(|known| known.value = -known.value);
        assert_eq!(propose(&space(), 2, 60, &known, Better::Higher), lower);
        // a value that is none is not among them
        known.push(Known { picks: lower.clone(), value: f64::NAN });
        assert_eq!(propose(&space(), 2, 60, &known, Better::Higher), lower);
    }
}

//! A line search that ends where the strong Wolfe conditions hold (Nocedal and Wright, 2006, algorithms 3.5 and 3.6).
//!
//! The choice of points is that of `torch.optim.LBFGS`, which comes from minFunc.

use crate::base::Result;
use tch::Tensor;

/// The loss has to fall by this part of what its slope at the start promises.
const ENOUGH_LOSS: f64 = 1e-4;
/// The slope has to become flatter than this part of what it was.
const ENOUGH_SLOPE: f64 = 0.9;

/// A point on the line.
#[derive(Debug)]
pub(super) struct Point {
    /// How far from the start, in multiples of the direction.
    pub(super) step: f64,
    pub(super) loss: f64,
    pub(super) gradient: Tensor,
    /// The slope of the loss along the direction.
    pub(super) slope: f64,
}

impl Clone for Point {
    fn clone(&self) -> Self {
        Point { gradient: self.gradient.shallow_clone(), ..*self }
    }
}

/// What bounds a search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The points after the first one, at most.
    pub(super) most: u64,
    /// The search ends when no element would move by more.
    pub(super) tolerance: f64,
    /// The largest size of an element of the direction.
    pub(super) longest: f64,
}

/// The point where the search from `start` ends, and how many points were computed.
pub(super) fn search(
    start: &Point,
    first: f64,
    bounds: Bounds,
    at: &mut dyn FnMut(f64) -> Result<Point>,
) -> Result<(Point, u64)> {
    let mut new = at(first)?;
    let (mut previous, mut rounds) = (start.clone(), 0);
    // a bracket: two points between which there is a good one
    let mut bracket = loop {
        if rounds == bounds.most {
            break [start.clone(), new];
        }
        // a loss that is no number is not below anything
        let fell = new.loss <= highest(start, new.step);
        let is_lower = new.loss < previous.loss;
        if !fell || (rounds > 1 && !is_lower) {
            break [previous, new];
        }
        if is_flat(start, &new) {
            return Ok((new, rounds + 1));
        }
        if new.slope >= 0.0 {
            break [previous, new];
        }
        let least = new.step + 0.01 * (new.step - previous.step);
        let next = lowest_between(&previous, &new, (least, new.step * 10.0));
        previous = std::mem::replace(&mut new, at(next)?);
        rounds += 1;
    };
    let mut low = lower_of(&bracket);
    let mut was_near_end = false;
    while rounds < bounds.most {
        let (left, right) = ordered(bracket[0].step, bracket[1].step);
        if (right - left) * bounds.longest < bounds.tolerance {
            break;
        }
        let mut next = lowest_between(&bracket[0], &bracket[1], (left, right));
        // twice near an end is no progress
        let margin = 0.1 * (right - left);
        was_near_end = match (right - next).min(next - left) < margin {
            true if was_near_end || next >= right || next <= left => {
                next = if (next - right).abs() < (next - left).abs() { right - margin } else { left + margin };
                false
            }
            is_near => is_near,
        };
        let new = at(next)?;
        rounds += 1;
        let fell = new.loss <= highest(start, new.step);
        let is_lower = new.loss < bracket[low].loss;
        if !fell || !is_lower {
            bracket[1 - low] = new;
            low = lower_of(&bracket);
            continue;
        }
        let is_found = is_flat(start, &new);
        if !is_found && new.slope * (bracket[1 - low].step - bracket[low].step) >= 0.0 {
            bracket[1 - low] = bracket[low].clone();
        }
        bracket[low] = new;
        if is_found {
            break;
        }
    }
    let [one, other] = bracket;
    Ok((if low == 0 { one } else { other }, rounds + 1))
}

/// The highest loss at a step that has fallen enough.
fn highest(start: &Point, step: f64) -> f64 {
    start.loss + ENOUGH_LOSS * step * start.slope
}

fn is_flat(start: &Point, new: &Point) -> bool {
    new.slope.abs() <= -ENOUGH_SLOPE * start.slope
}

fn lower_of(bracket: &[Point; 2]) -> usize {
    usize::from(bracket[1].loss < bracket[0].loss)
}

fn ordered(one: f64, other: f64) -> (f64, f64) {
    if one <= other { (one, other) } else { (other, one) }
}

/// The lowest point of the cubic through two points with their slopes, within bounds; their middle where the cubic has none.
fn lowest_between(one: &Point, other: &Point, (least, most): (f64, f64)) -> f64 {
    let (left, right) = if one.step <= other.step { (one, other) } else { (other, one) };
    let bend = left.slope + right.slope - 3.0 * (left.loss - right.loss) / (left.step - right.step);
    let square = bend * bend - left.slope * right.slope;
    let has_lowest = square >= 0.0;
    if !has_lowest {
        return (least + most) / 2.0;
    }
    let root = square.sqrt();
    let part = (right.slope + root - bend) / (right.slope - left.slope + 2.0 * root);
    let lowest = right.step - (right.step - left.step) * part;
    if lowest.is_nan() { (least + most) / 2.0 } else { lowest.max(least).min(most) }
}

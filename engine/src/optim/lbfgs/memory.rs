//! What L-BFGS remembers of earlier steps, and its update.

use crate::base::Result;
use crate::base::state::{State, StateError, StateMap};
use crate::optim::lbfgs::limits::{Limits, LineSearch};
use crate::optim::lbfgs::vector::{add, copies, dot, gradient, largest, move_by, put_back};
use crate::optim::lbfgs::wolfe::{Bounds, Point, search};
use crate::optim::minimizer::{Minimizer, Objective};
use std::collections::VecDeque;
use tch::Tensor;

/// Pairs whose curvature is smaller say nothing.
const LEAST_CURVATURE: f64 = 1e-10;

/// The steps so far. All tensors are vectors over all parameters, in their order.
#[derive(Debug)]
pub(super) struct Memory {
    limits: Limits,
    /// Steps and computations of the loss since the start of the training.
    steps: u64,
    evaluations: u64,
    /// The last step; `None` before the first.
    last: Option<Last>,
    /// The latest steps that have shaped the direction, the oldest first.
    pairs: VecDeque<Pair>,
    /// The size of the inverse Hessian before any pair has shaped it.
    scale: f64,
}

#[derive(Debug)]
struct Last {
    direction: Tensor,
    length: f64,
    /// The gradient where it began.
    gradient: Tensor,
}

/// A step, and how the gradient changed along it.
#[derive(Debug)]
struct Pair {
    step: Tensor,
    change: Tensor,
    /// 1 over their product.
    weight: f64,
}

impl Memory {
    pub(super) fn new(limits: Limits) -> Self {
        Memory { limits, steps: 0, evaluations: 0, last: None, pairs: VecDeque::new(), scale: 1.0 }
    }

    /// Takes in how the gradient has changed since the last step.
    fn remember(&mut self, gradient: &Tensor) -> Result<()> {
        let Some(last) = &self.last else { return Ok(()) };
        let (change, step) = (gradient.f_sub(&last.gradient)?, last.direction.f_mul_scalar(last.length)?);
        let curvature = dot(&change, &step)?;
        if curvature > LEAST_CURVATURE {
            while self.pairs.len() as u64 >= self.limits.history {
                self.pairs.pop_front();
            }
            self.scale = curvature / dot(&change, &change)?;
            self.pairs.push_back(Pair { step, change, weight: 1.0 / curvature });
        }
        Ok(())
    }

    /// The direction of the next step: the inverse Hessian, as far as it is known, times the gradient downwards.
    fn direction(&self, gradient: &Tensor) -> Result<Tensor> {
        let down = gradient.f_neg()?;
        let mut parts = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let part = dot(&pair.step, &down)? * pair.weight;
            add(&down, &pair.change, -part)?;
            parts.push(part);
        }
        let direction = down.f_mul_scalar(self.scale)?;
        for (pair, part) in self.pairs.iter().zip(parts.into_iter().rev()) {
            let back = dot(&pair.change, &direction)? * pair.weight;
            add(&direction, &pair.step, part - back)?;
        }
        Ok(direction)
    }

    /// The search along a direction; leaves the parameters where it ends.
    fn search(
        &self,
        objective: &mut Objective<'_>,
        direction: &Tensor,
        start: &Point,
        first: f64,
        done: u64,
    ) -> Result<(Point, u64)> {
        let begin = copies(objective.parameters)?;
        let longest = largest(direction)?;
        let most = self.limits.max_eval.saturating_sub(done);
        let bounds = Bounds { most, tolerance: self.limits.tolerance_change, longest };
        let mut at = |step: f64| {
            move_by(objective.parameters, direction, step)?;
            let loss = (objective.evaluate)()?;
            let gradient = gradient(objective.parameters)?;
            put_back(objective.parameters, &begin)?;
            let slope = dot(&gradient, direction)?;
            Ok(Point { step, loss, gradient, slope })
        };
        let (end, evaluations) = search(start, first, bounds, &mut at)?;
        move_by(objective.parameters, direction, end.step)?;
        Ok((end, evaluations))
    }
}

impl Minimizer for Memory {
    fn update(&mut self, mut objective: Objective<'_>) -> Result<()> {
        let lr = objective.settings.get("lr").unwrap_or(1.0);
        let (mut loss, mut now) = (objective.loss, gradient(objective.parameters)?);
        let mut done = 1;
        self.evaluations += 1;
        if largest(&now)? <= self.limits.tolerance_grad {
            return Ok(());
        }
        for iter in 1..=self.limits.max_iter {
            self.remember(&now)?;
            let direction = self.direction(&now)?;
            let first = match self.steps {
                // nothing is known of the size of a step yet
                0 => (1.0 / f64::try_from(now.f_abs()?.f_sum(now.kind())?)?).min(1.0) * lr,
                _ => lr,
            };
            self.steps += 1;
            let (before, slope) = (loss, dot(&now, &direction)?);
            let start = Point { step: 0.0, loss, gradient: now.shallow_clone(), slope };
            self.last =
                Some(Last { direction: direction.shallow_clone(), length: first, gradient: now.shallow_clone() });
            if slope > -self.limits.tolerance_change {
                break;
            }
            let is_last = iter == self.limits.max_iter;
            let mut length = first;
            match self.limits.line_search {
                Some(LineSearch::StrongWolfe) => {
                    let (end, evaluations) = self.search(&mut objective, &direction, &start, first, done)?;
                    (loss, now, length) = (end.loss, end.gradient, end.step);
                    done += evaluations;
                    self.evaluations += evaluations;
                }
                None => {
                    move_by(objective.parameters, &direction, length)?;
                    // nobody asks for the loss after the last step
                    if !is_last {
                        loss = (objective.evaluate)()?;
                        now = gradient(objective.parameters)?;
                        done += 1;
                        self.evaluations += 1;
                    }
                }
            }
            if let Some(last) = &mut self.last {
                last.length = length;
            }
            let tolerance = self.limits.tolerance_change;
            if is_last
                || done >= self.limits.max_eval
                || largest(&now)? <= self.limits.tolerance_grad
                || largest(&direction)? * length.abs() <= tolerance
                || (loss - before).abs() < tolerance
            {
                break;
            }
        }
        Ok(())
    }

    fn state_tensors(&self) -> u64 {
        // of each pair two, the last direction and gradient
        self.limits.history.saturating_mul(2).saturating_add(2)
    }
}

impl State for Memory {
    fn save_state(&self) -> StateMap {
        let mut state = StateMap::new();
        state.put("steps", &self.steps);
        state.put("evaluations", &self.evaluations);
        state.put("scale", &self.scale);
        if let Some(Last { direction, length, gradient }) = &self.last {
            state.put_map("last", |map| {
                map.put("direction", direction);
                map.put("length", length);
                map.put("gradient", gradient);
            });
        }
        state.put("count", &(self.pairs.len() as u64));
        for (index, Pair { step, change, weight }) in self.pairs.iter().enumerate() {
            state.put_map(format!("pair_{index}"), |map| {
                map.put("step", step);
                map.put("change", change);
                map.put("weight", weight);
            });
        }
        state
    }

    fn load_state(&mut self, mut state: StateMap) -> Result<(), StateError> {
        let mut loaded = Memory::new(self.limits);
        (loaded.steps, loaded.evaluations) = (state.take("steps")?, state.take("evaluations")?);
        loaded.scale = state.take("scale")?;
        if state.0.contains_key("last") {
            let mut last = state.take_map("last")?;
            let (direction, gradient) = (last.take("direction")?, last.take("gradient")?);
            loaded.last = Some(Last { direction, length: last.take("length")?, gradient });
        }
        for index in 0..state.take::<u64>("count")? {
            let mut pair = state.take_map(&format!("pair_{index}"))?;
            let (step, change) = (pair.take("step")?, pair.take("change")?);
            loaded.pairs.push_back(Pair { step, change, weight: pair.take("weight")? });
        }
        *self = loaded;
        Ok(())
    }
}

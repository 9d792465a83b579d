//! The recipe of L-BFGS.

use crate::optim::algorithm::Algorithm;
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::groups::GroupRules;
use crate::optim::lbfgs::limits::{Limits, LineSearch};
use crate::optim::lbfgs::memory::Memory;
use crate::optim::minimizer::{Minimizer, NeedsLoss};
use crate::optim::optimizer::Optimizer;
use crate::optim::settings::Settings;
use engine_macros::component;

/// L-BFGS: steps along directions that earlier gradients have shaped (Liu and Nocedal, 1989), as `torch.optim.LBFGS`. An
/// update computes the loss of its batches again and again, so it is for batches that are the whole dataset, or for a
/// problem without noise.
///
/// Each computation of an update draws the same random numbers: its dropout masks are those of the first.
#[component(optimizer)]
#[derive(PartialEq)]
pub struct Lbfgs {
    /// Learning rate: the length of a step in multiples of the direction, or the first that a line search tries.
    #[config(example = 1.0, range = 0.0..)]
    pub lr: f64,
    /// The steps of one update at most, at least 1.
    #[config(default = 20, range = 1..)]
    pub max_iter: u64,
    /// The computations of the loss in one update at most, at least 1; without it, 5/4 of `max_iter`. The last line search may
    /// go one further.
    #[config(default, range = 1..)]
    pub max_eval: Option<u64>,
    /// An update ends when no element of the gradient is larger.
    #[config(default = 1e-7, range = 0.0..)]
    pub tolerance_grad: f64,
    /// An update ends when neither the loss nor an element of the parameters changes by more.
    #[config(default = 1e-9, range = 0.0..)]
    pub tolerance_change: f64,
    /// How many steps shape the direction, at least 1. Each takes twice the memory of the parameters.
    #[config(default = 100, range = 1..)]
    pub history: u64,
    /// How far a step goes: `StrongWolfe`, or without it by the learning rate.
    #[config(default)]
    pub line_search: Option<LineSearch>,
}

impl Lbfgs {
    /// L-BFGS with everything but the learning rate as PyTorch has it: without a line search.
    pub fn new(lr: f64) -> Self {
        Lbfgs {
            lr,
            max_iter: 20,
            max_eval: None,
            tolerance_grad: 1e-7,
            tolerance_change: 1e-9,
            history: 100,
            line_search: None,
        }
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Lbfgs {
    fn name(&self) -> &'static str {
        "Lbfgs"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges(
            "Lbfgs",
            &[
                ("lr", self.lr, Allowed::NotNegative),
                ("max_iter", self.max_iter as f64, Allowed::Positive),
                ("max_eval", self.max_eval.map_or(1.0, |most| most as f64), Allowed::Positive),
                ("tolerance_grad", self.tolerance_grad, Allowed::NotNegative),
                ("tolerance_change", self.tolerance_change, Allowed::NotNegative),
                ("history", self.history as f64, Allowed::Positive),
            ],
        )
    }

    fn settings(&self) -> Settings {
        Settings::new([("lr", self.lr)])
    }

    fn groups(&self) -> GroupRules<'_> {
        GroupRules::default()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(NeedsLoss)
    }

    fn minimizer(&self) -> Option<Box<dyn Minimizer>> {
        Some(Box::new(Memory::new(Limits {
            max_iter: self.max_iter,
            max_eval: self.max_eval.unwrap_or(self.max_iter.saturating_mul(5) / 4),
            tolerance_grad: self.tolerance_grad,
            tolerance_change: self.tolerance_change,
            history: self.history,
            line_search: self.line_search,
        })))
    }
}

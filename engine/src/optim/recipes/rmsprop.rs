//! Steps scaled by a running mean of the squared gradient.

use crate::native::{Begun, NativeError};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::foreach::{Foreach, Rule, average_squares, decay_by_gradient};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// RMSprop: steps scaled by a running mean of the squared gradient (Tieleman and Hinton, 2012), as `torch.optim.RMSprop`.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::RmsProp::new(0.01), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // the mean of squares has a tenth of the gradient in it, and so the step is ten times the rate
    /// assert!((f64::try_from(&weight)? - 0.9).abs() < 1e-5);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct RmsProp {
        /// Learning rate, above 0.
        #[config(example = 0.01, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// Decay of the running mean of the squared gradient, at least 0 and below 1.
        #[config(default = 0.99, range = 0.0..1.0)]
        pub alpha: f64,
        /// Added to the denominator, so that a gradient of zero does not divide by zero.
        #[config(default = 1e-8, range = 0.0..)]
        pub eps: f64,
        /// How much of the parameter is added to its gradient.
        #[config(default = 0.0, range = 0.0..)]
        pub weight_decay: f64,
        /// How much of the last direction is kept, at least 0 and below 1. With 0 there is none, and no setting of that name.
        #[config(default = 0.0, range = 0.0..1.0)]
        pub momentum: f64,
        /// Divide by the standard deviation of the gradient: its running mean is subtracted from that of the squares.
        #[config(default = false)]
        pub centered: bool,
    }
    /// RMSprop with everything but the learning rate as PyTorch has it.
    new { alpha: 0.99, eps: 1e-8, weight_decay: 0.0, momentum: 0.0, centered: false }
}

#[diagnostic::do_not_recommend]
impl Optimizer for RmsProp {
    fn name(&self) -> &'static str {
        "RmsProp"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges(
            "RmsProp",
            &[
                ("lr", self.lr, Allowed::Positive),
                ("alpha", self.alpha, Allowed::BelowOne),
                ("eps", self.eps, Allowed::NotNegative),
                ("weight_decay", self.weight_decay, Allowed::NotNegative),
                ("momentum", self.momentum, Allowed::BelowOne),
            ],
        )
    }

    fn settings(&self) -> Settings {
        let all = [("lr", self.lr), ("weight_decay", self.weight_decay), ("alpha", self.alpha), ("eps", self.eps)];
        // without momentum there is no state for it
        let momentum = (self.momentum != 0.0).then_some(("momentum", self.momentum));
        Settings::new(all.into_iter().chain(momentum))
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(RmsPropRule { maximize: self.maximize, centered: self.centered, momentum: self.momentum }))
    }
}

#[derive(Debug)]
struct RmsPropRule {
    maximize: bool,
    centered: bool,
    momentum: f64,
}

const SQUARE_AVG: Slot = Slot { name: "square_avg", shape: SlotShape::LikeParameter };
const GRAD_AVG: Slot = Slot { name: "grad_avg", shape: SlotShape::LikeParameter };
const MOMENTUM_BUFFER: Slot = Slot { name: "momentum_buffer", shape: SlotShape::LikeParameter };

impl Rule for RmsPropRule {
    fn slots(&self) -> &'static [Slot] {
        match (self.centered, self.momentum != 0.0) {
            (false, false) => &[SQUARE_AVG],
            (true, false) => &[SQUARE_AVG, GRAD_AVG],
            (false, true) => &[SQUARE_AVG, MOMENTUM_BUFFER],
            (true, true) => &[SQUARE_AVG, GRAD_AVG, MOMENTUM_BUFFER],
        }
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let (lr, alpha, eps) = (inputs.setting("lr")?, inputs.setting("alpha")?, inputs.setting("eps")?);
        decay_by_gradient(begun, inputs.setting("weight_decay")?)?;
        let Begun { parameters, gradients, state } = begun;
        let [squares, rest @ ..] = &mut state[..] else { return Err(wrong_state()) };
        average_squares(squares, gradients, alpha)?;
        let (means, buffers) = match (self.centered, rest) {
            (true, [means, rest @ ..]) => (Some(means), rest.first_mut()),
            (_, rest) => (None, rest.first_mut()),
        };
        let mut divisor = match means {
            Some(means) => {
                means.lerp_(gradients, 1.0 - alpha)?;
                let mut variance = squares.copied()?;
                variance.addcmul_(means, means, -1.0)?;
                variance.sqrt()?
            }
            None => squares.sqrt()?,
        };
        divisor.add_scalar_(eps)?;
        match buffers {
            Some(buffers) => {
                buffers.mul_scalar_(inputs.setting("momentum")?)?;
                buffers.addcdiv_(gradients, &divisor, 1.0)?;
                parameters.add_(buffers, -lr)
            }
            None => parameters.addcdiv_(gradients, &divisor, -lr),
        }
    }
}

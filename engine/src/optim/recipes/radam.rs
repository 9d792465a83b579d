//! Adam with a warm-up of its own.

use crate::native::{Begun, NativeError};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::OptimError;
use crate::optim::foreach::{Foreach, Rule, decay_by_gradient, decay_by_itself};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::adam::{adam_settings, check_adam};
use crate::optim::recipes::of_each::{left_out, of_each, power, take_in};
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;
use tch::Tensor;

recipe! {
    /// RAdam: [`Adam`](crate::optim::Adam) that scales its steps only as far as the mean of squares is known (Liu et al., 2020),
    /// as `torch.optim.RAdam`. The first updates are those of gradient descent with momentum.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::RAdam::new(1e-4), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // the first step is the learning rate times the gradient, as in gradient descent
    /// assert!((f64::try_from(&weight)? - 0.9).abs() < 1e-5);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct RAdam {
        /// Learning rate, above 0.
        #[config(example = 1e-3, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// Decays of the running means of the gradient and of its square, each at least 0 and below 1.
        #[config(default = (0.9, 0.999), range = 0.0..1.0)]
        pub betas: (f64, f64),
        /// Added to the denominator, so that a gradient of zero does not divide by zero.
        #[config(default = 1e-8, range = 0.0..)]
        pub eps: f64,
        /// How much of the parameter is added to its gradient; with `decoupled`, how much the parameter shrinks.
        #[config(default = 0.0, range = 0.0..)]
        pub weight_decay: f64,
        /// The weight decay shrinks the parameters themselves, as that of [`AdamW`](crate::optim::AdamW).
        #[config(default = false)]
        pub decoupled: bool,
    }
    /// RAdam with everything but the learning rate as PyTorch has it.
    new { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, decoupled: false }
}

#[diagnostic::do_not_recommend]
impl Optimizer for RAdam {
    fn name(&self) -> &'static str {
        "RAdam"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_adam("RAdam", self.lr, self.betas, self.eps, self.weight_decay)
    }

    fn settings(&self) -> Settings {
        adam_settings(self.lr, self.betas, self.eps, self.weight_decay)
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(RAdamRule { maximize: self.maximize, decoupled: self.decoupled }))
    }
}

#[derive(Debug)]
struct RAdamRule {
    maximize: bool,
    decoupled: bool,
}

const SLOTS: [Slot; 3] = [
    Slot { name: "exp_avg", shape: SlotShape::LikeParameter },
    Slot { name: "exp_avg_sq", shape: SlotShape::LikeParameter },
    Slot { name: "step", shape: SlotShape::Count },
];

impl Rule for RAdamRule {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let (lr, beta1, beta2) = (inputs.setting("lr")?, inputs.setting("beta1")?, inputs.setting("beta2")?);
        match self.decoupled {
            true => decay_by_itself(begun, lr, inputs.setting("weight_decay")?)?,
            false => decay_by_gradient(begun, inputs.setting("weight_decay")?)?,
        }
        let Begun { parameters, gradients, state } = begun;
        let [means, squares, steps] = &mut state[..] else { return Err(wrong_state()) };
        take_in(means, squares, gradients, inputs)?;
        let counts = steps.numbers()?;
        // how many gradients the mean of squares stands for, at most `most`; with few of them its root is not used
        let most = 2.0 / (1.0 - beta2) - 1.0;
        let length = of_each(&counts, |count| {
            let spent = power(beta2, count)?.f_mul(count)?.f_div(&left_out(beta2, count)?)?;
            spent.f_mul_scalar(-2.0)?.f_add_scalar(most)
        })?;
        let enough = of_each(&length, |length| length.f_gt(5.0))?;
        let none = of_each(&length, Tensor::f_zeros_like)?;
        let rate = of_each(&counts, |count| left_out(beta1, count)?.f_reciprocal()?.f_mul_scalar(-lr))?;
        let scaled = of_each(&length, |length| {
            let above = length.f_add_scalar(-4.0)?.f_mul(&length.f_add_scalar(-2.0)?)?.f_mul_scalar(most)?;
            let below = length.f_mul_scalar((most - 4.0) * (most - 2.0))?;
            let root = above.f_div(&below)?.f_sqrt()?.f_mul(&left_out(beta2, &counts)?.f_sqrt()?)?;
            // where it is not used, it may be that of a negative number
            root.f_mul(&rate)?.f_where_self(&enough, &none)
        })?;
        let plain = of_each(&none, |none| none.f_where_self(&enough, &rate))?;
        let mut divisor = squares.sqrt()?;
        divisor.add_scalar_(inputs.setting("eps")?)?;
        let mut factor = divisor.reciprocal()?;
        factor.mul_by_(&scaled)?;
        factor.add_by_(&plain)?;
        parameters.addcmul_(means, &factor, 1.0)
    }
}

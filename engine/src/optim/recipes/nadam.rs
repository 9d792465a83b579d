//! Adam with Nesterov momentum.

use crate::native::{Begun, NativeError, NewState};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::foreach::{Foreach, Rule, decay_by_gradient, decay_by_itself};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::adam::check_adam;
use crate::optim::recipes::of_each::{adam_divisor, of_each, power, take_in};
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// NAdam: [`Adam`](crate::optim::Adam) with Nesterov momentum (Dozat, 2016), as `torch.optim.NAdam`.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::NAdam::new(0.1), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // the momentum looks one step ahead
    /// assert!(f64::try_from(&weight)? < 0.95 && f64::try_from(&weight)? > 0.85);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct NAdam {
        /// Learning rate, above 0.
        #[config(example = 2e-3, range = f64::MIN_POSITIVE..)]
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
        /// How fast the momentum comes to `betas.0`.
        #[config(default = 4e-3, range = 0.0..)]
        pub momentum_decay: f64,
        /// The weight decay shrinks the parameters themselves, as that of [`AdamW`](crate::optim::AdamW).
        #[config(default = false)]
        pub decoupled: bool,
    }
    /// NAdam with everything but the learning rate as PyTorch has it.
    new { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, momentum_decay: 4e-3, decoupled: false }
}

#[diagnostic::do_not_recommend]
impl Optimizer for NAdam {
    fn name(&self) -> &'static str {
        "NAdam"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_adam("NAdam", self.lr, self.betas, self.eps, self.weight_decay)?;
        check_ranges("NAdam", &[("momentum_decay", self.momentum_decay, Allowed::NotNegative)])
    }

    fn settings(&self) -> Settings {
        Settings::new([
            ("lr", self.lr),
            ("weight_decay", self.weight_decay),
            ("beta1", self.betas.0),
            ("beta2", self.betas.1),
            ("eps", self.eps),
            ("momentum_decay", self.momentum_decay),
        ])
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(NAdamRule { maximize: self.maximize, decoupled: self.decoupled }))
    }
}

#[derive(Debug)]
struct NAdamRule {
    maximize: bool,
    decoupled: bool,
}

const SLOTS: [Slot; 4] = [
    Slot { name: "exp_avg", shape: SlotShape::LikeParameter },
    Slot { name: "exp_avg_sq", shape: SlotShape::LikeParameter },
    Slot { name: "step", shape: SlotShape::Count },
    Slot { name: "mu_product", shape: SlotShape::Number },
];

impl Rule for NAdamRule {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn new_state(&self, slot: &Slot, _: &StepInputs<'_>) -> Result<NewState, NativeError> {
        let initial = if slot.shape == SlotShape::Number { 1.0 } else { 0.0 };
        Ok(NewState { shape: slot.shape.into(), initial })
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let (lr, beta1) = (inputs.setting("lr")?, inputs.setting("beta1")?);
        let (weight_decay, momentum_decay) = (inputs.setting("weight_decay")?, inputs.setting("momentum_decay")?);
        match self.decoupled {
            true => decay_by_itself(begun, lr, weight_decay)?,
            false => decay_by_gradient(begun, weight_decay)?,
        }
        let Begun { parameters, gradients, state } = begun;
        let [means, squares, steps, products] = &mut state[..] else { return Err(wrong_state()) };
        take_in(means, squares, gradients, inputs)?;
        let counts = steps.numbers()?;
        // the momentum of update n, which grows to beta1
        let momentum = |ahead: f64| {
            of_each(&counts, |count| {
                let exponent = count.f_add_scalar(ahead)?.f_mul_scalar(momentum_decay)?;
                power(0.96, &exponent)?.f_mul_scalar(-0.5 * beta1)?.f_add_scalar(beta1)
            })
        };
        let (now, next) = (momentum(0.0)?, momentum(1.0)?);
        let product = of_each(&products.numbers()?, |product| product.f_mul(&now))?;
        products.set_numbers(&product)?;
        let divisor = adam_divisor(squares, &counts, inputs)?;
        let by_gradient = of_each(&product, |product| {
            let rest = product.f_neg()?.f_add_scalar(1.0)?;
            now.f_neg()?.f_add_scalar(1.0)?.f_div(&rest)?.f_mul_scalar(-lr)
        })?;
        let by_mean = of_each(&product, |product| {
            let rest = product.f_mul(&next)?.f_neg()?.f_add_scalar(1.0)?;
            next.f_div(&rest)?.f_mul_scalar(-lr)
        })?;
        parameters.addcdiv_by_(gradients, &divisor, &by_gradient)?;
        parameters.addcdiv_by_(means, &divisor, &by_mean)
    }
}

//! Step sizes of their own for every element.

use crate::native::{Begun, NativeError, NewState, foreach_copy_};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::foreach::{Foreach, Rule};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// Rprop: every element has a step size of its own, which grows while its gradient keeps its sign (Riedmiller and Braun,
    /// 1993), as `torch.optim.Rprop`. It is for gradients of the whole dataset. The learning rate is the first step size and has
    /// no other effect.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::Rprop::new(0.1), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // a step has the size of the learning rate, whatever the gradient
    /// assert!((f64::try_from(&weight)? - 0.9).abs() < 1e-6);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct Rprop {
        /// Learning rate, above 0.
        #[config(example = 0.01, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// What a step size is multiplied by when the sign changes, above 0 and below 1, and when it does not, above 1.
        #[config(default = (0.5, 1.2), range = 0.0..)]
        pub etas: (f64, f64),
        /// The smallest and the largest step size.
        #[config(default = (1e-6, 50.0), range = 0.0..)]
        pub step_sizes: (f64, f64),
    }
    /// Rprop with everything but the learning rate as PyTorch has it.
    new { etas: (0.5, 1.2), step_sizes: (1e-6, 50.0) }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Rprop {
    fn name(&self) -> &'static str {
        "Rprop"
    }

    fn check(&self) -> Result<(), OptimError> {
        let (shrink, grow) = self.etas;
        let contradiction = |why: String| Err(OptimError::Contradiction { owner: "Rprop".into(), why });
        check_ranges(
            "Rprop",
            &[
                ("lr", self.lr, Allowed::Positive),
                ("step_sizes.0", self.step_sizes.0, Allowed::NotNegative),
                ("step_sizes.1", self.step_sizes.1, Allowed::NotNegative),
            ],
        )?;
        if !(shrink > 0.0 && shrink < 1.0 && grow > 1.0 && grow.is_finite()) {
            return contradiction(format!("`etas` must be above 0 and below 1, and above 1, got ({shrink}, {grow})"));
        }
        let (least, most) = self.step_sizes;
        if least > most {
            return contradiction(format!("the smallest of `step_sizes`, {least}, is above the largest, {most}"));
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new([
            ("lr", self.lr),
            ("eta_minus", self.etas.0),
            ("eta_plus", self.etas.1),
            ("step_size_min", self.step_sizes.0),
            ("step_size_max", self.step_sizes.1),
        ])
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(RpropRule { maximize: self.maximize }))
    }
}

#[derive(Debug)]
struct RpropRule {
    maximize: bool,
}

const SLOTS: [Slot; 2] = [
    Slot { name: "prev", shape: SlotShape::LikeParameter },
    Slot { name: "step_size", shape: SlotShape::LikeParameter },
];

impl Rule for RpropRule {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn new_state(&self, slot: &Slot, inputs: &StepInputs<'_>) -> Result<NewState, NativeError> {
        let initial = if slot.name == "step_size" { inputs.setting("lr")? } else { 0.0 };
        Ok(NewState { shape: slot.shape.into(), initial })
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let (shrink, grow) = (inputs.setting("eta_minus")?, inputs.setting("eta_plus")?);
        let Begun { parameters, gradients, state } = begun;
        let [previous, sizes] = &mut state[..] else { return Err(wrong_state()) };
        // 1 where the sign is that of the last update, -1 where it changed, 0 where either is 0
        let mut product = previous.copied()?;
        product.mul_(gradients)?;
        let (mut same, mut changed) = (product.sign()?, product.sign()?);
        same.clamp_min_(0.0)?;
        changed.clamp_max_(0.0)?;
        let mut factor = same;
        factor.mul_scalar_(grow - 1.0)?;
        factor.add_(&changed, 1.0 - shrink)?;
        factor.add_scalar_(1.0)?;
        sizes.mul_(&factor)?;
        sizes.clamp_min_(inputs.setting("step_size_min")?)?;
        sizes.clamp_max_(inputs.setting("step_size_max")?)?;
        // where the sign changed, the element does not move, and the next update knows no sign
        changed.add_scalar_(1.0)?;
        foreach_copy_(previous, gradients)?;
        previous.mul_(&changed)?;
        parameters.addcmul_(&previous.sign()?, sizes, -1.0)
    }
}

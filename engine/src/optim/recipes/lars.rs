//! Gradient descent whose step is scaled layer by layer.

use crate::native::{Begun, NativeError};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::foreach::{Foreach, Rule, decay_by_gradient};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::of_each::{of_each, trust};
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// LARS: [`Sgd`](crate::optim::Sgd) with momentum, whose gradient is scaled for each parameter by
    /// `trust * |parameter| / (|gradient| + weight_decay * |parameter|)` (You et al., 2017). A parameter without weight decay is
    /// not scaled, unless `always_adapt`. As in PyTorch's `SGD` and unlike in the paper, the learning rate multiplies the
    /// momentum buffer and is not in it; the two are the same while it does not change.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::Lars { always_adapt: true, momentum: 0.0, trust: 1.0, ..engine::optim::Lars::new(0.1) }, vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // the step is the learning rate times the norm of the parameter, 1
    /// assert!((f64::try_from(&weight)? - 0.9).abs() < 1e-5);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct Lars {
        /// Learning rate, above 0.
        #[config(example = 0.1, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// How much of the last direction is kept, at least 0 and below 1; 0 is none.
        #[config(default = 0.9, range = 0.0..1.0)]
        pub momentum: f64,
        /// How much of the parameter is added to its gradient.
        #[config(default = 0.0, range = 0.0..)]
        pub weight_decay: f64,
        /// How long a step is, relative to its parameter and the learning rate, above 0.
        #[config(default = 1e-3, range = f64::MIN_POSITIVE..)]
        pub trust: f64,
        /// Added to the denominator of the scale.
        #[config(default = 1e-8, range = 0.0..)]
        pub eps: f64,
        /// Look ahead along the momentum (Nesterov).
        #[config(default = false)]
        pub nesterov: bool,
        /// Adapt the steps of parameters without weight decay too.
        #[config(default = false)]
        pub always_adapt: bool,
    }
    /// LARS with everything but the learning rate as in the paper, and no weight decay.
    new { momentum: 0.9, weight_decay: 0.0, trust: 1e-3, eps: 1e-8, nesterov: false, always_adapt: false }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Lars {
    fn name(&self) -> &'static str {
        "Lars"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges(
            "Lars",
            &[
                ("lr", self.lr, Allowed::Positive),
                ("momentum", self.momentum, Allowed::BelowOne),
                ("weight_decay", self.weight_decay, Allowed::NotNegative),
                ("trust", self.trust, Allowed::Positive),
                ("eps", self.eps, Allowed::NotNegative),
            ],
        )
    }

    fn settings(&self) -> Settings {
        Settings::new([
            ("lr", self.lr),
            ("weight_decay", self.weight_decay),
            ("momentum", self.momentum),
            ("trust", self.trust),
            ("eps", self.eps),
        ])
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(LarsRule {
            maximize: self.maximize,
            nesterov: self.nesterov,
            always_adapt: self.always_adapt,
        }))
    }
}

#[derive(Debug)]
struct LarsRule {
    maximize: bool,
    nesterov: bool,
    always_adapt: bool,
}

const SLOTS: [Slot; 1] = [Slot { name: "momentum_buffer", shape: SlotShape::LikeParameter }];

impl Rule for LarsRule {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let (momentum, weight_decay) = (inputs.setting("momentum")?, inputs.setting("weight_decay")?);
        let (trust_of_all, eps) = (inputs.setting("trust")?, inputs.setting("eps")?);
        let scale = match weight_decay != 0.0 || self.always_adapt {
            true => {
                let lengths = begun.parameters.norms()?;
                let decayed = of_each(&lengths, |lengths| lengths.f_mul_scalar(weight_decay))?;
                let total = of_each(&begun.gradients.norms()?, |norms| norms.f_add(&decayed)?.f_add_scalar(eps))?;
                Some(of_each(&trust(&lengths, &total)?, |ratio| ratio.f_mul_scalar(trust_of_all))?)
            }
            false => None,
        };
        decay_by_gradient(begun, weight_decay)?;
        let Begun { parameters, gradients, state } = begun;
        let [buffers] = &mut state[..] else { return Err(wrong_state()) };
        let mut scaled = gradients.copied()?;
        if let Some(scale) = scale {
            scaled.mul_by_(&scale)?;
        }
        buffers.mul_scalar_(momentum)?;
        buffers.add_(&scaled, 1.0)?;
        if self.nesterov {
            scaled.add_(buffers, momentum)?;
        }
        parameters.add_(if self.nesterov { &scaled } else { buffers }, -inputs.setting("lr")?)
    }
}

//! Matrices by orthogonal steps, everything else by AdamW.

use crate::native::{Begun, NativeError, NewState, StateShape, TensorList};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::foreach::{Foreach, Rule, decay_by_itself};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::of_each::{adam_steps, own_numbers};
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// Muon: a matrix moves along its momentum, made nearly orthogonal by Newton-Schulz iterations in 16 bits (Jordan et al.,
    /// 2024), as `torch.optim.Muon`. Parameters that are no matrices are updated as by [`AdamW`](crate::optim::AdamW), with the
    /// learning rate of their group.
    ///
    /// Embeddings and the last layer are matrices that AdamW trains better. A group rule hands them over:
    ///
    /// ```
    /// use engine::optim::{GroupRule, Muon, Optim};
    /// use engine::prelude::*;
    ///
    /// let recipe: Muon = engine::config::parse_text("example", r#"(
    ///     lr: 0.02,
    ///     groups: [(pattern: "embed.*", lr: 3e-4, set: {"adamw": 1.0})],
    /// )"#)?.read()?;
    /// let parameter = |name: &str| (name.to_owned(), Tensor::ones([4, 4], (Kind::Float, Device::Cpu)).set_requires_grad(true));
    /// let optim = Optim::new("opt", &recipe, vec![parameter("embed.weight"), parameter("block.weight")])?;
    /// assert_eq!(optim.groups()[0].settings().get("adamw"), Some(1.0));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct Muon {
        /// Learning rate, above 0.
        #[config(example = 0.02, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// How much of the last direction is kept, at least 0 and below 1.
        #[config(default = 0.95, range = 0.0..1.0)]
        pub momentum: f64,
        /// Look ahead along the momentum (Nesterov).
        #[config(default = true)]
        pub nesterov: bool,
        /// How much a parameter shrinks in an update, relative to the learning rate.
        #[config(default = 0.1, range = 0.0..)]
        pub weight_decay: f64,
        /// How the learning rate depends on the shape of a matrix.
        #[config(default = MuonRate::Original)]
        pub adjust: MuonRate,
        /// The coefficients of the Newton-Schulz iteration.
        #[config(default = (3.4445, -4.7750, 2.0315))]
        pub coefficients: (f64, f64, f64),
        /// The iterations, 1 to 99.
        #[config(default = 5, range = 1..100)]
        pub iterations: u64,
        /// The smallest norm that a direction is divided by.
        #[config(default = 1e-7, range = 0.0..)]
        pub eps: f64,
        /// The decays of AdamW, for parameters that are no matrices.
        #[config(default = (0.9, 0.999), range = 0.0..1.0)]
        pub adam_betas: (f64, f64),
        /// Added to the denominator of AdamW.
        #[config(default = 1e-8, range = 0.0..)]
        pub adam_eps: f64,
    }
    /// Muon with everything but the learning rate as PyTorch has it.
    new {
        momentum: 0.95,
        nesterov: true,
        weight_decay: 0.1,
        adjust: MuonRate::Original,
        coefficients: (3.4445, -4.7750, 2.0315),
        iterations: 5,
        eps: 1e-7,
        adam_betas: (0.9, 0.999),
        adam_eps: 1e-8,
    }
}

/// How the learning rate of [`Muon`] depends on the shape `[n, m]` of a matrix.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum MuonRate {
    /// Times `sqrt(max(1, n / m))` (Jordan et al., 2024).
    Original,
    /// Times `0.2 * sqrt(max(n, m))`: the size of AdamW's steps, so that its learning rates can be used (Liu et al., 2025).
    MatchAdamW,
}

#[diagnostic::do_not_recommend]
impl Optimizer for Muon {
    fn name(&self) -> &'static str {
        "Muon"
    }

    fn check(&self) -> Result<(), OptimError> {
        let (a, b, c) = self.coefficients;
        check_ranges(
            "Muon",
            &[
                ("lr", self.lr, Allowed::Positive),
                ("momentum", self.momentum, Allowed::BelowOne),
                ("weight_decay", self.weight_decay, Allowed::NotNegative),
                ("coefficients.0", a.abs(), Allowed::NotNegative),
                ("coefficients.1", b.abs(), Allowed::NotNegative),
                ("coefficients.2", c.abs(), Allowed::NotNegative),
                ("iterations", self.iterations as f64, Allowed::Positive),
                ("eps", self.eps, Allowed::NotNegative),
                ("adam_betas.0", self.adam_betas.0, Allowed::BelowOne),
                ("adam_betas.1", self.adam_betas.1, Allowed::BelowOne),
                ("adam_eps", self.adam_eps, Allowed::NotNegative),
            ],
        )
    }

    fn settings(&self) -> Settings {
        Settings::new([
            ("lr", self.lr),
            ("weight_decay", self.weight_decay),
            ("momentum", self.momentum),
            ("beta1", self.adam_betas.0),
            ("beta2", self.adam_betas.1),
            ("eps", self.adam_eps),
            // 1 where matrices are updated by AdamW too
            (ADAMW, 0.0),
        ])
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(MuonRule {
            maximize: self.maximize,
            nesterov: self.nesterov,
            adjust: self.adjust,
            coefficients: self.coefficients,
            iterations: self.iterations,
            eps: self.eps,
        }))
    }
}

#[derive(Debug)]
struct MuonRule {
    maximize: bool,
    nesterov: bool,
    adjust: MuonRate,
    coefficients: (f64, f64, f64),
    iterations: u64,
    eps: f64,
}

const ADAMW: &str = "adamw";

const SLOTS: [Slot; 3] = [
    // the momentum, of AdamW too
    Slot { name: "momentum_buffer", shape: SlotShape::LikeParameter },
    Slot { name: "exp_avg_sq", shape: SlotShape::WhereUsed },
    Slot { name: "step", shape: SlotShape::Count },
];

impl Rule for MuonRule {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn new_state(&self, slot: &Slot, inputs: &StepInputs<'_>) -> Result<NewState, NativeError> {
        let shape = match slot.shape {
            SlotShape::WhereUsed if inputs.setting(ADAMW)? != 0.0 => StateShape::LikeParameter,
            SlotShape::WhereUsed => StateShape::NoMatrix,
            shape => shape.into(),
        };
        Ok(NewState { shape, initial: 0.0 })
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let lr = inputs.setting("lr")?;
        decay_by_itself(begun, lr, inputs.setting("weight_decay")?)?;
        let Begun { parameters, gradients, state } = begun;
        let [momentum, squares, counts] = &mut state[..] else { return Err(wrong_state()) };
        // those that have no mean of squares are Muon's
        let mut of_muon = Vec::new();
        let mut of_adamw = Vec::new();
        for index in 0..parameters.len() {
            if squares.get(index)?.is_some() { of_adamw.push(index) } else { of_muon.push(index) }
        }
        if !of_muon.is_empty() {
            let (mut parameters, gradients) = (parameters.some(&of_muon)?, gradients.some(&of_muon)?);
            let mut direction = momentum.some(&of_muon)?;
            let kept = inputs.setting("momentum")?;
            direction.lerp_(&gradients, 1.0 - kept)?;
            if self.nesterov {
                let mut ahead = gradients.copied()?;
                ahead.lerp_(&direction, kept)?;
                direction = ahead;
            }
            let (coefficients, iterations) = (self.coefficients, self.iterations);
            let mut step = direction.orthogonal(coefficients, iterations, self.eps)?;
            step.mul_by_(&self.rates(&parameters, lr)?)?;
            parameters.add_(&step, -1.0)?;
        }
        if !of_adamw.is_empty() {
            let mut parameters = parameters.some(&of_adamw)?;
            let gradients = gradients.some(&of_adamw)?;
            let (mut means, mut squares) = (momentum.some(&of_adamw)?, squares.some(&of_adamw)?);
            let counts = counts.some(&of_adamw)?.numbers()?;
            let step = adam_steps(&mut means, &mut squares, &gradients, &counts, inputs)?;
            parameters.add_(&step, -lr)?;
        }
        Ok(())
    }
}

impl MuonRule {
    /// The learning rate of each matrix.
    fn rates(&self, matrices: &TensorList, lr: f64) -> Result<tch::Tensor, NativeError> {
        own_numbers(matrices, |matrix| {
            let (rows, columns) = match matrix.size()[..] {
                [rows, columns] => (rows as f64, columns as f64),
                _ => (1.0, 1.0),
            };
            match self.adjust {
                MuonRate::Original => lr * (rows / columns).max(1.0).sqrt(),
                MuonRate::MatchAdamW => lr * 0.2 * rows.max(columns).sqrt(),
            }
        })
    }
}

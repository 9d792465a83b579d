//! Steps scaled by row and column means of the squared gradient.

use crate::native::{Begun, NativeError, TensorList};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs, wrong_state};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::foreach::{Foreach, Rule, decay_by_itself};
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::of_each::{of_each, own_numbers};
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;
use tch::{Kind, TchError, Tensor};

recipe! {
    /// Adafactor: steps scaled by the squared gradient, of which a matrix `[n, m]` keeps only `n + m` means (Shazeer and
    /// Stern, 2018), as `torch.optim.Adafactor`. The length of a step is relative to that of its parameter; the learning rate
    /// is the largest relative length, and that of update n is at most `1 / sqrt(n)`.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let weight = Tensor::from(1.0f32).set_requires_grad(true);
    /// let mut optim = Optim::new("opt", &engine::optim::Adafactor::new(0.1), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// (&weight * 1000.0).backward();
    /// optim.step()?;
    /// // the step is the learning rate times the size of the parameter, 1
    /// assert!((f64::try_from(&weight)? - 0.9).abs() < 1e-5);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct Adafactor {
        /// The largest relative length of a step, above 0.
        #[config(example = 0.01, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// The running means of update n keep `1 - n^beta2_decay`; at most 0.
        #[config(default = -0.8, range = ..=0.0)]
        pub beta2_decay: f64,
        /// The smallest root of a mean that a step is divided by; without it, the precision of the parameter's kind.
        #[config(default, range = 0.0..)]
        pub eps: Option<f64>,
        /// The smallest length of a parameter that a step is relative to.
        #[config(default = 1e-3, range = 0.0..)]
        pub scale_eps: f64,
        /// Steps whose root mean square is above it are scaled down to it, above 0; PyTorch's `d`.
        #[config(default = 1.0, range = f64::MIN_POSITIVE..)]
        pub clip: f64,
        /// How much a parameter shrinks in an update, relative to the learning rate.
        #[config(default = 0.0, range = 0.0..)]
        pub weight_decay: f64,
    }
    /// Adafactor with everything but the learning rate as PyTorch has it; its learning rate is 0.01.
    new { beta2_decay: -0.8, eps: None, scale_eps: 1e-3, clip: 1.0, weight_decay: 0.0 }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Adafactor {
    fn name(&self) -> &'static str {
        "Adafactor"
    }

    fn check(&self) -> Result<(), OptimError> {
        if self.beta2_decay > 0.0 {
            let (owner, field) = ("Adafactor".into(), "beta2_decay".into());
            return Err(OptimError::Range { owner, field, allowed: "at most 0", value: self.beta2_decay });
        }
        check_ranges(
            "Adafactor",
            &[
                ("lr", self.lr, Allowed::Positive),
                ("beta2_decay", -self.beta2_decay, Allowed::NotNegative),
                ("eps", self.eps.unwrap_or(0.0), Allowed::NotNegative),
                ("scale_eps", self.scale_eps, Allowed::NotNegative),
                ("clip", self.clip, Allowed::Positive),
                ("weight_decay", self.weight_decay, Allowed::NotNegative),
            ],
        )
    }

    fn settings(&self) -> Settings {
        Settings::new([
            ("lr", self.lr),
            ("weight_decay", self.weight_decay),
            ("beta2_decay", self.beta2_decay),
            ("scale_eps", self.scale_eps),
            ("clip", self.clip),
        ])
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(Foreach(AdafactorRule { maximize: self.maximize, eps: self.eps }))
    }
}

#[derive(Debug)]
struct AdafactorRule {
    maximize: bool,
    eps: Option<f64>,
}

const SLOTS: [Slot; 4] = [
    Slot { name: "row_var", shape: SlotShape::Rows },
    Slot { name: "col_var", shape: SlotShape::Columns },
    Slot { name: "variance", shape: SlotShape::Vector },
    Slot { name: "step", shape: SlotShape::Count },
];

impl Rule for AdafactorRule {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        let (lr, beta2_decay) = (inputs.setting("lr")?, inputs.setting("beta2_decay")?);
        let (scale_eps, clip) = (inputs.setting("scale_eps")?, inputs.setting("clip")?);
        let sizes = own_numbers(&begun.parameters, |parameter| (parameter.numel() as f64).sqrt())?;
        // before the weight decay
        let lengths = begun.parameters.norms()?;
        decay_by_itself(begun, lr, inputs.setting("weight_decay")?)?;
        let Begun { parameters, gradients, state } = begun;
        let [rows, columns, vectors, counts] = &mut state[..] else { return Err(wrong_state()) };
        let counts = counts.numbers()?;
        let taken = of_each(&counts, |counts| counts.f_pow_tensor_scalar(beta2_decay))?;
        let mut steps = Vec::with_capacity(gradients.len());
        for index in 0..gradients.len() {
            let Some(gradient) = gradients.get(index)? else { return Err(wrong_state()) };
            let taken = of_each(&taken, |taken| taken.f_get(index as i64)?.f_to_kind(gradient.kind()))?;
            let squares = match (rows.get(index)?, columns.get(index)?, vectors.get(index)?) {
                (Some(rows), Some(columns), _) => Squares::Factored { rows, columns },
                (_, _, Some(all)) => Squares::All(all),
                _ => return Err(wrong_state()),
            };
            let eps = self.eps.unwrap_or_else(|| precision(gradient.kind()));
            steps.push(of_each(&gradient, |gradient| squares.step(gradient, &taken, eps))?);
        }
        let mut steps = TensorList::new(&steps)?;
        let factor = of_each(&steps.norms()?, |norms| {
            let too_long = norms.f_div(&sizes)?.f_div_scalar(clip)?.f_clamp_min(1.0)?;
            let relative = counts.f_rsqrt()?.f_clamp_max(lr)?;
            let scale = lengths.f_div(&sizes)?.f_clamp_min(scale_eps)?;
            scale.f_mul(&relative)?.f_div(&too_long)?.f_neg()
        })?;
        steps.mul_by_(&factor)?;
        parameters.add_(&steps, 1.0)
    }
}

/// The running mean of the squared gradient of one parameter.
enum Squares {
    /// Its means over the last dimension and over the one before.
    Factored {
        rows: Tensor,
        columns: Tensor,
    },
    All(Tensor),
}

impl Squares {
    /// Takes the gradient in, and gives the gradient divided by the root of the mean.
    fn step(self, gradient: &Tensor, taken: &Tensor, eps: f64) -> Result<Tensor, TchError> {
        let mean = match self {
            Squares::Factored { mut rows, mut columns } => {
                // the mean of squares, without a tensor of all squares
                let mean_over = |dim: i64| {
                    let length = gradient.size()[(gradient.dim() as i64 + dim) as usize];
                    gradient.f_norm_scalaropt_dim(2.0, dim, true)?.f_square()?.f_div_scalar(length)
                };
                let _ = rows.f_lerp_tensor_(&mean_over(-1)?, taken)?;
                let _ = columns.f_lerp_tensor_(&mean_over(-2)?, taken)?;
                let all = rows.f_mean_dim(-2, true, None::<Kind>)?.f_clamp_min(eps)?;
                rows.f_matmul(&columns)?.f_div(&all)?
            }
            Squares::All(mut all) => {
                let _ = all.f_lerp_tensor_(&gradient.f_square()?, taken)?;
                all.f_mul_scalar(1.0)?
            }
        };
        mean.f_clamp_min(eps * eps)?.f_rsqrt()?.f_mul(gradient)
    }
}

/// The distance of 1 from the next number of a kind.
fn precision(kind: Kind) -> f64 {
    match kind {
        Kind::Half => 2f64.powi(-10),
        Kind::BFloat16 => 2f64.powi(-7),
        Kind::Double => f64::EPSILON,
        _ => f64::from(f32::EPSILON),
    }
}

//! The numbers of the fused updates, laid out as the shim reads them.

/// The numbers of one [`AdamStep`](super::AdamStep).
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct AdamOptions {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the running mean of the gradients.
    pub beta1: f64,
    /// Decay of the running mean of the squared gradients.
    pub beta2: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Decay the parameters themselves (AdamW) instead of adding to the gradients (Adam).
    pub decoupled: bool,
    /// Divide by the largest `exp_avg_sq` so far.
    pub amsgrad: bool,
    /// Go up the gradients instead of down.
    pub maximize: bool,
}

/// The numbers of one [`SgdStep`](super::SgdStep).
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct SgdOptions {
    /// Learning rate.
    pub lr: f64,
    /// Momentum; zero for none.
    pub momentum: f64,
    /// Damping of the gradient that enters the momentum, from the second update on.
    pub dampening: f64,
    /// Weight decay, added to the gradients.
    pub weight_decay: f64,
    /// Nesterov's momentum.
    pub nesterov: bool,
    /// Go up the gradients instead of down.
    pub maximize: bool,
}

/// The numbers of one [`AdagradStep`](super::AdagradStep).
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct AdagradOptions {
    /// Learning rate.
    pub lr: f64,
    /// The learning rate of update n is divided by `1 + (n - 1) * lr_decay`.
    pub lr_decay: f64,
    /// Weight decay, added to the gradients.
    pub weight_decay: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// What the sums of squares start with.
    pub initial_sum: f64,
    /// Go up the gradients instead of down.
    pub maximize: bool,
}

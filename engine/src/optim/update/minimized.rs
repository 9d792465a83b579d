//! Updates of optimizers that compute the loss at several points.

use crate::base::{Error, Result};
use crate::optim::live::Optim;
use crate::optim::minimize::Minimizing;
use crate::optim::update::{Updated, Updates};

/// An update under way, of the only optimizer of its pass.
#[derive(Debug)]
pub(crate) struct MinimizingPass {
    optimizer: usize,
    work: Minimizing,
}

impl MinimizingPass {
    /// The update, from a point where the loss is this.
    pub(crate) fn update(&mut self, loss: f64, evaluate: &mut dyn FnMut() -> Result<f64>) -> Result<()> {
        self.work.update(loss, evaluate)
    }
}

impl Updates {
    /// Whether the updates of a pass compute the loss at several points.
    pub fn minimizes(&self, pass: usize) -> bool {
        self.passes[pass].optimizers.iter().any(|optimizer| self.optimizers[*optimizer].is_minimizer())
    }

    /// The first optimizer whose updates compute the loss at several points.
    pub fn minimizer(&self) -> Option<&str> {
        self.optimizers.iter().find(|optimizer| optimizer.is_minimizer()).map(Optim::name)
    }

    /// Refuses what such an optimizer can't work with; `ranks` are the processes of the training. A file is refused for the
    /// same reasons when it is read.
    ///
    /// # Errors
    /// The first reason.
    pub(crate) fn check_minimizers(&self, ranks: usize) -> Result<()> {
        for pass in (0..self.passes.len()).filter(|pass| self.minimizes(*pass)) {
            let why = match &self.passes[pass] {
                of if of.optimizers.len() > 1 => ALONE,
                of if of.plan.clip.is_some() => NO_CLIP,
                _ if ranks > 1 => ONE_RANK,
                _ if !self.scalers.is_empty() => NO_SCALING,
                _ => continue,
            };
            let name = self.minimizer().unwrap_or_default();
            return Err(Error::msg(format!(
                "the optimizer `{name}` computes the loss several times in an update: {why}"
            )));
        }
        Ok(())
    }

    /// Begins the step of such a pass, once the gradient is final. `None`: the update is left out, as its gradient is not
    /// finite.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub(crate) fn begin_minimizing(&mut self, pass: usize, iter: u64) -> Result<Option<MinimizingPass>> {
        let norm = self.measure_and_clip(pass)?;
        let left_out = self.left_out(norm.as_ref(), pass, iter)?;
        if let Some(left_out) = left_out
            && f64::try_from(left_out.f_reshape([])?)? != 0.0
        {
            return Ok(None);
        }
        let optimizers = self.passes[pass].optimizers.iter().copied();
        for optimizer in optimizers {
            if let Some(work) = self.optimizers[optimizer].begin_minimizing()? {
                return Ok(Some(MinimizingPass { optimizer, work }));
            }
        }
        Ok(None)
    }

    /// Ends it.
    pub(crate) fn end_minimizing(&mut self, MinimizingPass { optimizer, work }: MinimizingPass) {
        self.optimizers[optimizer].end_minimizing(work);
    }

    /// What is known after an update.
    pub(crate) fn minimized(&self, pass: usize) -> Result<Updated> {
        self.updated(pass, None)
    }
}

/// Why a pass has no other optimizer.
pub(crate) const ALONE: &str =
    "it has to be the only optimizer of its pass, as another one would step by a gradient of another point";
/// Why gradients are not clipped.
pub(crate) const NO_CLIP: &str = "its gradients have to be those of the loss, so they can't be clipped; remove `clip`";
/// Why there is one rank.
pub(crate) const ONE_RANK: &str = "it works with one rank only";
/// Why the loss is not scaled.
pub(crate) const NO_SCALING: &str = "it does not go with a scaled loss; use `precision: Bf16` or `F32`";

//! `FitMemory`: a batch that does not fit into memory is computed in parts.

use crate::base::Result;
use crate::loops::processor::{BatchStep, StepProcessor};
use engine_macros::component;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Computes a batch in parts when memory runs out in its step: halves the part, and repeats it. Its gradient is that of the batch,
/// up to rounding, as long as the loss is a mean over samples. What fits is remembered until the process ends.
#[component(step)]
pub struct FitMemory {
    /// A part has at least so many samples; when memory is not enough for them either, the training ends.
    #[config(default = 1, range = 1..)]
    pub least: usize,
    /// The part that fits.
    #[serde(skip)]
    fits: Fits,
}

impl FitMemory {
    /// With parts of at least so many samples.
    pub fn new(least: usize) -> Self {
        FitMemory { least: least.max(1), fits: Fits::default() }
    }
}

/// The largest part that was not too large yet.
#[derive(Clone, Debug)]
struct Fits(Arc<AtomicUsize>);

impl Default for Fits {
    fn default() -> Self {
        Fits(Arc::new(AtomicUsize::new(usize::MAX)))
    }
}

#[diagnostic::do_not_recommend]
impl StepProcessor for FitMemory {
    fn process(&self, batch: &mut dyn BatchStep) -> Result<()> {
        let (all, mut first) = (batch.samples(), 0);
        while first < all {
            let part = self.fits.0.load(Ordering::Relaxed).max(self.least).min(all - first);
            let samples = first..first + part;
            if part <= self.least {
                // there is nothing smaller: what goes wrong here is told as always
                batch.compute_samples(samples)?;
            } else if !batch.try_samples(samples)? {
                let smaller = part.div_ceil(2).max(self.least);
                self.fits.0.store(smaller, Ordering::Relaxed);
                batch.context().say(&format!(
                    "memory is not enough for {part} samples: a batch is computed in parts of at most {smaller} from now on"
                ))?;
                continue;
            }
            first += part;
        }
        Ok(())
    }
}

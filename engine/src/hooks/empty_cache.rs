//! `EmptyCache`: gives memory that libtorch keeps back to the device.

use crate::base::Result;
use crate::native::empty_cache;
use crate::run::Context;
use engine_macros::{hook, phases};

/// Gives the memory that libtorch holds for later back to the device: PyTorch's `torch.cuda.empty_cache`. It frees no
/// tensor and makes the next allocations slower; it is for a device that other programs use too, and for batches whose
/// shapes differ so much between training and validation that the memory is in pieces. On the CPU it does nothing.
#[hook(priority = "NORMAL")]
#[derive(Debug)]
pub struct EmptyCache {
    /// After each iter of a training.
    #[config(default = false)]
    after_iter: bool,
    /// After each epoch.
    #[config(default = true)]
    after_epoch: bool,
    /// Before and after each validation.
    #[config(default = true)]
    around_val: bool,
}

#[phases]
impl EmptyCache {
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        empty_if(self.after_iter, cx)
    }
    fn after_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        empty_if(self.after_epoch, cx)
    }
    fn before_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        empty_if(self.around_val, cx)
    }
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        empty_if(self.around_val, cx)
    }
}

fn empty_if(wanted: bool, cx: &Context<'_>) -> Result<()> {
    if wanted { Ok(empty_cache(cx.device())?) } else { Ok(()) }
}

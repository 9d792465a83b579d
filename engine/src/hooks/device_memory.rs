//! `DeviceMemory`: how much memory tensors take.

use crate::base::Result;
use crate::native::{most_resident, take_memory_use};
use crate::run::Context;
use engine_macros::{hook, phases};
use tch::Device;

/// Records how much memory the training needs, in MiB: `memory`, the most that tensors on the CUDA device took at one
/// time since the last record, as `torch.cuda.max_memory_allocated`, and `memory_reserved`, what libtorch holds of the
/// device then. On the CPU `memory` is the most that the process has had in memory so far, with everything in it.
///
/// The device is not waited for: libtorch keeps count on the host.
#[hook(priority = "NORMAL")]
#[derive(Debug)]
pub struct DeviceMemory {
    /// Iters from one record to the next. When rows have a larger interval, they show the last record.
    #[config(default = 50, range = 1..)]
    interval: u64,
}

#[phases]
impl DeviceMemory {
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if !cx.iter().get().is_multiple_of(self.interval) {
            return Ok(());
        }
        match cx.device() {
            Device::Cuda(index) => {
                let used = take_memory_use(index)?;
                cx.log_last("memory", mebibytes(used.peak));
                cx.log_last("memory_reserved", mebibytes(used.reserved));
            }
            _ => {
                if let Some(bytes) = most_resident() {
                    cx.log_last("memory", mebibytes(bytes));
                }
            }
        }
        Ok(())
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

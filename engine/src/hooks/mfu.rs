//! `Mfu`: how fast the training computes, beside what the device can do.

use crate::base::{Error, Result};
use crate::native::{FlopCounter, cuda_device_names};
use crate::optim::Precision;
use crate::run::Context;
use engine_macros::{hook, phases};
use std::time::Instant;
use tch::Device;

/// Records how fast the training computes: `tflops`, 10¹² floating point operations in a second, and `mfu`, the part of
/// what the device can do at most ("model FLOPs utilization", A. Chowdhery et al., "PaLM", 2022), from 0 to 1.
///
/// Operations of matrix products, convolutions and attention are counted in one of `interval` iters, forward and
/// backward, as [`FlopCounter`](crate::native::FlopCounter) does, and are taken for those of the iters after it. What a step computes again for
/// [`cx.checkpoint`](crate::run::Context::checkpoint) counts too. Times are those of the host from one count to the next, validations and checkpoints
/// included. Of several ranks it is the speed of rank 0.
///
/// `mfu` needs `peak_tflops`, which is known for some CUDA devices and for no CPU.
#[hook(priority = "HIGHEST")]
#[derive(Debug)]
pub struct Mfu {
    /// Iters from one count to the next; the first record comes after so many.
    #[config(default = 50, range = 1..)]
    interval: u64,
    /// 10¹² operations that the device can do in a second with the numbers of `precision`. `None`: by the name of the
    /// CUDA device.
    #[config(default, range = 0.0..)]
    peak_tflops: Option<f64>,
    #[transient]
    counter: Option<FlopCounter>,
    /// Operations of one iter, as they were counted last.
    #[transient]
    flops: u64,
    /// When the last count began, and before which iter.
    #[transient]
    since: Option<(Instant, u64)>,
}

#[phases]
impl Mfu {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        (self.counter, self.flops, self.since) = (None, 0, None);
        if self.peak_tflops.is_some() {
            return Ok(());
        }
        let Device::Cuda(_) = cx.device() else { return Ok(()) };
        let names = cuda_device_names();
        self.peak_tflops = known_peak(&names, cx.precision());
        match self.peak_tflops {
            Some(_) => Ok(()),
            None => Err(Error::msg(format!(
                "it is not known how fast {} is with `precision: {:?}`; write `peak_tflops` of `Mfu`, from the data sheet of the device without sparsity",
                if names.is_empty() { "the device".to_owned() } else { names.join(", ") },
                cx.precision()
            ))),
        }
    }

    fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let (now, iter) = (Instant::now(), cx.iter().get());
        match self.since {
            Some((since, first)) if iter - first >= self.interval => {
                self.record(cx, (iter - first) as f64 / now.duration_since(since).as_secs_f64());
            }
            Some(_) => return Ok(()),
            None => {}
        }
        self.since = Some((now, iter));
        self.counter = Some(FlopCounter::begin()?);
        Ok(())
    }

    fn after_train_iter(&mut self, _: &mut Context<'_>) -> Result<()> {
        if let Some(counter) = self.counter.take() {
            let counted = counter.take()?.iter().map(|operator| operator.flops).sum();
            // nothing is counted where a recorded step is played back: it has the operations of the step that was recorded
            if counted > 0 {
                self.flops = counted;
            }
        }
        Ok(())
    }
}

impl Mfu {
    fn record(&self, cx: &mut Context<'_>, iters_per_second: f64) {
        let tflops = self.flops as f64 * iters_per_second / 1e12;
        cx.log_last("tflops", tflops);
        if let Some(peak) = self.peak_tflops.filter(|peak| *peak > 0.0) {
            cx.log_last("mfu", tflops / peak);
        }
    }
}

/// What NVIDIA's data sheets say, without sparsity: the devices whose name holds all of these words, then 10¹² operations
/// in a second with 16 bits, with TF32, with 32 bits.
const PEAKS: [(&[&str], [f64; 3]); 8] = [
    (&["H100", "PCIe"], [756.0, 378.0, 51.0]),
    (&["H100"], [989.4, 494.7, 66.9]),
    (&["H200"], [989.4, 494.7, 66.9]),
    (&["A100"], [312.0, 156.0, 19.5]),
    (&["L40S"], [362.0, 183.0, 91.6]),
    (&["L4"], [121.0, 60.0, 30.3]),
    (&["A10"], [125.0, 62.5, 31.2]),
    (&["RTX", "4090"], [165.2, 82.6, 82.6]),
];

/// The least of what is known of these devices, since the training may be on any of them; `None` when one is unknown.
fn known_peak(names: &[String], precision: Precision) -> Option<f64> {
    let column = match precision {
        Precision::F32 => 2,
        Precision::Tf32 => 1,
        Precision::Bf16 | Precision::F16 | Precision::Mixed(_) | Precision::Pure(_) => 0,
    };
    let peak = |name: &String| {
        let words: Vec<&str> = name.split([' ', '-']).collect();
        let known = PEAKS.iter().find(|(wanted, _)| wanted.iter().all(|word| words.contains(word)));
        known.map(|(_, peaks)| peaks[column])
    };
    names.iter().map(peak).collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::update::Half;

    #[test]
    fn devices_are_known_by_their_names_and_the_precision() {
        let peak = |names: &[&str], precision| {
            known_peak(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), precision)
        };
        assert_eq!(peak(&["NVIDIA H100 80GB HBM3"], Precision::Bf16), Some(989.4));
        assert_eq!(peak(&["NVIDIA H100 PCIe"], Precision::Mixed(Half::F16)), Some(756.0));
        assert_eq!(peak(&["NVIDIA A100-SXM4-80GB"], Precision::Tf32), Some(156.0));
        assert_eq!(peak(&["NVIDIA L40S", "NVIDIA L4"], Precision::F32), Some(30.3));
        assert_eq!(peak(&["NVIDIA H200", "Quadro"], Precision::F32), None);
        assert_eq!(peak(&[], Precision::F32), None);
    }
}

//! How a way of taking steps is asked for rounds: a number of iters a line, and an answer of one line of JSON.

use engine::native::set_flush_denormals;
use engine::prelude::*;
use std::io::{BufRead as _, Write as _};
use std::time::Instant;

/// Iters before a way says that it is ready: allocators, kernels and caches are warm then.
pub(crate) const WARM_UP: u64 = 30;

/// One side of the talk: what runs the iters.
pub(crate) struct Talk {
    device: Device,
    began: Instant,
    cpu_before: f64,
    iters: u64,
}

impl Talk {
    pub(crate) fn new(device: Device) -> Self {
        Talk { device, began: Instant::now(), cpu_before: 0.0, iters: WARM_UP }
    }

    /// Answers for the iters that are done, whose last loss this is.
    pub(crate) fn answer(&self, loss: &Tensor) -> Result<()> {
        synchronize(self.device);
        let seconds = self.began.elapsed().as_secs_f64();
        let (cpu, loss) = (cpu_seconds() - self.cpu_before, f64::try_from(loss)?);
        println!(r#"{{"iters":{},"seconds":{seconds:e},"cpu":{cpu:e},"loss":{loss:.9}}}"#, self.iters);
        Ok(std::io::stdout().flush()?)
    }

    /// Waits for the next question: how many iters; none when nobody asks any more.
    pub(crate) fn question(&mut self) -> Result<Option<u64>> {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        if line.trim().is_empty() {
            return Ok(None);
        }
        self.iters = line.trim().parse()?;
        synchronize(self.device);
        (self.began, self.cpu_before) = (Instant::now(), cpu_seconds());
        Ok(Some(self.iters))
    }
}

/// All ways use one thread there, and take numbers near zero as zero: what is compared is the work, not how it is shared or
/// how slow the processor is with such numbers.
pub(crate) fn one_thread_on_the_cpu(device: Device) {
    if device == Device::Cpu {
        engine::tch::set_num_threads(1);
        set_flush_denormals(true);
    }
}

/// Waits until the device has done all that it was given.
pub(crate) fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        engine::tch::Cuda::synchronize(index as i64);
    }
}

/// The processor time of all threads of this process that still live.
fn cpu_seconds() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let of = |task: std::fs::DirEntry| -> Option<f64> {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
    };
    tasks.flatten().filter_map(of).sum()
}

//! `backend:` and the precision of an experiment, applied to the process before anything is computed.

use crate::base::Result;
use crate::native::{
    Determinism, MatmulPrecision, keep_memory, set_cudnn_benchmark, set_float_precision, set_flush_denormals,
};
use crate::optim::Precision;
use crate::trainer::BuildErrors;
use crate::trainer::experiment::BackendSettings;

/// Sets how libtorch computes; it holds until the next run is prepared.
///
/// # Errors
/// When the processor can't flush denormal numbers and the experiment asks for it.
pub(super) fn apply(settings: &BackendSettings, precision: Precision, determinism: Determinism) -> Result<()> {
    let by_precision = if precision.is_tf32() { MatmulPrecision::High } else { MatmulPrecision::Highest };
    set_float_precision(settings.matmul.unwrap_or(by_precision), precision.is_tf32())?;
    // the choice of an algorithm by its speed differs from run to run
    set_cudnn_benchmark(settings.cudnn_benchmark && determinism == Determinism::Off)?;
    if !set_flush_denormals(settings.flush_denormals) && settings.flush_denormals {
        let why = "this processor can't flush denormal numbers; set it to `false`";
        return Err(BuildErrors::at("backend.flush_denormals", why));
    }
    if settings.keep_memory {
        keep_memory();
    }
    Ok(())
}

//! The end of a schedule as a value instead of a factor.

use crate::optim::error::OptimError;

/// The factor at the end for a group with this initial value.
pub(super) fn finish_of(finish: f64, floor: Option<f64>, initial: f64) -> f64 {
    match floor {
        // 0 times anything stays 0
        Some(floor) if initial != 0.0 => floor / initial,
        _ => finish,
    }
}

/// Refuses an end that is given in two ways.
pub(super) fn check_floor(owner: &str, finish: f64, floor: Option<f64>) -> Result<(), OptimError> {
    match floor {
        Some(_) if finish != 0.0 => {
            let why = "`finish` and `floor` both set its last value; keep one";
            Err(OptimError::Contradiction { owner: owner.into(), why: why.into() })
        }
        _ => Ok(()),
    }
}

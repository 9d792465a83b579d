//! The momentum that goes down while the learning rate goes up.

use crate::optim::error::{Allowed, OptimError, check_ranges};

/// Refuses a pair that is none, and one beside another setting than the learning rate.
pub(super) fn check_momentum(owner: &str, setting: &str, momentum: Option<(f64, f64)>) -> Result<(), OptimError> {
    let Some((base, most)) = momentum else { return Ok(()) };
    let contradiction = |why: String| Err(OptimError::Contradiction { owner: owner.into(), why });
    if setting != "lr" {
        return contradiction(format!(
            "`momentum` goes with the learning rate, and `setting` is `{setting}`; keep one"
        ));
    }
    check_ranges(owner, &[("momentum.0", base, Allowed::NotNegative), ("momentum.1", most, Allowed::NotNegative)])?;
    if base > most || most >= 1.0 {
        return contradiction(format!(
            "`momentum` is (at the top, at the begin): the first at most the second, and both below 1, got ({base}, {most})"
        ));
    }
    Ok(())
}

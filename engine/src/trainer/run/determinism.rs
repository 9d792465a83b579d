//! `deterministic:` of an experiment, applied to the process before anything is computed.

use crate::base::Result;
use crate::native::{Determinism, set_deterministic, set_variable};
use crate::trainer::BuildErrors;
use std::sync::atomic::{AtomicBool, Ordering};
use tch::Device;

/// cuBLAS reads it when it is first used. Without one of [`FITTING`], its results may differ from run to run when
/// several streams use it (NVIDIA, cuBLAS documentation, "Results reproducibility").
const VARIABLE: &str = "CUBLAS_WORKSPACE_CONFIG";

/// The values with which cuBLAS gives the same results again. The first one is set when nobody has set any.
const FITTING: [&str; 2] = [":4096:8", ":16:8"];

/// Whether a run of this process may have used cuBLAS without a fitting value, which it keeps to its end.
static USED_WITHOUT: AtomicBool = AtomicBool::new(false);

/// Sets the level for the process: it holds until the next run is prepared.
///
/// # Errors
/// When cuBLAS can't be made deterministic any more and `Strict` asks for it.
pub(super) fn apply(level: Determinism, device: Device) -> Result<()> {
    if matches!(device, Device::Cuda(_)) {
        let given = std::env::var_os(VARIABLE).map(|value| value.to_string_lossy().into_owned());
        match prepared(level, given.as_deref(), USED_WITHOUT.load(Ordering::Relaxed)) {
            Ok(Workspace::Fits) => {}
            Ok(Workspace::ToSet) => set_variable(VARIABLE, FITTING[0]),
            Ok(Workspace::AsItIs) => USED_WITHOUT.store(true, Ordering::Relaxed),
            Err(why) => return Err(BuildErrors::at("deterministic", why)),
        }
    }
    Ok(set_deterministic(level)?)
}

/// What is to be done about the variable.
#[derive(Debug, PartialEq, Eq)]
enum Workspace {
    /// It is set to a value that fits.
    Fits,
    /// It is not set, and has to be.
    ToSet,
    /// It does not fit, and nobody has asked for that.
    AsItIs,
}

fn prepared(level: Determinism, given: Option<&str>, used_without: bool) -> Result<Workspace, String> {
    match given {
        _ if level == Determinism::Strict && used_without => Err(format!(
            "a run of this process has computed on CUDA already, without `{VARIABLE}`, and cuBLAS reads it only once: set it to `{}` before the process starts, or begin with the run that is `Strict`",
            FITTING[0]
        )),
        Some(value) if FITTING.contains(&value) => Ok(Workspace::Fits),
        Some(value) if level == Determinism::Strict => Err(format!(
            "`{VARIABLE}` is `{value}` in the environment, with which results of cuBLAS may differ from run to run: set it to `{}` or `{}`, or unset it",
            FITTING[0], FITTING[1]
        )),
        None if level != Determinism::Off => Ok(Workspace::ToSet),
        _ => Ok(Workspace::AsItIs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_sets_the_workspace_of_cublas_or_refuses_one_that_does_not_fit() {
        assert_eq!(prepared(Determinism::Strict, None, false), Ok(Workspace::ToSet));
        assert_eq!(prepared(Determinism::Strict, Some(":16:8"), false), Ok(Workspace::Fits));
        let refused = prepared(Determinism::Strict, Some(":0:0"), false).unwrap_err();
        assert!(refused.contains("`CUBLAS_WORKSPACE_CONFIG` is `:0:0`") && refused.contains("`:4096:8`"), "{refused}");
    }

    #[test]
    fn strict_after_a_run_whose_cublas_was_not_prepared_is_refused() {
        assert_eq!(prepared(Determinism::Off, None, false), Ok(Workspace::AsItIs));
        let refused = prepared(Determinism::Strict, Some(":4096:8"), true).unwrap_err();
        assert!(refused.contains("before the process starts"), "{refused}");
    }

    #[test]
    fn a_warning_level_leaves_a_value_that_somebody_has_set() {
        assert_eq!(prepared(Determinism::Warn, None, false), Ok(Workspace::ToSet));
        assert_eq!(prepared(Determinism::Warn, Some(":0:0"), false), Ok(Workspace::AsItIs));
        assert_eq!(prepared(Determinism::Warn, None, true), Ok(Workspace::ToSet));
    }
}

//! What can be wrong with an optimizer, its groups and its schedules.

use crate::native::NativeError;

/// An error of an optimizer or a schedule.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimError {
    /// A number outside of its range.
    #[error("`{field}` of `{owner}` must be {allowed}, got {value}")]
    Range {
        /// The component.
        owner: String,
        /// Its field.
        field: String,
        /// The allowed range, in words.
        allowed: &'static str,
        /// The given value.
        value: f64,
    },
    /// Fields that contradict each other.
    #[error("`{owner}`: {why}")]
    Contradiction {
        /// The component or rule.
        owner: String,
        /// What contradicts, and what to do.
        why: String,
    },
    /// There are no parameters.
    #[error("optimizer `{optimizer}` has no parameters; give it the variables of a model")]
    NoParameters {
        /// The optimizer's name.
        optimizer: String,
    },
    /// Two parameters have the same name.
    #[error("optimizer `{optimizer}` has two parameters named `{name}`; names must differ")]
    DuplicateParameter {
        /// The optimizer's name.
        optimizer: String,
        /// The name.
        name: String,
    },
    /// A parameter whose kind can't have a gradient.
    #[error("parameter `{name}` has kind {kind:?}; only floating point parameters can be optimized")]
    NotFloat {
        /// The parameter's name.
        name: String,
        /// Its kind.
        kind: tch::Kind,
    },
    /// A group rule that matches no parameter.
    #[error("the pattern `{pattern}` matches no parameter{hint}")]
    NoMatch {
        /// The rule's index.
        rule: usize,
        /// Its pattern.
        pattern: String,
        /// A name that may have been meant, or the existing names.
        hint: String,
    },
    /// A group rule whose parameters all have an earlier rule.
    #[error(
        "the pattern `{pattern}` gets no parameter: `{earlier}` comes before it and matches all of them; move `{pattern}` before it"
    )]
    Shadowed {
        /// The rule's index.
        rule: usize,
        /// Its pattern.
        pattern: String,
        /// The earlier rule that its first parameter has.
        earlier: String,
    },
    /// A setting that the optimizer doesn't have.
    #[error("there is no setting `{setting}`{hint}")]
    UnknownSetting {
        /// The setting asked for.
        setting: String,
        /// A setting that may have been meant, or the existing settings.
        hint: String,
    },
    /// A setting that would make every parameter NaN.
    #[error("setting `{setting}` must be finite, got {value}")]
    NotFinite {
        /// The setting.
        setting: String,
        /// The given value.
        value: f64,
    },
    /// A schedule that panics, or gives a factor that is none.
    #[error("the schedule `{schedule}` of `{setting}` {why} (at {at} of {length} counts of its window)")]
    Factor {
        /// Its index in the list.
        index: usize,
        /// The schedule.
        schedule: &'static str,
        /// The setting that it changes.
        setting: String,
        /// Counts since the begin of its window.
        at: u64,
        /// The length of its window.
        length: u64,
        /// The factor and what it may be, or the text of the panic.
        why: String,
    },
    /// A value of schedules that the setting can't have.
    #[error(
        "schedules make `{setting}` {value}, and it has to be {allowed}; change their factors (at {at} of {length} counts of its window)"
    )]
    Scheduled {
        /// The index in the list of the schedule with the largest factor.
        index: usize,
        /// Counts since the begin of its window.
        at: u64,
        /// The length of its window.
        length: u64,
        /// The setting.
        setting: String,
        /// Its value.
        value: f64,
        /// The allowed range, in words.
        allowed: &'static str,
    },
    /// libtorch failed.
    #[error("optimizer `{optimizer}` failed in {doing}")]
    Native {
        /// The optimizer's name.
        optimizer: String,
        /// The operation that failed.
        doing: String,
        /// The error of libtorch.
        #[source]
        source: NativeError,
    },
}

impl OptimError {
    /// The field of the component that causes the error, if it is one field: `lr`, `groups.0.pattern`.
    pub fn field(&self) -> Option<String> {
        match self {
            OptimError::Range { field, .. } => Some(field.clone()),
            OptimError::NoMatch { rule, .. } | OptimError::Shadowed { rule, .. } => {
                Some(format!("groups.{rule}.pattern"))
            }
            _ => None,
        }
    }
}

/// What a number may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Allowed {
    Positive,
    NotNegative,
    /// As a decay of a running mean: one would never forget.
    BelowOne,
    /// As a part of something.
    UpToOne,
    Any,
}

impl Allowed {
    pub(super) fn holds(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Allowed::Positive => value > 0.0,
                Allowed::NotNegative => value >= 0.0,
                Allowed::BelowOne => (0.0..1.0).contains(&value),
                Allowed::UpToOne => (0.0..=1.0).contains(&value),
                Allowed::Any => true,
            }
    }

    pub(super) fn words(self, value: f64) -> &'static str {
        match self {
            _ if !value.is_finite() => "a finite number",
            Allowed::Any => "a number",
            Allowed::Positive => "above 0",
            Allowed::NotNegative => "at least 0",
            Allowed::BelowOne => "at least 0 and below 1",
            Allowed::UpToOne => "at least 0 and at most 1",
        }
    }
}

/// Refuses the first field that is out of its range.
pub(super) fn check_ranges(owner: &str, fields: &[(&str, f64, Allowed)]) -> Result<(), OptimError> {
    for &(field, value, allowed) in fields {
        if !allowed.holds(value) {
            return Err(OptimError::Range {
                owner: owner.into(),
                field: field.into(),
                allowed: allowed.words(value),
                value,
            });
        }
    }
    Ok(())
}

//! Why a command ended without success.

use crate::base::Error;
use crate::config::ConfigErrors;
use std::process::ExitCode;

/// Why a command ended without success.
pub(super) enum Failure {
    /// Exit code 2.
    Experiment(Box<ConfigErrors>),
    /// Exit code 2: the command line asks for what can't be, as this text says.
    Usage(String),
    /// Exit code 1.
    Run(Error),
}

impl Failure {
    /// The exit code.
    pub(super) fn code(&self) -> ExitCode {
        match self {
            Failure::Experiment(_) | Failure::Usage(_) => ExitCode::from(2),
            Failure::Run(_) => ExitCode::FAILURE,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Run(error)
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Failure::Experiment(Box::new(errors))
    }
}

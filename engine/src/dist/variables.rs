//! Variables of the environment, as launchers set them.

use crate::dist::error::DistError;

/// The environment of a process.
pub(super) struct Variables<'a>(pub(super) &'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.0)(name)
    }
}

pub(super) fn number<N: std::str::FromStr>(variables: &Variables<'_>, name: &'static str) -> Result<N, DistError> {
    let value = variables.get(name).ok_or_else(|| missing(name))?;
    value.trim().parse().map_err(|_| DistError::Variable { name, why: format!("`{value}` is no number of this kind") })
}

/// `MASTER_PORT`.
pub(super) fn port(variables: &Variables<'_>) -> Result<u16, DistError> {
    const NAME: &str = "MASTER_PORT";
    let value = variables.get(NAME).ok_or_else(|| missing(NAME))?;
    let port = value.trim().parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| DistError::Variable {
        name: NAME,
        why: format!("`{value}` is no port: a number from 1 to 65535"),
    })
}

pub(super) fn missing(name: &'static str) -> DistError {
    let why = "it is not set, although others of this launcher are".to_owned();
    DistError::Variable { name, why }
}

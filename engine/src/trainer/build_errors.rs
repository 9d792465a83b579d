//! Mistakes of an experiment that depend on the machine, its data or its models.

use crate::base::Error;
use crate::config::{ConfigErrors, Diagnostic, Document, ValuePath};
use crate::optim::schedule::Problem;
use std::fmt;

/// An experiment could be read, but it can't run; the mistakes were found when the run was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildErrors {
    /// What is wrong; at least one.
    pub mistakes: Vec<Mistake>,
}

/// One mistake, with the path of the wrong value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The keys that lead to the value, `schedule.1.begin`.
    pub path: String,
    /// What is wrong, and what to do.
    pub text: String,
}

impl BuildErrors {
    /// One mistake, as the error that ends the building.
    pub(super) fn at(path: impl Into<String>, text: impl Into<String>) -> Error {
        Error::new(BuildErrors { mistakes: vec![Mistake { path: path.into(), text: text.into() }] })
    }

    /// The mistakes at their places in the experiment that was refused.
    pub fn in_document(&self, document: &Document) -> ConfigErrors {
        let diagnostics = self.mistakes.iter().map(|Mistake { path, text }| {
            let found = ValuePath::to(path).find(&document.root);
            Diagnostic::new(found.span, text).at(path.as_str())
        });
        ConfigErrors::new(document.sources.clone(), diagnostics.collect())
    }
}

impl From<Problem> for Mistake {
    fn from(problem: Problem) -> Self {
        let field = if problem.field.is_empty() { String::new() } else { format!(".{}", problem.field) };
        Mistake { path: format!("schedule.{}{field}", problem.index), text: problem.text }
    }
}

/// One line for each mistake.
impl fmt::Display for BuildErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Mistake { path, text }) in self.mistakes.iter().enumerate() {
            let gap = if index > 0 { "\n" } else { "" };
            write!(f, "{gap}`{path}`: {text}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildErrors {}

//! Intermediate tensors of a step that somebody has asked for.

use crate::base::pattern;
use crate::native::{NativeError, retain_grad};
use tch::Tensor;

/// What was asked for in the current iter, and what the step has handed over.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    asked: Vec<Asked>,
    kept: Vec<(String, Tensor)>,
}

#[derive(Debug)]
struct Asked {
    pattern: String,
    gradients: bool,
}

impl Endpoints {
    /// Asks for the endpoints whose name matches, until the end of the iter.
    pub(crate) fn ask(&mut self, pattern: &str, gradients: bool) {
        self.asked.push(Asked { pattern: pattern.to_owned(), gradients });
    }

    /// Whether anybody has asked.
    #[inline]
    pub(crate) fn is_asked(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Keeps a tensor that was asked for, in place of an earlier one of its name.
    #[cold]
    pub(crate) fn keep(&mut self, name: &str, tensor: &Tensor) -> Result<(), NativeError> {
        let mut meant = self.asked.iter().filter(|asked| pattern::matches(&asked.pattern, name)).peekable();
        if meant.peek().is_none() {
            return Ok(());
        }
        if meant.any(|asked| asked.gradients) && tensor.requires_grad() {
            retain_grad(tensor)?;
        }
        self.kept.retain(|(known, _)| known != name);
        self.kept.push((name.to_owned(), tensor.shallow_clone()));
        Ok(())
    }

    /// In the order in which the step has handed them over.
    pub(crate) fn kept(&self) -> &[(String, Tensor)] {
        &self.kept
    }

    /// Lets go of the tensors; what was asked for holds on.
    pub(crate) fn drop_kept(&mut self) {
        self.kept.clear();
    }

    /// Lets go of all.
    pub(crate) fn clear(&mut self) {
        self.asked.clear();
        self.kept.clear();
    }
}

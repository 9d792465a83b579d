//! How the expansion of `#[passes]` reaches its trainer.

use crate::base::{Error, Output, Result};
use crate::optim::PassInfo;
use crate::run::Context;

/// The names of a trainer's `#[optimizer]` fields. `#[trainer]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a trainer",
    label = "only a trainer has passes",
    note = "put `#[trainer(by_epoch)]` or `#[trainer(by_iter)]` on the struct"
)]
pub trait HasOptimizers {
    /// In field order.
    const OPTIMIZERS: &'static [&'static str];
}

/// The batch of a pass, which is that of all passes.
#[diagnostic::on_unimplemented(
    message = "this pass takes `{Self}`, and the batch of the passes is `{B}`",
    label = "expected `{B}`",
    note = "all passes work on the batches of the one train loader: take `&Self::Batch`, and leave what a pass has no use for"
)]
pub trait PassBatch<B> {
    /// The batch itself.
    fn of(batch: &B) -> &Self;
}

#[diagnostic::do_not_recommend]
impl<B> PassBatch<B> for B {
    fn of(batch: &B) -> &B {
        batch
    }
}

/// The place of the pass whose update is under way.
pub fn pass_of(cx: &Context<'_>) -> usize {
    cx.pass_index()
}

/// For a place that no pass of the trainer has.
///
/// # Errors
/// Always.
pub fn no_such_pass(place: usize) -> Result<Output> {
    Err(Error::msg(format!("the trainer has no pass {place}")))
}

/// Whether a name is among others.
pub const fn is_one_of(name: &str, known: &[&str]) -> bool {
    let mut index = 0;
    while index < known.len() {
        if is_same(name, known[index]) {
            return true;
        }
        index += 1;
    }
    false
}

/// Whether an optimizer is in a pass. `known` are all optimizers: where a pass names one that is not there, the mistake
/// is told at that name, and this one may follow from it.
pub const fn is_stepped(name: &str, passes: &[PassInfo], known: &[&str]) -> bool {
    let mut stepped = passes.is_empty();
    let mut pass = 0;
    while pass < passes.len() {
        let optimizers = passes[pass].optimizers;
        if optimizers.is_empty() || is_one_of(name, optimizers) {
            stepped = true;
        }
        let mut index = 0;
        while index < optimizers.len() {
            if !is_one_of(optimizers[index], known) {
                return true;
            }
            index += 1;
        }
        pass += 1;
    }
    stepped
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// A text that is put together while a program is compiled, for the message of a mistake.
#[derive(Clone, Copy, Debug)]
pub struct ConstText {
    bytes: [u8; ConstText::MOST],
    len: usize,
}

impl ConstText {
    const MOST: usize = 2000;

    /// No text yet.
    pub(crate) const fn new() -> ConstText {
        ConstText { bytes: [0; ConstText::MOST], len: 0 }
    }

    /// `before`, and then the names: `` `a`, `b` ``. What is too long is cut off.
    pub const fn list(before: &str, names: &[&str]) -> ConstText {
        ConstText::new().with(before).with_list(names)
    }

    /// These names behind it.
    pub(crate) const fn with_list(self, names: &[&str]) -> ConstText {
        let (mut text, mut index) = (self, 0);
        while index < names.len() {
            let separator = if index == 0 { "`" } else { "`, `" };
            text = text.with(separator).with(names[index]);
            index += 1;
        }
        text.with("`")
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            // cut within a letter
            Err(_) => "",
        }
    }

    /// This text behind it.
    pub(crate) const fn with(mut self, text: &str) -> ConstText {
        let text = text.as_bytes();
        let mut index = 0;
        while index < text.len() && self.len < ConstText::MOST {
            self.bytes[self.len] = text[index];
            self.len += 1;
            index += 1;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn pass(optimizers: &'static [&'static str]) -> PassInfo {
        PassInfo { optimizers, ..PassInfo::PLAIN[0] }
    }

    #[test]
    fn an_optimizer_is_stepped_by_the_pass_that_names_it() {
        let known = ["a", "b"];
        assert!(is_stepped("b", &[pass(&["a"]), pass(&["b"])], &known));
        assert!(!is_stepped("b", &[pass(&["a"])], &known));
        assert!(is_stepped("b", PassInfo::PLAIN, &known));
        // the mistake is that of the name
        assert!(is_stepped("b", &[pass(&["a"]), pass(&["bb"])], &known));
    }

    #[test]
    fn names_are_listed_in_one_line() {
        let text = ConstText::list("expected one of ", &["opt_c", "opt_g"]);
        assert_eq!(text.as_str(), "expected one of `opt_c`, `opt_g`");
        let long = "x".repeat(5000);
        assert_eq!(ConstText::list(&long, &[]).as_str().len(), ConstText::MOST);
    }
}

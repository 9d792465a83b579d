//! Every role of a field, every way to write a default and a range.

use engine::prelude::*;
use std::collections::BTreeMap;

const DEEPEST: i64 = 16;

// case: every role, every way to write a default and a range
/// A hook with documented settings.
#[hook]
#[derive(Debug)]
pub struct Everything {
    /// A number.
    #[config(default = 8, range = 1..=100)]
    keep: usize,
    #[config(default = 0.9, range = 0.0..1.0, scheduled)]
    decay: f64,
    #[config(default = [0.9, 0.999], range = 0.0..1.0)]
    betas: [f64; 2],
    #[config(default = DEEPEST, range = ..=DEEPEST)]
    depth: i64,
    #[config(default = "val/loss")]
    by: String,
    #[config(default)]
    names: Vec<String>,
    #[config]
    required: bool,
    #[config(range = 1..)]
    limit: Option<u64>,
    #[state]
    best: Option<f64>,
    #[state]
    history: BTreeMap<String, Vec<f64>>,
    #[transient]
    scratch: Option<Tensor>,
}

#[phases]
impl Everything {
    fn after_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.best = self.limit.map(|_| self.decay * self.betas[0]);
        self.scratch = None;
        self.history.clear();
        if self.required && self.keep > 0 && self.depth > 0 && self.by.is_empty() && self.names.is_empty() {
            self.best = None;
        }
        Ok(())
    }
}

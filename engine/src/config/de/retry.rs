//! Which values failed, so that the next reading gets past them.
//!
//! A failed value is read after its sound siblings; when it has nothing new to say, it is left out. A needed field that
//! is absent or left out gets a stand-in, so that the next absent one is found.
//!
//! `AdamW(betas: 3, eps: "x", decay: 1)` without its `lr`, say:
//!
//! 1. `decay` is unknown, and noted; `betas` is read and fails: the reading ends there.
//! 2. `eps` is read before `betas`, and fails.
//! 3. both have failed: `betas` is read first again and has nothing new to say, so from now on it is left out.
//! 4. the same with `eps`.
//! 5. nothing is read, and `lr` is missed: noted. It has a stand-in from now on, so that a further missing field would be
//!    found. What is missed only because it is left out is not told.

use super::super::tree::Node;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ptr;

/// No experiment has more mistakes that anyone would read at once.
const MOST_READINGS: usize = 400;

/// How many values are read at most for the sake of further mistakes.
const MOST_VALUES: usize = 1_000_000;

#[derive(Default)]
pub(super) struct Retry<'a> {
    /// By address; whether the value is left out.
    failed: RefCell<BTreeMap<*const Node, bool>>,
    /// The first value of this reading that failed and isn't left out yet.
    innermost: Cell<Option<&'a Node>>,
    readings: Cell<usize>,
    values: Cell<usize>,
    stand_ins: RefCell<BTreeMap<*const Node, Vec<&'static str>>>,
    /// This reading asked for another stand-in.
    progress: Cell<bool>,
}

impl<'a> Retry<'a> {
    /// Notes that a value failed, itself or something in it.
    pub(super) fn failed(&self, node: &'a Node) {
        let left_out = *self.failed.borrow_mut().entry(ptr::from_ref(node)).or_insert(false);
        if !left_out && self.innermost.get().is_none() {
            self.innermost.set(Some(node));
        }
    }

    /// Whether the value failed in an earlier reading, itself or something in it.
    pub(super) fn has_failed(&self, node: &Node) -> bool {
        self.failed.borrow().contains_key(&ptr::from_ref(node))
    }

    /// The items in the order in which they are read this time: failed ones last, useless ones not at all.
    pub(super) fn order<T>(&self, items: impl Iterator<Item = T>, node: impl Fn(&T) -> &'a Node) -> Vec<T> {
        let failed = self.failed.borrow();
        let left_out = |item: &T| failed.get(&ptr::from_ref(node(item))).copied();
        let kept = items.filter(|item| left_out(item) != Some(true));
        let (last, mut first): (Vec<T>, Vec<T>) = kept.partition(|item| left_out(item).is_some());
        first.extend(last);
        self.values.set(self.values.get() + first.len());
        first
    }

    /// Notes that a struct can't be read without a field.
    pub(super) fn needs(&self, node: &'a Node, field: &'static str) {
        let mut stand_ins = self.stand_ins.borrow_mut();
        let fields = stand_ins.entry(ptr::from_ref(node)).or_default();
        if !fields.contains(&field) {
            fields.push(field);
            self.progress.set(true);
        }
    }

    /// The fields of a struct that get a stand-in.
    pub(super) fn stand_ins(&self, node: &Node) -> Vec<&'static str> {
        self.stand_ins.borrow().get(&ptr::from_ref(node)).cloned().unwrap_or_default()
    }

    /// Whether another reading can find more; `progress` says that the last one did.
    pub(super) fn again(&self, root: &Node, progress: bool) -> bool {
        self.readings.set(self.readings.get() + 1);
        if self.readings.get() > MOST_READINGS || self.values.get() > MOST_VALUES {
            return false;
        }
        let innermost = self.innermost.take();
        if self.progress.take() || progress {
            return true;
        }
        let Some(node) = innermost.filter(|node| !ptr::eq(*node, root)) else { return false };
        self.failed.borrow_mut().insert(ptr::from_ref(node), true);
        true
    }
}

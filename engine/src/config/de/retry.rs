//! Which values failed, so that the next reading gets past them.
//!
//! A failed value is read after its sound siblings; when it has nothing new to say, it is left out. A needed field that
//! is absent or left out gets a stand-in, so that the next absent one is found.

use super::super::tree::Node;
use std::cell::{Cell, RefCell};
use std::ptr;

/// No experiment has more mistakes that anyone would read at once.
const MOST_READINGS: usize = 400;

#[derive(Default)]
pub(super) struct Retry<'a> {
    failed: RefCell<Vec<Failed<'a>>>,
    /// The first value of this reading that failed and isn't left out yet.
    innermost: Cell<Option<&'a Node>>,
    readings: Cell<usize>,
    stand_ins: RefCell<Vec<(&'a Node, &'static str)>>,
    /// This reading asked for another stand-in.
    progress: Cell<bool>,
}

struct Failed<'a> {
    node: &'a Node,
    left_out: bool,
}

impl<'a> Retry<'a> {
    /// Notes that a value failed, itself or something in it.
    pub(super) fn failed(&self, node: &'a Node) {
        let mut failed = self.failed.borrow_mut();
        let left_out = match failed.iter().find(|known| ptr::eq(known.node, node)) {
            Some(known) => known.left_out,
            None => {
                failed.push(Failed { node, left_out: false });
                false
            }
        };
        if !left_out && self.innermost.get().is_none() {
            self.innermost.set(Some(node));
        }
    }

    /// Whether the value failed in an earlier reading, itself or something in it.
    pub(super) fn has_failed(&self, node: &Node) -> bool {
        self.failed.borrow().iter().any(|known| ptr::eq(known.node, node))
    }

    /// The items in the order in which they are read this time: failed ones last, useless ones not at all.
    pub(super) fn order<T>(&self, items: impl Iterator<Item = T>, node: impl Fn(&T) -> &'a Node) -> Vec<T> {
        let failed = self.failed.borrow();
        let find = |item: &T| failed.iter().find(|known| ptr::eq(known.node, node(item)));
        let kept = items.filter(|item| find(item).is_none_or(|known| !known.left_out));
        let (last, mut first): (Vec<T>, Vec<T>) = kept.partition(|item| find(item).is_some());
        first.extend(last);
        first
    }

    /// Notes that a struct can't be read without a field.
    pub(super) fn needs(&self, node: &'a Node, field: &'static str) {
        if !self.stand_ins(node).contains(&field) {
            self.stand_ins.borrow_mut().push((node, field));
            self.progress.set(true);
        }
    }

    /// The fields of a struct that get a stand-in.
    pub(super) fn stand_ins(&self, node: &Node) -> Vec<&'static str> {
        let stand_ins = self.stand_ins.borrow();
        stand_ins.iter().filter(|(known, _)| ptr::eq(*known, node)).map(|(_, field)| *field).collect()
    }

    /// Whether another reading can find more; `progress` says that the last one did.
    pub(super) fn again(&self, root: &Node, progress: bool) -> bool {
        self.readings.set(self.readings.get() + 1);
        if self.readings.get() > MOST_READINGS {
            return false;
        }
        let innermost = self.innermost.take();
        if self.progress.take() || progress {
            return true;
        }
        let Some(node) = innermost.filter(|node| !ptr::eq(*node, root)) else { return false };
        for known in self.failed.borrow_mut().iter_mut().filter(|known| ptr::eq(known.node, node)) {
            known.left_out = true;
        }
        true
    }
}

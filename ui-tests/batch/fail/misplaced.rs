//! What is no struct of tensors.

use engine::prelude::*;

// mistake: an enum
#[derive(Batch)]
pub enum Either {
    Images(Tensor),
    Words(Tensor),
}

// mistake: nothing counts the samples
#[derive(Batch)]
pub struct Nothing;

// mistake: all samples share all of it
#[derive(Batch)]
pub struct Shared {
    #[batch(shared)]
    anchors: Tensor,
    #[batch(whole)]
    width: i64,
}

#[derive(Batch)]
pub struct Alone {
    images: Tensor,
    // mistake: the argument as an attribute of its own
    #[weight]
    words: usize,
    // mistake: another
    #[shared]
    anchors: Tensor,
}

// mistake: the attribute belongs to the derive, which is not there
pub struct Forgotten {
    #[batch(shared)]
    pub anchors: Tensor,
}

fn main() {}

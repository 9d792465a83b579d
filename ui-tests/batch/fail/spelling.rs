//! Names of types that are not found within `<…>`: the compiler tells of each once.

use engine::prelude::*;

#[derive(Batch)]
pub struct Scenes {
    pub images: Tensor,
    // mistake: a part
    pub boxes: Vec<Tenser>,
}

#[derive(Batch)]
pub struct Pair<A: Batch> {
    pub first: A,
    // mistake: beside a parameter
    pub second: Vec<Tenser>,
}

fn main() {}

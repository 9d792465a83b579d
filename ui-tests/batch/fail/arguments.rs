//! Arguments of `#[batch(…)]`.

use engine::prelude::*;

// mistake: it stands at the struct
#[derive(Batch)]
#[batch(shared)]
pub struct Scenes {
    images: Tensor,
}

// mistake: no such argument
#[derive(Batch)]
pub struct Misspelt {
    #[batch(sized)]
    images: Tensor,
}

// mistake: no such argument, of a field that is no batch
#[derive(Batch)]
pub struct Unknown {
    images: Tensor,
    #[batch(meta)]
    folder: std::path::PathBuf,
}

// mistake: two that contradict each other
#[derive(Batch)]
pub struct Both {
    images: Tensor,
    #[batch(shared, whole)]
    anchors: Tensor,
}

// mistake: two fields state the weight
#[derive(Batch)]
pub struct Twice {
    images: Tensor,
    #[batch(weight)]
    boxes: usize,
    #[batch(weight)]
    words: usize,
}

// mistake: the weight is stated at the struct and at a field
#[derive(Batch)]
#[batch(weight = Self::words)]
pub struct AtBoth {
    images: Tensor,
    #[batch(weight)]
    boxes: usize,
}

impl AtBoth {
    fn words(&self) -> f64 {
        1.0
    }
}

// mistake: a value at a field
#[derive(Batch)]
pub struct Valued {
    images: Tensor,
    #[batch(weight = 3)]
    boxes: usize,
}

// mistake: nothing is said
#[derive(Batch)]
pub struct Empty {
    #[batch]
    images: Tensor,
}

// mistake: a single field is not where the engine is named
#[derive(Batch)]
pub struct Named {
    #[batch(crate = ::engine)]
    images: Tensor,
}

fn is_batch<B: Batch>() {}

fn main() {
    is_batch::<Scenes>();
    is_batch::<Misspelt>();
    is_batch::<Both>();
    is_batch::<Twice>();
    is_batch::<AtBoth>();
    is_batch::<Valued>();
    is_batch::<Empty>();
    is_batch::<Named>();
}

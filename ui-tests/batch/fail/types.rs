//! Fields of types that can't be what they are to be.

use engine::prelude::*;
use std::path::PathBuf;

// mistake: a path is no part of a batch
#[derive(Batch)]
pub struct Located {
    images: Tensor,
    folder: PathBuf,
}

// mistake: the same where the field counts the samples
#[derive(Batch)]
pub struct Counted {
    folder: PathBuf,
}

// mistake: only a tensor is shared on the device
#[derive(Batch)]
pub struct Shared {
    images: Tensor,
    #[batch(shared)]
    width: i64,
}

// mistake: a weight is not read from a device
#[derive(Batch)]
pub struct Weighed {
    images: Tensor,
    #[batch(weight)]
    tokens: Tensor,
}

pub struct Once;

// mistake: what all samples share can be cloned
#[derive(Batch)]
pub struct Owned {
    images: Tensor,
    #[batch(whole)]
    once: Once,
}

// mistake: the function of the weight gives a number
#[derive(Batch)]
#[batch(weight = Self::tokens)]
pub struct ByFunction {
    images: Tensor,
}

impl ByFunction {
    fn tokens(&self) -> Tensor {
        self.images.shallow_clone()
    }
}

fn is_batch<B: Batch>() {}

fn main() {
    is_batch::<Located>();
    is_batch::<Counted>();
    is_batch::<Weighed>();
    is_batch::<Owned>();
}

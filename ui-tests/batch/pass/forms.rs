//! Structs of every form that become batches.

use engine::prelude::*;
use std::path::PathBuf;

/// Every kind of field.
#[derive(Debug, Batch)]
pub struct Scenes {
    images: Tensor,
    boxes: Vec<Tensor>,
    names: Vec<String>,
    mask: Option<Tensor>,
    inner: Inner,
    pair: (Tensor, Vec<i64>),
    #[batch(shared)]
    anchors: Tensor,
    #[batch(whole)]
    folder: PathBuf,
    #[batch(weight)]
    objects: Vec<usize>,
    r#type: Vec<i64>,
}

/// A batch within a batch, whose second field counts.
#[derive(Debug, Batch)]
#[batch(weight = |inner| inner.1.size()[0] as f64)]
pub struct Inner(#[batch(whole)] i64, #[batch(size)] Tensor);

/// Parameters with bounds.
#[derive(Debug, Batch)]
pub struct Pair<A: Batch, B>(A, #[batch(size, weight)] Vec<i64>, B)
where
    B: Batch;

/// What follows from a batch.
pub fn used(scenes: Scenes) -> Result<Vec<Scenes>> {
    let scenes = scenes.onto(Device::Cpu)?;
    assert!(scenes.weight() >= 0.0);
    scenes.split(2)
}

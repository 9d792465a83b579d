//! Kinds in other words, and layers under the attribute of settings.

use engine::prelude::*;

// mistake: the kind behind a key
#[component(type = "dataset")]
pub struct AConfig {}

// mistake: another key
#[component(kind = "metric")]
pub struct BConfig {}

pub struct D;

// mistake: two kinds, of which one would ask for more
#[component(dataset, model)]
pub struct DConfig {}

impl Dataset for D {
    type Config = DConfig;
    type Item = i64;
    fn open(_: &DConfig) -> Result<Self> {
        Ok(D)
    }
    fn len(&self) -> usize {
        1
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<i64> {
        Ok(1)
    }
}

// mistake: nothing near
#[component(zzz)]
pub struct CConfig {}

// mistake: layers
#[component]
pub struct Mlp {
    pub hidden: nn::Linear,
    pub out: nn::Linear,
}

fn main() {}

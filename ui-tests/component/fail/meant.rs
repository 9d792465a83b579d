//! Kinds in other words, and layers under the attribute of settings.

use engine::prelude::*;

// mistake: the kind behind a key
#[component(type = "dataset")]
pub struct AConfig {}

// mistake: another key
#[component(kind = "metric")]
pub struct BConfig {}

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

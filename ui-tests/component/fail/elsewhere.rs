//! Words of other libraries: each is told what it is here.

use engine::prelude::*;

#[component]
pub struct SizesConfig {
    // mistake: a lower limit
    #[config(default = 3, min = 1)]
    pub a: i64,
    // mistake: an upper limit
    #[config(le = 5)]
    pub b: i64,
    // mistake: required
    #[config(required)]
    pub c: i64,
    // mistake: optional
    #[config(optional)]
    pub d: i64,
    // mistake: a few values
    #[config(choices = ["relu", "tanh"])]
    pub e: String,
    // mistake: another key
    #[config(rename = "f_size")]
    pub f: i64,
    // mistake: a text about it
    #[config(description = "how wide")]
    pub g: i64,
}

// mistake: a hook as a component
#[component(hook)]
pub struct Watch {}

// mistake: a batch as a component
#[component(batch)]
pub struct Points {}

// mistake: a loader as a component
#[component(loader)]
pub struct Loading {}

// mistake: a callback
#[component(callback)]
pub struct Callback {}

// mistake: a loss
#[component(loss)]
pub struct FocalConfig {
    pub gamma: f64,
}

// mistake: a backbone
#[component(backbone)]
pub struct ResnetConfig {}

// mistake: a scheduler
#[component(lr_scheduler)]
pub struct WarmupConfig {}

fn main() {}

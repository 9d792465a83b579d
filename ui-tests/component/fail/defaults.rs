//! Defaults that a type can't have.

use engine::prelude::*;

#[component]
pub enum Act {
    Relu,
    Tanh,
}

#[component]
pub struct NetConfig {
    #[config(default)]
    // mistake: the type has no default of its own
    pub act: Act,
    // mistake: a count below zero
    #[config(default = -1)]
    pub layers: usize,
    // mistake: an example of another type
    #[config(example = "3")]
    pub width: i64,
}

#[component]
pub enum Name {
    // mistake: a text that is lent
    Text(&'static str),
    Nothing,
}

fn main() {}

//! Derives that the attribute can't see.

use engine::prelude::*;

#[derive(Clone, Debug)]
// mistake: they stand above
#[component]
pub struct NetConfig {
    #[config(default = 64, range = 1..)]
    pub width: i64,
}

/// An activation.
#[derive(Clone, Copy, PartialEq)]
// mistake: they stand above
#[component]
pub enum Act {
    Relu,
    Tanh,
}

#[component]
pub struct TwoConfig {
    pub net: NetConfig,
    pub act: Act,
}

fn main() {
    let net = NetConfig { width: 3 };
    let _ = TwoConfig { net: net.clone(), act: Act::Relu }.clone();
    let _ = Act::Tanh;
}

//! Values and types that no file can hold, and arguments without their value.

use engine::prelude::*;

#[component]
pub struct HeldConfig {
    // mistake: a tensor
    pub mean: Tensor,
    // mistake: perhaps a tensor
    #[config]
    pub std: Option<Tensor>,
    // mistake: the device
    #[config]
    pub device: Device,
    // mistake: no value at the end
    #[config(default = )]
    pub width: i64,
    // mistake: no value before a comma
    #[config(default = , range = 1..)]
    pub height: i64,
}

// mistake: the model as a text
#[component(model = "Mlp")]
pub struct OtherConfig {}

// mistake: the model itself in the place of its settings
#[component(model)]
pub struct Mlp {
    hidden: nn::Linear,
    out: nn::Linear,
}

#[component]
pub enum Act {
    Relu,
    Leaky {
        // mistake: a default that nobody would know
        #[config(default = 0.1)]
        slope: f64,
    },
    // mistake: a role
    Elu(#[state] f64),
}

fn main() {
    let _ = Act::Leaky { slope: 0.1 }.clone();
}

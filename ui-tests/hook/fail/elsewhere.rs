//! Words of other engines: each is told what it is here.

use engine::prelude::*;

// mistake: a level of MMEngine
#[hook(priority = "VERY_HIGH")]
pub struct A {}

// mistake: another
#[hook(priority = VERY_LOW)]
pub struct B {}

// mistake: and another
#[hook(priority = "above_normal")]
pub struct C {}

// mistake: below zero
#[hook(priority = -10)]
pub struct D {}

// mistake: the level by another name
#[hook(level = "HIGH")]
pub struct E {}

// mistake: a setting as an argument
#[hook(every_n_epochs = 5)]
pub struct F {}

// mistake: an interval too
#[hook(interval = 10)]
pub struct G {
    // mistake: a buffer
    #[buffer]
    seen: Option<f64>,
    // mistake: a parameter
    #[param(default = 3)]
    most: u64,
    // mistake: what is not saved
    #[skip]
    scratch: Vec<f64>,
}

macro_rules! phases_of {
    ($($hook:ident)*) => { $(
        #[phases]
        impl $hook {
            fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
                Ok(())
            }
        }
    )* };
}
phases_of!(A B C D E F G);

fn main() {
    let _ = |g: G| (g.seen, g.most, g.scratch);
}

//! Two attributes of the engine on one struct.

use engine::prelude::*;

#[hook]
// mistake: the same once more
#[hook(priority = "LOW")]
pub struct A {}

#[hook]
// mistake: a hook's settings are a component without it
#[component]
pub struct B {
    #[config(default = 3)]
    every: u64,
}

#[hook]
// mistake: a hook is no trainer
#[trainer(by_epoch)]
pub struct C {}

#[hook]
// mistake: its phases are in a block
#[phases]
pub struct D {}

#[phases]
// mistake: on the struct, in the other order
#[hook]
pub struct E {}

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
phases_of!(A B C);

#[hook]
pub struct F {}

#[phases]
// mistake: a block twice
#[phases]
impl F {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = |b: B| b.every;
}

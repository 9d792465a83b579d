//! Names of types that are not found within `<…>`: the compiler tells of each once.

use engine::prelude::*;

#[hook]
pub struct Watch {
    #[config]
    // mistake: a setting
    levels: Vec<Level>,
    #[state]
    // mistake: a state
    seen: Option<Tenser>,
    #[transient]
    // mistake: what is not saved
    scratch: Vec<Scratch>,
}

#[phases]
impl Watch {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}

//! A field that is being written: the compiler tells of it, and the hook is there.

use engine::prelude::*;

#[hook]
pub struct Watch {
    #[state]
    seen: u64,
    // mistake: only a name
    #[config]
    every
}

#[phases]
impl Watch {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.seen += 1;
        Ok(())
    }
}

#[hook]
pub struct Marked {
    // mistake: an attribute without a name
    #[]
    every: u64,
    #[state]
    seen: u64,
}

#[phases]
impl Marked {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.seen += self.every;
        Ok(())
    }
}

fn main() {}

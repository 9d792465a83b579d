//! `resets_state` where nothing is reset, and a level in quotes.

use engine::prelude::*;

#[hook]
pub struct Watch {
    // mistake: there is no state
    #[config(default = 1, resets_state)]
    every: u64,
    #[transient]
    seen: u64,
}

#[phases]
impl Watch {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.seen += self.every;
        Ok(())
    }
}

// mistake: a number in quotes
#[hook(priority = "40")]
pub struct Other {}

#[phases]
impl Other {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// mistake: a value in the place of arguments
#[hook = "LOW"]
pub struct Third {}

#[phases]
impl Third {
    // mistake: a shorter name
    fn after_save(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}

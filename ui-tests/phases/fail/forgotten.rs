//! Methods of a block without `#[phases]`, and names that are no phases.

use engine::prelude::*;

#[hook]
struct Report;

impl Report {
    // mistake: the block has no attribute
    #[only_ok]
    fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

#[hook]
struct Announce;

#[phases]
impl Announce {
    // mistake: the name of another engine
    #[only_ok]
    fn after_validation(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    fn before_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}

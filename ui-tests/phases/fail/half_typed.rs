//! A method that is being written: the compiler tells of it, and the other phases are there.

use engine::prelude::*;

#[hook]
pub struct Watch {
    #[state]
    seen: u64,
}

#[phases]
impl Watch {
    fn before_run(&mut self, cx: &mut Context<'_>) -> Result<()> {
        // mistake: nothing behind the point
        cx.
    }

    // mistake: an argument without a type
    fn after_train(&mut self, cx: ) -> Result<()> {
        Ok(())
    }

    // mistake: no body yet
    #[only_ok]
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()>;

    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.seen += 1;
        Ok(())
    }
}

fn main() {}

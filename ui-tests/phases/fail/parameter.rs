use engine::prelude::*;

#[hook]
pub struct E<T: engine::Saved + Default> {
    #[state]
    last: T,
}

#[phases]
// mistake: the parameter is not declared
impl E<T> {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}

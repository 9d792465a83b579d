//! An attribute at another place than the block: the hook has its phases all the same.

use engine::prelude::*;

#[hook]
pub struct A {}

impl A {
    // mistake: above a method
    #[phases]
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    fn after_train(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

#[hook]
pub struct B {}

impl B {
    fn help(&self) {}

    // mistake: above a method, by another name
    #[phase]
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.help();
        Ok(())
    }
}

#[hook]
pub struct C {}

#[hook]
// mistake: the attribute of the struct
impl C {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// mistake: on the struct too
#[phases]
#[hook]
pub struct D {}

#[phases]
impl D {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}

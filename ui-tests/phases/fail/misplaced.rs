use engine::prelude::*;

// mistake: on the struct
#[phases]
#[derive(Default)]
struct A;

trait Counts {
    fn after_run(&mut self);
}

// mistake: on the impl of a trait
#[phases]
impl Counts for A {
    fn after_run(&mut self) {}
}

// mistake: on a function
#[phases]
fn after_run(_cx: &mut Context<'_>) -> Result<()> {
    Ok(())
}

struct B<T>(T);

// mistake: on a generic block of what is neither a hook nor a trainer
#[phases]
impl<T> B<T> {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

#[hook]
struct C;

// mistake: no phase
#[phases]
impl C {}

#[hook]
struct D;

// mistake: an argument that there is not
#[phases(after_run)]
impl D {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// mistake: on a module
#[phases]
mod e {}

fn main() {
    let _ = (A, B(1).0, after_run as fn(&mut Context<'_>) -> Result<()>);
}

use engine::prelude::*;

// mistake: on an enum
#[hook]
enum A {
    Keep {
        #[config(default = 3)]
        count: usize,
    },
}

// mistake: on a function
#[hook(priority = "HIGH")]
fn after_train_iter(_cx: &mut Context<'_>) -> Result<()> {
    Ok(())
}

// mistake: on a tuple struct
#[hook]
struct B(#[config] usize);

// mistake: on a struct that borrows
#[hook]
struct C<'a> {
    #[config]
    keep: &'a u64,
}

struct D;

// mistake: on the block of phases
#[hook]
impl D {
    fn after_run(&mut self) {}
}

// mistake: on a trait
#[hook]
trait E {}

// mistake: on a union
#[hook]
union F {
    a: u8,
    b: i8,
}

fn main() {
    let _ = A::Keep { count: 3 };
    let (b, c) = (B(3), C { keep: &3 });
    let _ = (b.0, c.keep, after_train_iter as fn(&mut Context<'_>) -> Result<()>);
    D.after_run();
    let f = F { a: 1 };
    let _ = unsafe { f.b };
}

use engine::prelude::*;

// mistake: on a tuple struct
#[component]
struct A(i64);

// mistake: on a struct that borrows
#[component]
struct B<'a> {
    #[config]
    width: &'a i64,
}

// mistake: on a function
#[component(metric)]
fn accuracy() {}

// mistake: on an impl
#[component(model)]
impl A {}

fn main() {
    accuracy();
    let _ = (A(3).0, B { width: &3 }.width);
}

use engine::prelude::*;

// mistake: on a tuple struct
#[component]
struct A(i64);

// mistake: on a generic struct
#[component]
struct B<T> {
    #[config]
    width: T,
}

// mistake: on a function
#[component(metric)]
fn accuracy() {}

// mistake: on an impl
#[component(model)]
impl A {}

fn main() {
    accuracy();
    let _ = (A(3).0, B { width: 3 }.width);
}

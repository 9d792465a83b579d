use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

// mistake: on an enum
#[trainer(by_epoch)]
enum A {
    Small(#[model] Cnn),
}

// mistake: on a function
#[trainer(by_epoch)]
fn train_step() {}

// mistake: on a tuple struct
#[trainer(by_epoch)]
struct B(#[model] Cnn, #[loader(train)] Loader<Digits>);

// mistake: on a struct that borrows
#[trainer(by_epoch)]
struct C<'a> {
    #[model]
    net: &'a Cnn,
}

// mistake: on an impl
#[trainer(by_epoch)]
impl B {}

// mistake: on a struct without fields
#[trainer(by_epoch)]
struct D;

fn main() {
    train_step();
    let _ = (A::Small(Cnn), |b: B| (b.0, b.1), C { net: &Cnn }.net, D);
}

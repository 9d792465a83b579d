//! Where the attribute belongs, and what it takes.

use engine::prelude::*;
// mistake: a struct
#[schedule]
struct Slow {
    every: u64,
}
// mistake: an unknown argument
#[schedule(every = 3)]
fn every_third(_: WindowPosition) -> f64 {
    1.0
}
// mistake: a name that means something else in files
#[schedule]
fn off(_: WindowPosition) -> f64 {
    1.0
}
struct Down;
impl Down {
    // mistake: a function of a type
    #[schedule]
    fn down(_: WindowPosition) -> f64 {
        1.0
    }
}
fn main() {
    let _ = (Down, Down::down);
    let _ = Slow { every: 3 }.every;
}

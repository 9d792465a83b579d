//! A default that is a constant and lies outside its range, and a range of another type.

use engine::prelude::*;
use std::f64::consts::PI;

const WIDTH: i64 = 0;

#[hook]
pub struct Watch {
    // mistake: above
    #[config(default = PI, range = 0.0..1.0)]
    a: f64,
    // mistake: no number
    #[config(default = f64::NAN, range = 0.0..)]
    b: f64,
    // mistake: below, with an end that is a constant
    #[config(default = -PI / 2.0, range = 0.0..=PI)]
    c: f64,
    #[config(default = PI / 4.0, range = 0.0..=PI)]
    right: f64,
    // mistake: an end without its point
    #[config(default = 0.5, range = 0..1)]
    share: f64,
}

#[phases]
impl Watch {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        let _ = (self.a, self.b, self.c, self.right, self.share);
        Ok(())
    }
}

#[component]
pub struct NetConfig {
    // mistake: a constant of the program
    #[config(default = WIDTH, range = 1..)]
    pub width: i64,
}

fn main() {}

//! Arguments of `#[config]` whose meaning is clear.

use engine::prelude::*;

pub struct Level(f64);

#[hook]
pub struct Watch {
    // mistake: both ends, in two arguments
    #[config(default = 0.1, min = 0.0, max = 1.0)]
    share: f64,
    // mistake: a colon, at a type without a `Default`
    #[config(default: "val/loss")]
    metric: MetricName,
    // mistake: nothing behind the sign
    #[config(default = )]
    other: MetricName,
    // mistake: serde
    #[serde(default)]
    delta: f64,
    // mistake: a text for a number
    #[config(default = "0.5", range = 0.0..1.0)]
    text: f64,
    // mistake: serde besides
    #[state]
    #[serde(skip)]
    seen: u64,
}

#[phases]
impl Watch {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// mistake: above the attribute of the struct
#[phases]
#[hook]
pub struct Above {
    #[config(default = 1)]
    every: u64,
    #[state]
    seen: u64,
}

// mistake: a derive
#[derive(Hook)]
pub struct Derived {
    #[config(default = 1)]
    every: u64,
    #[state]
    seen: u64,
}

// mistake: one phase
#[phase]
impl Derived {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.seen += self.every;
        Ok(())
    }
}

fn main() {
    let _ = Level(0.5).0;
}

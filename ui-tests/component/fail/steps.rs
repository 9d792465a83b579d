use engine::loops::{BatchStep, StepProcessor};
use engine::prelude::*;

// mistake: a step processor that takes no step
#[component(step)]
struct Chunks {
    #[config(range = 1..)]
    samples: usize,
}

// mistake: without `process`
#[component(step)]
struct Half {}

impl StepProcessor for Half {}

// mistake: an enum
#[component(step)]
enum Either {
    Whole,
    Parts,
}

// mistake: another kind too
#[component(step, loop)]
struct Both {}

// mistake: state, which a step processor does not have
#[component(step)]
struct Counts {
    #[state]
    seen: u64,
}

impl StepProcessor for Counts {
    fn process(&self, batch: &mut dyn BatchStep) -> Result<()> {
        batch.compute()
    }
}

// mistake: a misspelt kind
#[component(stp)]
struct Misspelt {}

fn main() {
    let _ = (Chunks { samples: 1 }.samples, Half {}, Either::Whole, Either::Parts, Both {}, Misspelt {});
    let _ = Counts { seen: 0 }.seen;
}

//! What no file can hold, once for each field however the type is written.

use engine::prelude::*;

#[component]
struct Warm {
    // mistake: a function
    f: fn(f64) -> f64,
    // mistake: a type of three words
    since: std::time::Instant,
    // mistake: a type with a parameter
    stages: Vec<Stage>,
}

struct Stage;

#[hook]
struct Guard {
    // mistake: what threads can't share
    #[config]
    text: std::rc::Rc<String>,
}

#[phases]
impl Guard {
    fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
        let _ = &self.text;
        Ok(())
    }
}

// mistake: a dataset in the place of its settings
#[component(dataset)]
struct Flowers {
    samples: usize,
    all: SharedTensor,
}

// mistake: a level in the place of its key
#[hook(LOW)]
struct Early;

#[phases]
impl Early {
    fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}

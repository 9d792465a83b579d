use engine::prelude::*;

// mistake: a hook that takes part in nothing
#[hook(priority = "HIGH")]
struct Silent {
    #[config(default = 8)]
    keep: usize,
    #[state]
    seen: Vec<f64>,
}

impl Silent {
    fn count(&self) -> usize {
        self.keep + self.seen.len()
    }
}

fn main() {
    let _ = Silent::count;
}

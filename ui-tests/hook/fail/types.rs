use engine::prelude::*;
use std::time::Instant;

#[derive(Debug)]
struct Mine;

#[hook]
struct Ema {
    // mistake: a state that can't be saved
    #[state]
    started: Option<Instant>,
    // mistake: a state of a type of the user's own
    #[state]
    mine: Mine,
    // mistake: a type that a file can't hold
    #[config]
    device: Mine,
    // mistake: nothing to start from
    #[transient]
    since: Instant,
    // mistake: a range of what is no number
    #[config(default = "val/loss", range = 1..)]
    by: String,
    // mistake: a default of another type
    #[config(default = "8")]
    keep: usize,
    // mistake: a range of another type
    #[config(default = 0.5, range = 0..=1)]
    decay: f64,
}

impl Default for Mine {
    fn default() -> Self {
        Mine
    }
}

#[phases]
impl Ema {
    fn after_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.started = Some(self.since);
        self.keep += self.by.len();
        self.decay += 1.0;
        self.mine = Mine;
        self.device = Mine;
        Ok(())
    }
}

fn main() {}

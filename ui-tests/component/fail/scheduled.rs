//! What a schedule can change, and what it can't.

use engine::prelude::*;
#[component]
struct Layer {
    // mistake: a component is read once
    #[config(default = 0.1, scheduled)]
    dropout: f64,
}
#[hook]
struct Noise {
    // mistake: no `f64`
    #[config(default = 3, scheduled)]
    count: u64,
    // mistake: the state depends on it
    #[config(default = 0.5, resets_state, scheduled)]
    strength: f64,
    #[config(default = 0.5, range = 0.0..=1.0, scheduled)]
    right: f64,
    #[state]
    seen: u64,
}
#[phases]
impl Noise {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}
fn main() {
    let _ = Layer { dropout: 0.1 }.dropout;
}

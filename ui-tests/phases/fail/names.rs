use engine::prelude::*;

#[hook]
struct Ema;

#[phases]
impl Ema {
    // mistake: a misspelt phase
    fn after_val_itr(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: a phase of another engine
    fn on_step_begin(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: a helper
    fn update(&mut self) {}
    // mistake: a constant
    const DECAY: f64 = 0.9;
    // mistake: a phase twice
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.update();
        Ok(())
    }
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Ema::DECAY;
}

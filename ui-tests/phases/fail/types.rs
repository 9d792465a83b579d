use engine::prelude::*;

#[derive(Debug)]
struct Mine;

#[hook]
struct Ema;

#[phases]
impl Ema {
    // mistake: another context
    fn before_run(&mut self, _cx: &mut Mine) -> Result<()> {
        Ok(())
    }
    // mistake: another result
    fn before_train(&mut self, _cx: &mut Context<'_>) -> Result<u32> {
        Ok(3)
    }
    // mistake: no result
    fn after_train(&mut self, _cx: &mut Context<'_>) -> bool {
        true
    }
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}

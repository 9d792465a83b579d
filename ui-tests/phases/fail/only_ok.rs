use engine::prelude::*;

#[hook]
struct Report;

#[phases]
impl Report {
    // mistake: a phase that opens something is never called on the way out
    #[only_ok]
    fn before_val(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: nor is one in between
    #[only_ok]
    fn after_forward(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: this one is for what does not go well
    #[only_ok]
    fn on_exception(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: an argument
    #[only_ok(true)]
    fn after_val(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: twice
    #[only_ok]
    #[only_ok]
    fn after_train(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}

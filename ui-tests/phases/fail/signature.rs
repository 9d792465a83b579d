use engine::prelude::*;

#[hook]
struct Ema;

#[phases]
impl Ema {
    // mistake: a shared borrow
    fn before_run(&self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: by value
    fn before_train(self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: no method
    fn before_train_epoch(_cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: no context
    fn before_train_iter(&mut self) -> Result<()> {
        Ok(())
    }
    // mistake: a context that can't be changed
    fn before_train_batch(&mut self, _cx: &Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: a context by value
    fn after_forward(&mut self, _cx: Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: more than the context
    fn after_backward(&mut self, _cx: &mut Context<'_>, _loss: f64) -> Result<()> {
        Ok(())
    }
    // mistake: no result
    fn after_train_batch(&mut self, _cx: &mut Context<'_>) {}
    // mistake: async
    async fn before_optimizer_step(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: unsafe
    unsafe fn after_optimizer_step(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: generic
    fn after_train_iter<T>(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}

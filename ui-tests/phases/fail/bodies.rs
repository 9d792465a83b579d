//! What the bodies do that were written for the right signature is no second mistake.

use engine::prelude::*;
#[hook]
struct H {
    #[state]
    n: f64,
    #[state]
    v: Vec<f64>,
    #[transient]
    s: Option<String>,
}
fn look(_: &Context<'_>) {}
fn touch(cx: &mut Context<'_>) {
    cx.stop("x");
}
#[phases]
impl H {
    // mistake: a context that can't be changed
    fn before_run(&mut self, cx: &Context<'_>) -> Result<()> {
        look(cx);
        look(&cx);
        cx.stop("x");
        touch(cx);
        Ok(())
    }
    // mistake: a shared borrow
    fn before_train(&self, _cx: &mut Context<'_>) -> Result<()> {
        self.n += 1.0;
        self.v.push(1.0);
        Ok(())
    }
    // mistake: no method
    fn before_train_epoch(_cx: &mut Context<'_>) -> Result<()> {
        self.n += 1.0;
        Ok(())
    }
    // mistake: no context
    fn before_train_iter(&mut self) -> Result<()> {
        cx.stop("x");
        Ok(())
    }
    // mistake: a context by value
    fn after_forward(&mut self, cx: Context<'_>) -> Result<()> {
        cx.stop("x");
        look(&cx);
        Ok(())
    }
    // mistake: more than the context
    fn after_backward(&mut self, _cx: &mut Context<'_>, loss: f64) -> Result<()> {
        self.n += loss;
        Ok(())
    }
    // mistake: no result, and a `?`
    fn after_train_batch(&mut self, cx: &mut Context<'_>) {
        let _ = cx.output()?;
        self.n += 1.0;
    }
    // mistake: async
    async fn before_optimizer_step(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        other().await;
        Ok(())
    }
    // mistake: unsafe
    unsafe fn after_optimizer_step(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        unsafe { danger() };
        Ok(())
    }
    // mistake: const
    const fn after_load_checkpoint(&mut self, cx: &mut Context<'_>) -> Result<()> {
        touch(cx);
        Ok(())
    }
    // mistake: generic
    fn after_train_iter<T: Default>(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        let _ = T::default();
        Ok(())
    }
    // mistake: a context that can't be changed, and another result
    fn before_val(&mut self, cx: &Context<'_>) -> Result<f64> {
        cx.stop("x");
        Ok(1.0)
    }
    // mistake: no result, and one at the end
    fn after_val(&mut self, cx: &mut Context<'_>) {
        touch(cx);
        Ok(())
    }
    // mistake: by value, changed and moved out of
    fn after_val_iter(mut self, cx: &mut Context<'_>) -> Result<()> {
        self.n += 1.0;
        cx.stop("x");
        drop(self.s);
        Ok(())
    }
    // mistake: by value
    fn before_val_iter(self, cx: &mut Context<'_>) -> Result<()> {
        self.n += 1.0;
        Ok(())
    }
    // mistake: no result, in words
    fn before_save_checkpoint(&mut self, cx: &mut Context<'_>) -> () {
        if self.n > 3.0 {
            return;
        }
        self.v.push(3.0)
    }
    // mistake: no result, and a call at the end
    fn after_save_checkpoint(&mut self, cx: &mut Context<'_>) {
        self.helper(cx)
    }
    // mistake: a borrow in words
    fn after_train(self: &Self, cx: &mut Context<'_>) -> Result<()> {
        cx.stop("x");
        self.helper(cx)
    }
    // mistake: two borrows and a result
    fn before_test(&self, cx: &Context<'_>) {
        if self.n > 0.0 {
            self.helper(cx)?
        }
        match self.n > 1.0 {
            true => Ok(()),
            false => self.helper(cx),
        }
    }
    // mistake: nothing
    fn after_test() {}
    // mistake: `self` under another name
    fn before_predict(this: &mut Self, cx: &mut Context<'_>) -> Result<()> {
        this.n = 0.0;
        this.helper(cx)
    }
    // mistake: no method, and a context that can't be changed
    fn after_predict(cx: &Context<'_>) -> Result<()> {
        cx.stop("y");
        self.n = 3.0;
        Ok(())
    }
    // mistake: something else than the context
    fn after_run(&mut self, n: f64) -> Result<()> {
        cx.stop("y");
        self.n = n;
        Ok(())
    }
}
impl H {
    fn helper(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}
async fn other() {}
unsafe fn danger() {}
fn main() {}

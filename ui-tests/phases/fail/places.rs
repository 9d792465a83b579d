//! Names of other engines for places of test and prediction, their context, and `#[only_ok]` out of place.

use engine::prelude::*;

#[hook]
struct Report;

#[phases]
impl Report {
    // mistake: a batch of a test
    fn before_test_batch(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: its end
    fn after_test_batch(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: a batch of a prediction
    fn before_predict_batch(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: its end
    fn after_predict_batch(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: a step
    fn on_step(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: the runner of MMEngine
    fn before_train(&mut self, runner: &mut Runner) -> Result<()> {
        let _ = runner.epoch();
        Ok(())
    }
    // mistake: a word like it
    #[only_if_ok]
    fn after_train(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: misspelt
    #[onlyok]
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

#[hook]
struct Other;

// mistake: on the block
#[only_ok]
#[phases]
impl Other {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.helper();
        Ok(())
    }
}

impl Other {
    // mistake: on another method
    #[only_ok]
    fn helper(&self) {}
}

fn main() {}

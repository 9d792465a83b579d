//! Names of other engines: each is told the phase of the same place.

use engine::prelude::*;

#[hook]
pub struct Ported {}

#[phases]
impl Ported {
    // mistake: Lightning
    fn setup(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: Lightning
    fn on_fit_start(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: Lightning
    fn on_train_batch_end(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: Lightning
    fn on_before_backward(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: Lightning
    fn on_validation_epoch_end(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: Lightning
    fn on_test_batch_start(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: Lightning
    fn teardown(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: HAT
    fn on_backward_end(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: HAT
    fn on_optimizer_step_end(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: vision3d-engine
    fn before_val_step(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: vision3d-engine
    fn before_train_step(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: Ignite
    fn iteration_completed(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: Ignite
    fn epoch_started(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    // mistake: many
    fn before_step(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {}

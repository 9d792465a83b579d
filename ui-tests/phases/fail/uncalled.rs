//! Methods that nothing would call.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

// mistake: phases of a dataset
#[phases]
impl Digits {
    fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// mistake: phases of a metric
#[phases]
impl Loss {
    fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// mistake: a phase beside the block
#[hook]
pub struct Watch {}

#[phases]
impl Watch {
    fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.look();
        Ok(())
    }
}

impl Watch {
    fn look(&self) {}

    pub fn before_train(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// mistake: a phase of a trainer without a block
#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

impl Digit {
    pub fn after_train_epoch(&mut self, _: &mut Context<'_>) -> Result<()> {
        let _ = &self.net;
        Ok(())
    }
}

steps!(Digit);

fn main() {}

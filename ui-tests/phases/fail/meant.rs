//! What was meant as a phase, and is written as something else.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[hook]
struct Ema;

#[phases]
impl Ema {
    // mistake: a misspelt phase, with a context that can't be changed
    fn after_ruN(&self, cx: &Context<'_>) -> Result<()> {
        cx.stop("enough");
        Ok(())
    }
    // mistake: a phase of another engine, with the signature it has there
    fn on_train_start(&mut self, cx: &Context<'_>) {
        cx.stop("enough");
    }
    // mistake: a type
    type Seen = u64;
    fn before_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

#[hook]
struct Counter;

// mistake: the phases of the trait
#[phases]
impl Hook for Counter {
    fn after_run(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.stop("enough");
        Ok(())
    }
}

#[hook]
struct Watch;

#[phases]
impl Watch {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

#[trainer(by_epoch)]
struct Classifier {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

steps!(Classifier);

// mistake: phases in the trait of the steps
#[phases]
impl Steps for Classifier {
    fn before_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.stop("enough");
        Ok(())
    }
}

// mistake: a second block
#[phases]
impl Watch {
    fn before_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = (Ema::NAME, Counter::NAME, Watch::NAME);
}

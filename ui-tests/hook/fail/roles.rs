use engine::prelude::*;

#[hook]
struct Ema {
    // mistake: no role
    decay: f64,
    // mistake: a misspelt role
    #[cofig(default = 3)]
    interval: u64,
    // mistake: a role that there is not
    #[frozen]
    kept: bool,
    // mistake: two roles
    #[config(default = 1)]
    #[state]
    updates: u64,
    // mistake: a role twice
    #[state]
    #[state]
    seen: u64,
    // mistake: a role of trainers
    #[optimizer]
    opt: u64,
    // mistake: arguments where there are none
    #[state(default = 1.0)]
    best: f64,
    // mistake: a key that every hook has
    #[config(default = 3)]
    level: u8,
}

#[phases]
impl Ema {
    fn after_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        // the fields are still there
        self.updates += self.interval + self.seen + self.opt + u64::from(self.kept) + u64::from(self.level);
        self.best = self.decay;
        Ok(())
    }
}

fn main() {}

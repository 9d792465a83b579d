use engine::prelude::*;
use std::time::Instant;

#[hook]
struct Ema {
    // mistake: a text without a lifetime
    #[config]
    by: &str,
    // mistake: a text that no file can lend
    #[config(default = "val/loss")]
    name: &'static str,
    // mistake: another one
    #[config]
    title: Option<&'static str>,
    // mistake: neither saved nor started from anything
    #[state]
    started: Instant,
    // functions may borrow
    #[transient]
    format: Option<Box<dyn Fn(&str) -> String>>,
}

#[phases]
impl Ema {
    fn after_run(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let format = self.format.as_ref().map(|format| format(self.name));
        cx.say(self.title.or(format.as_deref()).unwrap_or(self.by))
    }
}

fn main() {
    let _ = Ema::NAME;
}

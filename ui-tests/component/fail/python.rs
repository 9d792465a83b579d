//! Fields as a class of Python has them, and fields that are there twice.

use engine::prelude::*;

#[component]
pub struct NetConfig {
    // mistake: no owner
    pub root: str,
    pub width: i64,
    // mistake: the same name once more
    pub width: f64,
}

#[hook]
struct Watch {
    // mistake: no owner
    #[config(default = "loss")]
    name: str,
    #[state]
    seen: u64,
    // mistake: the same name once more
    #[state]
    seen: u64,
}

#[phases]
impl Watch {
    fn before_run(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.say(&format!("{} {}", self.name, self.seen))
    }
}

fn main() {
    let config = NetConfig { root: String::new(), width: 3 };
    let _ = config.clone().width + 1;
}

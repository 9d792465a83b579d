//! Defaults as in a class of Python. The compiler tells of the syntax, and the macro what to write.

use engine::prelude::*;

#[component]
pub struct NetConfig {
    // mistake: a default behind the type
    // mistake: the compiler's words for it
    pub width: i64 = 64,
    pub depth: i64,
}

fn main() {
    let config = NetConfig { width: 3, depth: 2 };
    let _ = config.clone().width + config.depth;
}

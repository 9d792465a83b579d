//! Two attributes of the engine on one type.

use engine::prelude::*;

#[component]
// mistake: the same once more
#[component]
pub struct AConfig {
    pub width: i64,
}

#[component]
// mistake: a component that is a hook
#[hook]
pub struct BConfig {
    pub width: i64,
}

#[component(dataset)]
// mistake: an enum or struct is one of the two
#[engine::trainer(by_epoch)]
pub struct CConfig {
    pub width: i64,
}

#[component]
// mistake: phases are in a block
#[phases]
pub struct DConfig {}

#[component]
// mistake: an enum twice
#[component]
pub enum Split {
    Train,
    Val,
}

fn main() {
    let _ = (AConfig { width: 1 }.width, BConfig { width: 2 }, CConfig { width: 3 }.clone(), Split::Train.clone());
}

use engine::prelude::*;

#[component]
struct CnnConfig {
    // mistake: a role of trainers
    #[model]
    net: u64,
    // mistake: a misspelt role
    #[confg(default = 32)]
    width: i64,
    // mistake: a default outside its range
    #[config(default = 32, range = 1..=16)]
    depth: i64,
    // mistake: there is no state to reset
    #[config(default = 1, resets_state)]
    heads: i64,
}

#[component(dataset)]
struct DigitsConfig {
    // mistake: a state among settings
    #[state]
    seen: u64,
    // mistake: something transient among settings
    #[transient]
    scratch: u64,
}

fn main() {
    let _ = DigitsConfig { seen: 1, scratch: 1 };
    let config = CnnConfig { net: 1, width: 1, depth: 1, heads: 1 };
    let _ = config.clone();
}

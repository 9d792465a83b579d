use engine::prelude::*;

// mistake: a misspelt kind
#[component(metrics)]
struct AConfig {}

// mistake: two kinds
#[component(dataset, schedule)]
struct BConfig {}

// mistake: a name that a file can't hold
#[component(name = "2d")]
struct CConfig {}

// mistake: a model that can't be told from the name
#[component(model)]
struct D {}

// mistake: an enum that is a model
#[component(model)]
enum EConfig {
    Small,
}

// mistake: a kind with a value
#[component(dataset = Digits)]
struct FConfig {}

// mistake: an unknown argument
#[component(strict)]
struct GConfig {}

fn main() {
    fn is_setting<T: Clone + std::fmt::Debug>(_: T) {}
    is_setting((AConfig {}, BConfig {}, CConfig {}, D {}, EConfig::Small, FConfig {}, GConfig {}));
}

use engine::prelude::*;

struct Mine;

#[component]
enum Norm {
    Batch {
        // mistake: a field of a type that a file can't hold
        own: Mine,
        eps: f64,
    },
    // mistake: one without a name
    Group(Mine),
    None,
}

#[component]
struct CnnConfig {
    norm: Norm,
}

fn main() {
    let config = CnnConfig { norm: Norm::Batch { own: Mine, eps: 0.1 } };
    let _ = (config.clone().norm, Norm::Group(Mine), Norm::None);
}

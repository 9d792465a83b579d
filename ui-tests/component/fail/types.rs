use engine::prelude::*;

enum Norm {
    Batch,
}

#[component]
struct CnnConfig {
    // mistake: a type that a file can't hold
    norm: Norm,
    // mistake: a range of what is no number
    #[config(range = 1..)]
    name: String,
    // mistake: a default of another type
    #[config(default = 0.5)]
    width: i64,
    // mistake: a text can't exist
    #[config(exists)]
    path: String,
}

// mistake: a model that is none
#[component(model)]
struct MlpConfig {}

#[derive(Debug)]
struct Mlp;

#[derive(Debug)]
struct Conv;

#[component]
struct OtherConfig {}

impl Model for Conv {
    type Config = OtherConfig;
    fn build(_: &nn::Path<'_>, _: &OtherConfig) -> Result<Self> {
        Ok(Conv)
    }
}

impl Net for Conv {
    fn forward(&self, input: &Tensor, _: bool) -> Result<Tensor> {
        Ok(input.shallow_clone())
    }
}

// mistake: the settings of another model
#[component(model)]
struct ConvConfig {}

#[derive(Debug)]
struct Lone;

impl Model for Lone {
    type Config = LoneConfig;
    fn build(_: &nn::Path<'_>, _: &LoneConfig) -> Result<Self> {
        Ok(Lone)
    }
}

// mistake: a model that has no `forward`
#[component(model)]
struct LoneConfig {}

// mistake: an optimizer that is none
#[component(optimizer)]
struct Fast {}

// mistake: a schedule that is none
#[component(schedule)]
struct Slow {}

// mistake: a sampler that is none
#[component(sampler)]
struct Every {}

// mistake: a metric that measures nothing
#[component(metric)]
#[derive(Debug)]
struct Accuracy {
    #[state]
    right: u64,
}

fn main() {
    let config = CnnConfig { norm: Norm::Batch, name: String::new(), width: 1, path: String::new() };
    let _ = (config.clone(), Mlp, Accuracy { right: 1 }.right);
}

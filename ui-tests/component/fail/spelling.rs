//! Names of types that are not found within `<…>`: the compiler tells of each once.

use engine::prelude::*;

#[component]
pub struct MlpConfig {
    // mistake: in a struct
    pub layers: Vec<Layer>,
    // mistake: with a default
    #[config(default)]
    pub act: Option<Act>,
}

#[component]
pub enum Warmup {
    None,
    // mistake: in a variant
    Steps(Vec<Step>),
}

#[component(metric)]
#[derive(Debug)]
pub struct Recall {
    #[config]
    // mistake: in a metric
    classes: Vec<Class>,
    #[state]
    // mistake: in its state
    sums: Vec<Sum>,
}

impl Metric for Recall {
    fn update(&mut self, _: &Output, _: usize) -> Result<()> {
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(Vec::new())
    }
    fn reset(&mut self) {}
    fn merge(&mut self, _: engine::base::StateMap) -> Result<()> {
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        Vec::new()
    }
}

fn main() {}

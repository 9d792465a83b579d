use engine::prelude::*;

// mistake: settings by the name of how they are merged
#[component]
struct PatchConfig {
    width: i64,
}

// mistake: nothing
#[component(dataset, name = "None")]
struct NothingConfig {}

// mistake: an environment variable
#[component(metric)]
#[derive(Debug)]
struct Env {
    #[state]
    seen: u64,
}

impl Metric for Env {
    fn update(&mut self, _: &Output, _: usize) -> Result<()> {
        self.seen += 1;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(Vec::new())
    }
    fn reset(&mut self) {
        self.seen = 0;
    }
    fn merge(&mut self, _: StateMap) -> Result<()> {
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        Vec::new()
    }
}

// mistake: a reference
#[component]
struct RefConfig {
    width: i64,
}

#[component]
enum Change {
    // mistake: one value under the name of how values are merged
    Replace(f64),
    // with several values, or fields, it can't be mistaken
    Append(i64, i64),
    Patch { size: i64 },
    // mistake: two values under the name of an operation
    Mul(f64, f64),
    Ref(i64, i64),
}

fn main() {
    let _ = (PatchConfig { width: 1 }.width, RefConfig { width: 1 }.width, NothingConfig {}, Change::Replace(0.5));
    let _ = (Change::Append(1, 2), Change::Patch { size: 16 }, Change::Mul(0.5, 2.0), Change::Ref(1, 2));
}

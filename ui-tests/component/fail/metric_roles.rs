use engine::prelude::*;

#[component(metric)]
#[derive(Debug)]
struct Loss {
    // mistake: no role
    sum: f64,
    // mistake: a role of trainers
    #[metric]
    inner: u64,
    // mistake: states of metrics are joined
    #[state(per_rank)]
    seen: u64,
}

impl Metric for Loss {
    fn update(&mut self, _: &Output, _: usize) -> Result<()> {
        self.sum += 1.0;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(Vec::new())
    }
    fn reset(&mut self) {
        self.inner = 0;
    }
    fn merge(&mut self, _: engine::base::StateMap) -> Result<()> {
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        Vec::new()
    }
}

fn main() {}

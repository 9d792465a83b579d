use engine::prelude::*;

#[component]
struct CnnConfig {
    // mistake: a text without a lifetime
    name: &str,
    // mistake: a text that no file can lend
    activation: &'static str,
    // mistake: one that it may leave out
    #[config(default = "relu")]
    last: &'static str,
    width: i64,
}

// mistake: a metric that is not `Debug`
#[component(metric)]
struct Loss {
    #[state]
    sum: f64,
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
        self.sum = 0.0;
    }
    fn merge(&mut self, _: StateMap) -> Result<()> {
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        Vec::new()
    }
}

fn main() {
    let config = CnnConfig { name: "a", activation: "b", last: "c", width: 3 };
    let _ = (config.clone().name, config.activation, config.last, config.width);
}

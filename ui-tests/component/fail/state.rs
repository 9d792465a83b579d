//! A struct with state under plain `#[component]`: whichever kind is meant, the rest of the program is right.

use engine::prelude::*;
use engine::record::{Event, RunInfo, Sink};

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[component]
#[derive(Debug)]
pub struct Hits {
    name: String,
    // mistake: a metric without its kind
    #[state]
    hits: u64,
}

impl Metric for Hits {
    fn update(&mut self, _: &Output, samples: usize) -> Result<()> {
        self.hits += samples as u64;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![(self.name.clone(), self.hits as f64)])
    }
    fn reset(&mut self) {
        self.hits = 0;
    }
    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        self.hits += other.take::<u64>("hits")?;
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(&self.name, Better::Higher)]
    }
}

#[component]
pub struct Lines {
    // mistake: a sink without its kind
    #[transient]
    lines: u64,
}

impl Sink for Lines {
    fn open(&mut self, _: &RunInfo) -> Result<()> {
        self.lines = 0;
        Ok(())
    }
    fn event(&mut self, _: &Event) -> Result<()> {
        self.lines += 1;
        Ok(())
    }
}

// mistake: a hook is a kind of its own
#[component(hook)]
pub struct Watch {
    #[config(default = 3)]
    every: u64,
    #[state]
    seen: u64,
}

#[phases]
impl Watch {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.seen += self.every;
        Ok(())
    }
}

// mistake: a derive
#[derive(Component)]
pub struct WidthConfig {
    #[config(default = 3, range = 1..)]
    pub width: i64,
}

// mistake: a derive under another name
#[derive(Config)]
pub enum Act {
    Relu,
    Leaky(f64),
}

#[component]
pub struct Both {
    pub width: WidthConfig,
    pub act: Act,
}

#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    #[loader(val)]
    val: Loader<Digits>,
    #[metric]
    hits: Hits,
    #[hook]
    watch: Watch,
}

steps!(Digit);

impl ValStep for Digit {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

engine::main!(Digit);

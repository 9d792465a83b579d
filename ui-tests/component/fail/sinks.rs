use engine::prelude::*;
use engine::record::{Event, Sink};

// mistake: a sink that takes nothing
#[component(sink)]
struct Silent {
    #[config(default = 3)]
    digits: usize,
}

// mistake: a sink without `event`
#[component(sink)]
struct Half {
    #[state]
    seen: u64,
}

impl Sink for Half {
    fn flush(&mut self) -> Result<()> {
        self.seen += 1;
        Ok(())
    }
}

#[component(sink)]
struct Csv {
    // mistake: no role
    path: String,
    // mistake: what each sink has
    #[config(default = false)]
    required: bool,
    // mistake: a role of trainers
    #[model]
    net: u64,
}

impl Sink for Csv {
    fn event(&mut self, event: &Event) -> Result<()> {
        self.path.push_str(&event.name);
        self.net += u64::from(self.required);
        Ok(())
    }
}

#[component(sink)]
struct Tracker {
    // mistake: what no checkpoint can hold
    #[state]
    out: Option<std::fs::File>,
}

impl Sink for Tracker {
    fn event(&mut self, _: &Event) -> Result<()> {
        self.out = None;
        Ok(())
    }
}

#[component(sink)]
struct Shared {
    #[transient]
    lines: std::rc::Rc<String>,
}

// mistake: what no other thread can have
impl Sink for Shared {
    fn event(&mut self, event: &Event) -> Result<()> {
        self.lines = event.name.clone().into();
        Ok(())
    }
}

fn main() {
    let _ = Silent { digits: 3 }.digits;
}

//! Sinks of a user's own.

use engine::prelude::*;
use engine::record::{Event, Outcome, Row, RunInfo, Sink, ValueKind};

// case: only what must be written
/// Counts what was recorded.
#[component(sink)]
#[derive(Debug)]
pub struct Counter {
    #[state]
    seen: u64,
}

impl Sink for Counter {
    fn event(&mut self, _: &Event) -> Result<()> {
        self.seen += 1;
        Ok(())
    }
}

// case: every role, another name, and every method
/// Keeps what was recorded.
#[component(sink, name = "Keeper")]
#[derive(Debug)]
pub struct Keep {
    /// Where to.
    #[config(default)]
    folder: Option<std::path::PathBuf>,
    /// How often.
    #[config(default = 10.0, range = 0.0..)]
    interval: f64,
    #[state]
    position: u64,
    #[transient]
    out: Option<std::fs::File>,
    #[transient]
    kept: Vec<String>,
}

impl Sink for Keep {
    fn open(&mut self, run: &RunInfo) -> Result<()> {
        let folder = self.folder.clone().unwrap_or_else(|| run.folder.clone());
        self.out = Some(std::fs::File::create(folder.join("kept"))?);
        Ok(())
    }
    fn takes(&self, kind: ValueKind) -> bool {
        kind != ValueKind::Image && self.interval > 0.0
    }
    fn event(&mut self, event: &Event) -> Result<()> {
        self.kept.push(event.key());
        self.position += 1;
        Ok(())
    }
    fn row(&mut self, row: &Row) -> Result<()> {
        row.events().try_for_each(|event| self.event(&event))
    }
    fn line(&mut self, text: &str) -> Result<()> {
        self.kept.push(text.to_owned());
        Ok(())
    }
    fn flush(&mut self) -> Result<()> {
        self.out.as_ref().map_or(Ok(()), |out| Ok(out.sync_all()?))
    }
    fn end(&mut self, _: Outcome) -> Result<()> {
        self.kept.clear();
        Ok(())
    }
}

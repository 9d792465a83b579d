//! Where rows and lines go.

use super::{Row, RowPhase};
use crate::base::error::Result;

/// How far the current loop is, for those that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which loop.
    pub phase: RowPhase,
    /// Iters or batches that are done.
    pub done: u64,
    /// How many there will be, where it is known.
    pub total: Option<u64>,
}

/// A receiver of rows: a file, a terminal, a tracker.
#[diagnostic::on_unimplemented(message = "`{Self}` is no sink", label = "implement `engine::record::Sink` for it")]
pub trait Sink: Send {
    /// Takes one finished row.
    ///
    /// # Errors
    /// When it could not be written.
    fn row(&mut self, row: &Row) -> Result<()>;

    /// Takes one message for a person. Those that hold only numbers leave it.
    ///
    /// # Errors
    /// When it could not be written.
    fn line(&mut self, text: &str) -> Result<()> {
        let _ = text;
        Ok(())
    }

    /// Called in every iter, so it must cost next to nothing.
    fn progress(&mut self, progress: Progress) {
        let _ = progress;
    }

    /// Brings everything taken so far to where it survives the process and the machine. Called before a checkpoint.
    ///
    /// # Errors
    /// When it could not be written.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Where a run that resumes from now must continue, in bytes; `None` for a sink that has no place.
    fn position(&self) -> Option<u64> {
        None
    }
}

/// Several sinks as one. Each gets everything, also when another one fails.
#[derive(Default)]
pub struct Sinks(Vec<Box<dyn Sink>>);

impl Sinks {
    /// None yet.
    pub fn new() -> Sinks {
        Sinks::default()
    }

    /// Adds one, after the others.
    pub fn push(&mut self, sink: impl Sink + 'static) {
        self.0.push(Box::new(sink));
    }

    /// The first error, after all sinks were served.
    fn each(&mut self, mut serve: impl FnMut(&mut dyn Sink) -> Result<()>) -> Result<()> {
        let mut first = Ok(());
        for sink in &mut self.0 {
            first = first.and(serve(sink.as_mut()));
        }
        first
    }
}

impl Sink for Sinks {
    fn row(&mut self, row: &Row) -> Result<()> {
        self.each(|sink| sink.row(row))
    }

    fn line(&mut self, text: &str) -> Result<()> {
        self.each(|sink| sink.line(text))
    }

    fn progress(&mut self, progress: Progress) {
        self.0.iter_mut().for_each(|sink| sink.progress(progress));
    }

    fn flush(&mut self) -> Result<()> {
        self.each(|sink| sink.flush())
    }

    /// That of the first sink that has one.
    fn position(&self) -> Option<u64> {
        self.0.iter().find_map(|sink| sink.position())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Error;
    use std::sync::{Arc, Mutex};

    struct Broken;

    impl Sink for Broken {
        fn row(&mut self, _: &Row) -> Result<()> {
            Err(Error::msg("no row"))
        }
        fn line(&mut self, text: &str) -> Result<()> {
            Err(Error::msg(format!("no line {text}")))
        }
    }

    struct Kept(Arc<Mutex<Vec<String>>>);

    impl Sink for Kept {
        fn row(&mut self, _: &Row) -> Result<()> {
            Ok(())
        }
        fn line(&mut self, text: &str) -> Result<()> {
            self.0.lock().unwrap().push(text.to_owned());
            Ok(())
        }
        fn position(&self) -> Option<u64> {
            Some(7)
        }
    }

    #[test]
    fn a_broken_sink_does_not_keep_the_others_from_their_lines() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let mut sinks = Sinks::new();
        sinks.push(Broken);
        sinks.push(Kept(lines.clone()));
        assert_eq!(sinks.line("hello").unwrap_err().to_string(), "no line hello");
        assert_eq!(*lines.lock().unwrap(), ["hello"]);
        assert_eq!(sinks.position(), Some(7));
    }
}

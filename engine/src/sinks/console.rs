//! Lines on stdout, and a progress bar on stderr where that is a terminal.
//!
//! The bar is taken away while a line is written, so that neither garbles the other. A reader that goes away
//! (`… | head`) ends the lines, not the run: the log file has them all.

use super::format::{event_text, row_text};
use super::row_line::RowLines;
use crate::base::error::Result;
use crate::base::state::{State, StateError, StateMap};
use crate::record::{Event, Progress, Row, Sink, ValueKind};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};

/// What the person at the terminal sees.
pub struct Console {
    out: Box<dyn Write + Send>,
    open: bool,
    /// Where a bar may be drawn; taken when there is something to show.
    target: Option<ProgressDrawTarget>,
    bar: Option<ProgressBar>,
    verbosity: Verbosity,
    rows: RowLines,
    /// Whether lines go to a terminal.
    on_terminal: bool,
    /// Which loop the bar shows, and of how many steps.
    shown: Option<(&'static str, Option<u64>)>,
}

/// What the console looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsoleOptions {
    /// How much is shown.
    pub verbosity: Verbosity,
    /// Whether rows are coloured.
    pub color: bool,
}

impl From<Verbosity> for ConsoleOptions {
    fn from(verbosity: Verbosity) -> Self {
        ConsoleOptions { verbosity, color: false }
    }
}

/// How much a person wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Warnings alone.
    Quiet,
    /// Rows, messages and a bar.
    #[default]
    Normal,
    /// Also what otherwise only the log file holds.
    Verbose,
}

impl Console {
    /// Lines on stdout; the bar on stderr, if that is a terminal.
    pub fn new(options: impl Into<ConsoleOptions>) -> Console {
        let ConsoleOptions { verbosity, color } = options.into();
        let bar = verbosity != Verbosity::Quiet && std::io::stderr().is_terminal();
        let mut console = Console::on(Box::new(std::io::stdout()), bar.then(ProgressDrawTarget::stderr));
        console.verbosity = verbosity;
        console.rows.color = color;
        console.on_terminal = std::io::stdout().is_terminal();
        console
    }

    fn on(out: Box<dyn Write + Send>, target: Option<ProgressDrawTarget>) -> Console {
        let (verbosity, rows) = (Verbosity::Normal, RowLines::default());
        Console { out, open: true, target, bar: None, verbosity, rows, on_terminal: false, shown: None }
    }

    fn write(&mut self, text: &str) {
        let out = &mut self.out;
        let mut write = || out.write_all(format!("{text}\n").as_bytes()).and_then(|()| out.flush());
        let written = match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
        self.open = written.is_ok();
    }
}

impl Default for Console {
    fn default() -> Self {
        Console::new(ConsoleOptions::default())
    }
}

impl Sink for Console {
    /// Texts and tables fill a screen: they are for those who ask for more.
    fn takes(&self, kind: ValueKind) -> bool {
        match kind {
            ValueKind::Number => true,
            ValueKind::Text | ValueKind::Table => self.verbosity == Verbosity::Verbose,
            _ => false,
        }
    }

    fn event(&mut self, event: &Event) -> Result<()> {
        event_text(event).map_or(Ok(()), |text| self.line(&text))
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        if self.verbosity == Verbosity::Verbose {
            return self.line(&row_text(row));
        }
        // asked for each row: the window may have another size by now
        let size = if self.on_terminal { terminal_size::terminal_size() } else { None };
        self.rows.columns = size.map(|(width, _)| usize::from(width.0));
        let line = self.rows.line(row);
        self.line(&line)
    }

    fn line(&mut self, text: &str) -> Result<()> {
        let wanted = self.verbosity != Verbosity::Quiet || text.starts_with("warning");
        if self.open && wanted {
            self.write(text);
        }
        Ok(())
    }

    fn progress(&mut self, progress: Progress) {
        if let Some(target) = self.target.take() {
            self.bar = Some(ProgressBar::with_draw_target(None, target));
        }
        let Some(bar) = &self.bar else { return };
        let shown = Some((progress.what, progress.total));
        if self.shown != shown {
            self.shown = shown;
            bar.reset();
            bar.set_style(style(progress.total.is_some()));
            bar.set_prefix(progress.what);
            if let Some(total) = progress.total {
                bar.set_length(total);
            }
        }
        bar.set_position(progress.done);
    }
}

/// What was shown is shown: a resumed run has nothing to put back.
impl State for Console {
    fn save_state(&self) -> StateMap {
        StateMap::new()
    }

    fn load_state(&mut self, _: StateMap) -> Result<(), StateError> {
        Ok(())
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(bounded: bool) -> ProgressStyle {
    let template = match bounded {
        true => "{prefix} {wide_bar} {pos}/{len} {elapsed}<{eta}",
        false => "{prefix} {pos} {elapsed} {per_sec}",
    };
    // the templates are fixed, so the default is only for a version that would read them otherwise
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A terminal of which only lines and the cursor's row matter.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<(Vec<String>, usize)>>);

    impl Screen {
        fn lines(&self) -> Vec<String> {
            let lines = self.0.lock().unwrap().0.clone();
            lines.into_iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
        }

        fn put(&self, text: &str) {
            let (lines, row) = &mut *self.0.lock().unwrap();
            for (index, part) in text.split('\n').enumerate() {
                *row += usize::from(index > 0);
                while lines.len() <= *row {
                    lines.push(String::new());
                }
                lines[*row].push_str(part.rsplit('\r').next().unwrap());
            }
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            60
        }
        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            let row = &mut self.0.lock().unwrap().1;
            *row = row.saturating_sub(n);
            Ok(())
        }
        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            self.0.lock().unwrap().1 += n;
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.put(&format!("{text}\n"));
            Ok(())
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.put(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            let (lines, row) = &mut *self.0.lock().unwrap();
            if let Some(line) = lines.get_mut(*row) {
                line.clear();
            }
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.put(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Closed(Arc<Mutex<u32>>);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            *self.0.lock().unwrap() += 1;
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn step(done: u64) -> Progress {
        Progress { what: "train", done, total: Some(10) }
    }

    #[test]
    fn lines_and_the_bar_never_share_a_line() {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
        let mut console = Console::on(Box::new(screen.clone()), Some(target));
        for done in 1..=4 {
            console.progress(step(done));
            console.line(&format!("line {done}")).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let lines = screen.lines();
        assert_eq!(lines[..4], ["line 1", "line 2", "line 3", "line 4"], "{lines:?}");
        assert!(lines.len() == 5 && lines[4].starts_with("train") && lines[4].contains("4/10"), "{lines:?}");
        drop(console);
        assert_eq!(screen.lines(), ["line 1", "line 2", "line 3", "line 4"]);
    }

    #[test]
    fn without_a_terminal_there_are_lines_and_no_bar() {
        let screen = Screen::default();
        let mut console = Console::on(Box::new(screen.clone()), None);
        console.progress(step(1));
        console.line("only this").unwrap();
        assert_eq!(screen.lines(), ["only this"]);
    }

    #[test]
    fn a_reader_that_went_away_ends_the_lines_and_not_the_run() {
        let tries = Arc::new(Mutex::new(0));
        let mut console = Console::on(Box::new(Closed(tries.clone())), None);
        console.line("one").unwrap();
        console.line("two").unwrap();
        assert_eq!(*tries.lock().unwrap(), 1);
    }
}

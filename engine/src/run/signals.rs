//! SIGINT and SIGTERM: the first asks the loop to end in good order, a second one ends the process at once.

use crate::base::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A signal that ends a run in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`, a scheduler's time limit.
    Terminate,
}

/// Which signal has come. Clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// Those of the process.
    ///
    /// # Errors
    /// When the handlers can't be set.
    pub fn listen() -> Result<Signals> {
        let signals = Signals::default();
        let set = || -> std::io::Result<()> {
            for signal in [SIGINT, SIGTERM] {
                let again = Arc::new(AtomicBool::new(false));
                // order matters: the shutdown looks at the flag before the flag is set by the same signal
                signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))?;
                signal_hook::flag::register(signal, again)?;
                signal_hook::flag::register_usize(signal, Arc::clone(&signals.0), signal as usize)?;
            }
            Ok(())
        };
        set().map_err(|error| Error::new(error).context("signal handlers can't be set"))?;
        Ok(signals)
    }

    /// As if the signal had come: for tests, and for programs that are told to end by other means.
    pub fn raise(&self, signal: Signal) {
        let number = match signal {
            Signal::Interrupt => SIGINT,
            Signal::Terminate => SIGTERM,
        };
        self.0.store(number as usize, Ordering::Relaxed);
    }

    /// The signal that has come, if any.
    pub fn received(&self) -> Option<Signal> {
        match self.0.load(Ordering::Relaxed) as i32 {
            SIGINT => Some(Signal::Interrupt),
            SIGTERM => Some(Signal::Terminate),
            _ => None,
        }
    }
}

impl Signal {
    /// The shell's exit code for it: 130 or 143.
    pub fn exit_code(self) -> u8 {
        match self {
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
        })
    }
}

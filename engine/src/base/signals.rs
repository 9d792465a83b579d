//! Signals that ask a process to end or to save, from the first line of its `main` on.
//!
//! By default SIGINT, SIGTERM and SIGUSR1 end a process, and a command listens to them only once it knows what to do. So they
//! are caught first of all, and what came meanwhile waits for the command that listens.

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::low_level::{emulate_default_handler, unregister};
use signal_hook::{SigId, flag};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The signals that are caught.
pub const CAUGHT: [i32; 3] = [SIGINT, SIGTERM, SIGUSR1];

/// Those that nobody listens to yet.
static EARLY: Mutex<Option<Caught>> = Mutex::new(None);

/// What signals have asked for. The first SIGINT or SIGTERM is noted, the second one of a kind ends the process at once.
#[derive(Clone, Debug)]
pub struct Caught {
    /// The number of the last SIGINT or SIGTERM; 0 while there was none.
    pub end: Arc<AtomicUsize>,
    /// Whether SIGUSR1 has come.
    pub save: Arc<AtomicBool>,
    /// Whether signals do again what they do by default.
    default: Arc<AtomicBool>,
    actions: Vec<SigId>,
}

impl Caught {
    fn new() -> io::Result<Caught> {
        let (end, save, default) = (Arc::default(), Arc::default(), Arc::<AtomicBool>::default());
        let mut actions = Vec::new();
        for signal in [SIGINT, SIGTERM] {
            let again = Arc::new(AtomicBool::new(false));
            actions.push(flag::register_conditional_default(signal, Arc::clone(&default))?);
            // order matters: the shutdown looks at the flag before the flag is set by the same signal
            actions.push(flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))?);
            actions.push(flag::register(signal, again)?);
            actions.push(flag::register_usize(signal, Arc::clone(&end), signal as usize)?);
        }
        actions.push(flag::register_conditional_default(SIGUSR1, Arc::clone(&default))?);
        actions.push(flag::register(SIGUSR1, Arc::clone(&save))?);
        Ok(Caught { end, save, default, actions })
    }

    /// No signal is noted here from now on. Somebody else has to catch them already: nothing ends the process by them any more.
    pub fn leave_to_others(mut self) -> Caught {
        for action in self.actions.drain(..) {
            unregister(action);
        }
        self
    }
}

/// Catches the signals for whoever listens first. To be called as the first thing in `main`.
///
/// # Errors
/// When the handlers can't be set.
pub fn catch_early() -> io::Result<()> {
    let caught = Caught::new()?;
    *early() = Some(caught);
    Ok(())
}

/// The signals of the process from now on; with what was caught before, when nobody has asked for it yet.
///
/// # Errors
/// When the handlers can't be set.
pub fn listen() -> io::Result<Caught> {
    let caught = early().take();
    caught.map_or_else(Caught::new, Ok)
}

/// Nobody is going to listen: signals do what they do by default, also those that have come.
///
/// # Errors
/// When the system can't.
pub fn release() -> io::Result<()> {
    let Some(caught) = early().take() else { return Ok(()) };
    caught.default.store(true, Ordering::SeqCst);
    let ending = caught.end.load(Ordering::SeqCst) as i32;
    let saving = caught.save.load(Ordering::SeqCst).then_some(SIGUSR1);
    for signal in saving.into_iter().chain((ending != 0).then_some(ending)) {
        emulate_default_handler(signal)?;
    }
    Ok(())
}

fn early() -> std::sync::MutexGuard<'static, Option<Caught>> {
    EARLY.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Signals that ask a process to end or to save, from the first line of its `main` on.
//!
//! By default SIGINT, SIGTERM and SIGUSR1 end a process, and a command listens to them only once it knows what to do. So they
//! are caught first of all, and what came meanwhile waits for the command that listens. Signals that the process was started
//! to ignore stay ignored until a command listens.

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::low_level::{emulate_default_handler, unregister};
use signal_hook::{SigId, flag};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The signals that are caught.
pub const CAUGHT: [i32; 3] = [SIGINT, SIGTERM, SIGUSR1];

/// Set by [`catch_early`], and taken by the first call of [`listen`] or [`release`].
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
    /// The numbers of the signals that have handlers.
    signals: Vec<i32>,
}

impl Caught {
    fn new() -> Caught {
        let (end, save, default) = (Arc::default(), Arc::default(), Arc::default());
        Caught { end, save, default, actions: Vec::new(), signals: Vec::new() }
    }

    /// Catches a signal, if it is not caught yet.
    fn catch(&mut self, signal: i32) -> io::Result<()> {
        if self.signals.contains(&signal) {
            return Ok(());
        }
        self.actions.push(flag::register_conditional_default(signal, Arc::clone(&self.default))?);
        if signal == SIGUSR1 {
            self.actions.push(flag::register(signal, Arc::clone(&self.save))?);
        } else {
            let again = Arc::new(AtomicBool::new(false));
            // order matters: the shutdown looks at the flag before the flag is set by the same signal
            self.actions.push(flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))?);
            self.actions.push(flag::register(signal, again)?);
            self.actions.push(flag::register_usize(signal, Arc::clone(&self.end), signal as usize)?);
        }
        self.signals.push(signal);
        Ok(())
    }

    /// No signal is noted here from now on. Somebody else has to catch them already: nothing ends the process by them any more.
    pub fn leave_to_others(mut self) -> Caught {
        for action in self.actions.drain(..) {
            unregister(action);
        }
        self
    }
}

/// Notes the signals that come before the first call of [`listen`]. A signal that the process ignores stays ignored. Call it
/// first of all in `main`.
///
/// # Errors
/// When the handlers can't be set.
pub fn catch_early(is_ignored: impl Fn(i32) -> bool) -> io::Result<()> {
    let mut caught = Caught::new();
    CAUGHT.into_iter().filter(|signal| !is_ignored(*signal)).try_for_each(|signal| caught.catch(signal))?;
    *early() = Some(caught);
    Ok(())
}

/// Catches the signals of the process from now on, also those that it has ignored. The first call also gets what
/// [`catch_early`] has noted.
///
/// # Errors
/// When the handlers can't be set.
pub fn listen() -> io::Result<Caught> {
    let caught = early().take();
    let mut caught = caught.unwrap_or_else(Caught::new);
    CAUGHT.into_iter().try_for_each(|signal| caught.catch(signal))?;
    Ok(caught)
}

/// For a command that does not listen: gives the signals their default actions back, and carries out those that were noted.
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

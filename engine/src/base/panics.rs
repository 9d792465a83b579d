//! Panics of user code become errors: tch's operators panic on a wrong shape, and the run must still end in good
//! order.

use crate::base::error::{Error, Result};
use crate::base::libtorch::plain;
use crate::base::lines::caller_of;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::Once;

thread_local! {
    /// How many brackets this thread is inside of.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Where the panic that is being caught has happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic of user code, caught.
#[derive(Debug, thiserror::Error)]
#[error("{what} panicked{place}: {message}")]
pub struct Panicked {
    /// Whose code panicked.
    pub what: String,
    /// ` at file:line:column`, when it is known.
    pub place: String,
    /// The panic's message.
    pub message: String,
}

/// While a `Bracket` exists, panics of this thread are not printed; their place is kept for the errors that they
/// become.
#[must_use = "panics are printed again as soon as it is dropped"]
#[derive(Debug)]
pub struct Bracket {
    /// It counts for the thread that has made it.
    _of_this_thread: PhantomData<*const ()>,
}

/// Opens a [`Bracket`]. A run opens one around everything, so that [`catch_in_bracket`] needs no bookkeeping.
pub fn bracket() -> Bracket {
    listen();
    DEPTH.set(DEPTH.get() + 1);
    Bracket { _of_this_thread: PhantomData }
}

impl Drop for Bracket {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Runs user code; a panic in it becomes an error with its message and place. `what` says whose code it is.
///
/// ```
/// use engine::base::panics::catch;
///
/// let error = catch("`collate`", || -> engine::base::Result<()> { panic!("shapes differ") }).unwrap_err();
/// let text = error.to_string();
/// assert!(text.starts_with("`collate` panicked at ") && text.ends_with(": shapes differ"), "{text}");
/// ```
///
/// # Errors
/// What the code returns, or [`Panicked`].
#[inline]
pub fn catch<R>(what: impl fmt::Display, code: impl FnOnce() -> Result<R>) -> Result<R> {
    let _bracket = bracket();
    catch_in_bracket(what, code)
}

/// Like [`catch`], for code that runs inside a [`Bracket`]: it costs nothing unless the code panics. Outside of a
/// bracket a panic is caught too, but it is also printed, and the error doesn't contain its place.
///
/// # Errors
/// What the code returns, or [`Panicked`].
#[inline(always)]
pub fn catch_in_bracket<R>(what: impl fmt::Display, code: impl FnOnce() -> Result<R>) -> Result<R> {
    match panic::catch_unwind(AssertUnwindSafe(code)) {
        Ok(result) => result,
        Err(payload) => Err(panicked(&what, payload)),
    }
}

/// Like [`catch`], for code that does not return a `Result`; a panic is returned as its message and place.
///
/// # Errors
/// What the panic said.
pub fn message_of<R>(code: impl FnOnce() -> R) -> Result<R, String> {
    let _bracket = bracket();
    let result = panic::catch_unwind(AssertUnwindSafe(code));
    result.map_err(|payload| {
        let text = message(payload.as_ref());
        // dropping a value of an unknown type may panic once more
        std::mem::forget(payload);
        PLACE.take().map_or(text.clone(), |place| format!("{text} (at {place})"))
    })
}

#[cold]
fn panicked(what: &dyn fmt::Display, payload: Box<dyn Any + Send>) -> Error {
    let place = PLACE.take().map_or(String::new(), |place| format!(" at {place}"));
    let error = Error::new(Panicked { what: what.to_string(), place, message: message(payload.as_ref()) });
    // dropping a value of an unknown type may panic once more
    std::mem::forget(payload);
    error
}

/// The message of a panic.
pub fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.map_or_else(|| "no message".to_owned(), |text| plain(&text).into_owned())
}

/// Inside a bracket, a panic is kept for the error instead of being printed, unless `RUST_BACKTRACE` asks to see where
/// it came from; elsewhere nothing changes.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| match DEPTH.get() {
            0 => before(info),
            _ => {
                // a panic within a library, such as tch, is told with the line that has called it
                let place = |place: &Location<'_>| caller_of(place.file()).unwrap_or_else(|| place.to_string());
                PLACE.set(info.location().map(place));
                if std::env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted != "0") {
                    before(info);
                }
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_place() {
        let error = catch("`train_step`", || -> Result<()> { panic!("shapes [2] and [3] differ") }).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.starts_with("`train_step` panicked at engine/src/base/panics.rs:"), "{text}");
        assert!(text.ends_with("shapes [2] and [3] differ"), "{text}");
    }

    #[test]
    fn a_bracket_keeps_the_place_of_every_panic_inside_it() {
        let outer = bracket();
        for line in ["first", "second"] {
            let error = catch_in_bracket("`step`", || -> Result<()> { panic!("{line}") }).unwrap_err();
            let text = format!("{error:#}");
            assert!(
                text.starts_with("`step` panicked at engine/src/base/panics.rs:") && text.ends_with(line),
                "{text}"
            );
            // what has a bracket of its own leaves the outer one open
            assert_eq!(message_of(|| 1), Ok(1));
        }
        assert_eq!(DEPTH.get(), 1);
        drop(outer);
        assert_eq!(DEPTH.get(), 0);
    }
}

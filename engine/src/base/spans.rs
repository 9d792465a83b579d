//! What the engine does and when, while a profile is taken: phases, hooks, steps, batches, checkpoints. At other times a
//! span costs one look at a flag.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Something that was done.
#[derive(Clone, Debug)]
pub struct Span {
    /// What it was.
    pub what: SpanKind,
    /// Its name.
    pub name: Cow<'static, str>,
    /// The thread, as the system numbers it.
    pub thread: u64,
    /// The name of the thread.
    pub thread_name: Cow<'static, str>,
    /// When it began, since 1970.
    pub began: Duration,
    /// How long it took.
    pub took: Duration,
}

/// What a span is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpanKind {
    /// All hooks of a phase.
    Phase,
    /// One hook in a phase.
    Hook,
    /// A part of an iter: a step, backward, an update.
    Step,
    /// A batch: read, waited for, copied.
    Data,
    /// A checkpoint.
    Checkpoint,
}

static ON: AtomicBool = AtomicBool::new(false);
static SPANS: Mutex<Vec<Span>> = Mutex::new(Vec::new());

/// Whether spans are noted now.
#[inline(always)]
pub fn are_noted() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Notes spans from now on.
pub fn begin() {
    SPANS.lock().unwrap_or_else(PoisonError::into_inner).clear();
    ON.store(true, Ordering::Relaxed);
}

/// Notes no more, and gives those that have ended.
pub fn end() -> Vec<Span> {
    ON.store(false, Ordering::Relaxed);
    std::mem::take(&mut SPANS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A span that lasts until it is dropped; `None` while none are noted.
#[inline(always)]
pub fn span(what: SpanKind, name: &'static str) -> Option<OpenSpan> {
    are_noted().then(|| OpenSpan::new(what, Cow::Borrowed(name)))
}

/// A span that is under way.
#[derive(Debug)]
#[must_use = "the span ends when it is dropped"]
pub struct OpenSpan {
    what: SpanKind,
    name: Cow<'static, str>,
    since: Duration,
    began: Instant,
}

impl OpenSpan {
    /// Begins.
    #[cold]
    #[expect(clippy::disallowed_methods, reason = "libtorch's traces have the time of the day")]
    pub fn new(what: SpanKind, name: Cow<'static, str>) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        OpenSpan { what, name, since, began: Instant::now() }
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        if !are_noted() {
            return;
        }
        let thread = std::thread::current();
        let thread_name = match thread.name() {
            None | Some("main") => Cow::Borrowed("main"),
            Some(name) => Cow::Owned(name.to_owned()),
        };
        let name = std::mem::take(&mut self.name);
        let span = Span { what: self.what, name, thread: thread_id(), thread_name, began: self.since, took };
        SPANS.lock().unwrap_or_else(PoisonError::into_inner).push(span);
    }
}

/// The number of this thread, which libtorch's traces use too; 0 where the system does not tell.
fn thread_id() -> u64 {
    thread_local! {
        static ID: u64 = std::fs::read_link("/proc/thread-self")
            .ok()
            .and_then(|link| link.file_name()?.to_str()?.parse().ok())
            .unwrap_or(0);
    }
    ID.with(|id| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_all_threads_are_noted_between_begin_and_end() {
        assert!(span(SpanKind::Step, "before").is_none());
        begin();
        let outer = span(SpanKind::Step, "outer");
        drop(span(SpanKind::Data, "inner"));
        std::thread::Builder::new()
            .name("worker".to_owned())
            .spawn(|| drop(span(SpanKind::Data, "elsewhere")))
            .unwrap()
            .join()
            .unwrap();
        drop(outer);
        let unended = span(SpanKind::Step, "unended");
        let spans = end();
        drop(unended);
        let names: Vec<&str> = spans.iter().map(|span| &*span.name).filter(|name| *name != "made").collect();
        assert_eq!(names, ["inner", "elsewhere", "outer"]);
        let [inner, elsewhere, outer] = spans.as_slice() else { return };
        assert!(outer.took >= inner.took && outer.began <= inner.began);
        assert_eq!((&*elsewhere.thread_name, elsewhere.thread == outer.thread), ("worker", false));
    }
}
